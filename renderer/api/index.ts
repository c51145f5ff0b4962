// The only door from the window to the engine: typed client, live collections, streams. Nothing outside api/ calls fetch or WebSocket.
import { createClient } from '../../common/client/create-client.ts'
import { createInformer } from '../../common/client/create-informer.ts'
import type { ResourceRef } from '../../common/client/client.ts'
import { createFetchTransport } from '../../common/client/fetch-transport.ts'
import type { Informer } from '../../common/client/informer.ts'
import { silentLogger } from '../../common/machinery/logger.ts'
import type { KubeObject } from '../../common/machinery/meta.ts'
import { noteAnswer, onReconnect } from './connection.ts'
import { createWakeableClock } from './wakeable-clock.ts'

/** The page may be served below a path; the API is beside it. */
const baseUrl = location.pathname.replace(/\/[^/]*$/, '')

export const api = createClient(createFetchTransport({ baseUrl, onAnswer: noteAnswer }), {
  fieldManager: 'orrery-window',
})

const clock = createWakeableClock()
onReconnect(() => {
  clock.wake()
})

export const liveCollection = <T extends KubeObject>(resource: ResourceRef<T>): Informer<T> =>
  createInformer({ client: api, resource, logger: silentLogger, clock })

export * as resources from '../../common/client/resources.ts'
export type { KubeObject, ObjectMeta } from '../../common/machinery/meta.ts'
export type { ResourceRef } from '../../common/client/client.ts'
