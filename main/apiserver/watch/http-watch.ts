// A watch as a chunked HTTP response of encoded events. Every watcher gets the same Buffer per event. One that does not read is told
// with a 410 ERROR event and closed; it is never silently left behind.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { gone, type Status, type StatusError } from '../../../common/machinery/status.ts'
import type { HttpResponse } from '../apiserver.ts'
import { writeHead } from '../chain/respond.ts'
import type { Registry } from '../registry/context.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { EventType, StoredObject } from '../registry/stored-object.ts'
import { bookmarkObject } from './async-watch.ts'
import { startWatch, type WatchRequest, type WatchSession } from './watch-session.ts'

/** What may wait in one connection before its reader counts as stuck. */
const maxPendingBytes = 16 << 20
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
  const output = res as NodeJS.WritableStream & { destroyed?: boolean; writableLength: number }
  // Set when the watch has started; the callbacks below may run before.
  const running: { session?: WatchSession } = {}
  let headersSent = false
  let ended = false
  const { promise: finished, resolve: finish } = Promise.withResolvers<undefined>()
  const begin = (): void => {
    if (headersSent) return
    headersSent = true
    writeHead(res, 200, {
      'content-type': encoder.contentType,
      'cache-control': 'no-cache, private',
    })
    // HTTP/2 sends headers at once; HTTP/1.1 would wait for the first event.
    if ('flushHeaders' in res) res.flushHeaders()
  }
  let batch: Buffer[] = []
  const flush = (): void => {
    const pending = batch
    batch = []
    const [first] = pending
    if (first === undefined || output.destroyed === true) return
    begin()
    output.write(pending.length === 1 ? first : Buffer.concat(pending))
    if (!ended && output.writableLength > maxPendingBytes) {
      options.onSlow()
      // Whoever does not read does not read this either: the connection goes after a while.
      setTimeout(() => res.destroy(), slowGraceMs).unref()
      end(gone('the watcher did not keep up and must list again'))
      running.session?.stop()
    }
  }
  const write = (bytes: Buffer): void => {
    if (ended) return
    if (batch.length === 0) queueMicrotask(flush)
    batch.push(bytes)
  }
  const end = (error?: StatusError): void => {
    if (ended) return
    if (error !== undefined) write(encoder.error(error.status))
    ended = true
    flush()
    begin()
    output.end()
    finish(undefined)
  }
  output.on('close', () => {
    ended = true
    running.session?.stop()
    finish(undefined)
  })
  running.session = await startWatch(registry, resource, request, {
    event: (type, object) => {
      write(encoder.event(type, object))
    },
    bookmark: (revision, initialEventsEnd) => {
      write(encoder.bookmark(bookmarkObject(resource, revision, initialEventsEnd)))
    },
    end,
  })
  // TypeScript cannot see that the callbacks above may have run.
  if (ended as boolean) running.session.stop()
  else begin()
  await finished
}
