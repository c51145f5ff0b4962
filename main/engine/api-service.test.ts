import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Controller } from '../../common/client/controller.ts'
import { endpointSlices, endpoints, services } from '../../common/client/resources.ts'
import type { SharedInformers } from '../../common/client/shared-informers.ts'
import { createSharedInformers } from '../../common/client/shared-informers.ts'
import { eventually } from '../../common/client/testing/eventually.ts'
import { systemClock } from '../../common/machinery/clock.ts'
import { silentLogger } from '../../common/machinery/logger.ts'
import type { TestControlPlane } from '../controllers/testing/control-plane.ts'
import { startTestControlPlane } from '../controllers/testing/control-plane.ts'
import { newApiServiceReconciler } from './api-service.ts'

let plane: TestControlPlane
let informers: SharedInformers
let reconciler: Controller

beforeEach(async () => {
  plane = await startTestControlPlane()
  const options = { client: plane.client, clock: systemClock, logger: silentLogger }
  informers = createSharedInformers(options)
  reconciler = newApiServiceReconciler({ ...options, informers, address: '10.96.0.1' })
  await reconciler.start()
})
afterEach(async () => {
  informers.stop()
  await reconciler.stop()
  await plane.close()
})

async function expectWhole(): Promise<void> {
  const [service, object, slice] = await Promise.all([
    plane.client.get(services, 'kubernetes', 'default'),
    plane.client.get(endpoints, 'kubernetes', 'default'),
    plane.client.get(endpointSlices, 'kubernetes', 'default'),
  ])
  expect(service.spec?.clusterIP).toBe('10.96.0.1')
  expect(object.subsets).toEqual([
    { addresses: [{ ip: '10.96.0.1' }], ports: [{ name: 'https', port: 443, protocol: 'TCP' }] },
  ])
  expect(slice.endpoints).toMatchObject([{ addresses: ['10.96.0.1'], conditions: { ready: true } }])
  expect(slice.metadata.labels).toEqual({ 'kubernetes.io/service-name': 'kubernetes' })
}

it('makes the service with its endpoints, and again when they are deleted or changed', async () => {
  await eventually(expectWhole)
  await plane.client.delete(services, 'kubernetes', 'default')
  await plane.client.delete(endpointSlices, 'kubernetes', 'default')
  await plane.client.patch(endpoints, { name: 'kubernetes', namespace: 'default' }, 'application/merge-patch+json', {
    subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 1 }] }],
  })
  await eventually(expectWhole)
})
