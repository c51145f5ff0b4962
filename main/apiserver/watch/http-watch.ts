// A watch as a stream of encoded events. Every watcher gets the same bytes per event. One that does not read is told with a 410
// ERROR event and closed, so what it can pile up is bounded; it is never silently left behind.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { gone, type Status, type StatusError } from '../../../common/machinery/status.ts'
import type { HttpResponse } from '../apiserver.ts'
import type { Registry } from '../registry/context.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { EventType, StoredObject } from '../registry/stored-object.ts'
import { bookmarkObject } from './async-watch.ts'
import { afterAnswers, WatchOutput } from './watch-output.ts'
import { startWatch, type WatchRequest, type WatchSession } from './watch-session.ts'

/** What may wait in one connection before its reader counts as stuck. */
const maxPendingBytes = 8 << 20
/** The initial state is written in pieces of this size, no faster than the client takes them. */
const initialBatchBytes = 128 * 1024
/** Time for a stuck reader to fetch what was sent before its connection is cut. */
const slowGraceMs = 10_000

/** How events look in the encoding and shape the client asked for. */
export interface EventEncoder {
  readonly contentType: string
  event(type: EventType, object: StoredObject): Buffer
  bookmark(object: KubeObject): Buffer
  error(status: Status): Buffer
}

export interface HttpWatchOptions {
  readonly request: WatchRequest
  readonly encoder: EventEncoder
  /** Besides those of every watch. */
  readonly headers: Readonly<Record<string, string>>
  /** The initial events are on their way. */
  readonly onBegun: () => void
  /** An event was sent. */
  readonly onEvent: () => void
  /** A watcher was closed because it did not keep up. */
  readonly onSlow: () => void
}

/** Resolves when the stream has ended; rejects with StatusError when it could not begin. */
export async function serveHttpWatch(
  registry: Registry,
  resource: ServedResource,
  options: HttpWatchOptions,
  res: HttpResponse,
): Promise<void> {
  const { encoder, request } = options
  const output = new WatchOutput(res)
  // Set when the watch has started; the callbacks below may run before.
  const running: { session?: WatchSession } = {}
  let ended = false
  const { promise: finished, resolve: finish } = Promise.withResolvers<undefined>()
  const headers = { 'content-type': encoder.contentType, 'cache-control': 'no-cache, private', ...options.headers }
  const begin = (): void => {
    output.begin(headers)
  }
  const flush = (): void => {
    begin()
    output.flush()
    if (ended || output.pendingBytes <= maxPendingBytes) return
    options.onSlow()
    // Whoever does not read does not read this either: the connection goes after a while.
    setTimeout(() => res.destroy(), slowGraceMs).unref()
    end(gone('the watcher did not keep up and must list again'))
    running.session?.stop()
  }
  const write = (bytes: Buffer): void => {
    if (!ended && output.add(bytes)) afterAnswers(flush)
  }
  const end = (error?: StatusError): void => {
    if (ended) return
    if (error !== undefined) write(encoder.error(error.status))
    ended = true
    begin()
    output.end()
    finish(undefined)
  }
  res.on('close', () => {
    ended = true
    running.session?.stop()
    finish(undefined)
  })

  running.session = await startWatch(registry, resource, request, {
    event: (type, object) => {
      write(encoder.event(type, object))
      options.onEvent()
    },
    bookmark: (revision, initialEventsEnd) => {
      write(encoder.bookmark(bookmarkObject(resource, revision, initialEventsEnd)))
    },
    ready() {
      if (ended || output.batchBytes < initialBatchBytes) return undefined
      flush()
      return output.ready()
    },
    end,
  })
  options.onBegun()
  // TypeScript cannot see that the callbacks above may have run.
  if (ended as boolean) running.session.stop()
  else begin()
  await finished
}
