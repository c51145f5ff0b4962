// A watch as an async iterable for callers in the same process: frozen objects, a bounded buffer, 410 when it overflows.
import { gone, type StatusError } from '../../../common/machinery/status.ts'
import type { KubeObject, WatchEvent } from '../../../common/machinery/meta.ts'
import type { Registry } from '../registry/context.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { EventType, StoredObject } from '../registry/stored-object.ts'
import { startWatch, type WatchRequest } from './watch-session.ts'
import type { WatchSink } from './watch-sink.ts'

/** A consumer in our own process that is this far behind is stuck; it starts over instead of holding memory. */
const maxBuffered = 20_000

export async function* watchInProcess<T extends KubeObject>(
  registry: Registry,
  resource: ServedResource,
  request: WatchRequest,
  signal: AbortSignal | undefined,
  onOverflow: () => void,
): AsyncGenerator<WatchEvent<T>> {
  const buffer: WatchEvent<T>[] = []
  let ended = false
  let failure: StatusError | undefined
  let wake: (() => void) | undefined
  let readyAgain: (() => void) | undefined
  const notify = (): void => {
    wake?.()
    wake = undefined
  }
  const end = (error?: StatusError): void => {
    ended = true
    failure = error
    notify()
  }
  const sink: WatchSink = {
    event(type: EventType, stored: StoredObject) {
      if (ended) return
      if (buffer.length >= maxBuffered) {
        onOverflow()
        buffer.length = 0
        end(gone('the watcher did not keep up and must list again'))
        return
      }
      buffer.push({ type, object: stored.object as T })
      notify()
    },
    bookmark(revision, initialEventsEnd) {
      buffer.push({ type: 'BOOKMARK', object: bookmarkObject(resource, revision, initialEventsEnd) })
      notify()
    },
    ready() {
      if (buffer.length < maxBuffered / 2) return undefined
      return new Promise((resolve) => {
        readyAgain = resolve
      })
    },
    end,
  }
  signal?.throwIfAborted()
  const session = await startWatch(registry, resource, request, sink)
  const abort = (): void => {
    end()
  }
  signal?.addEventListener('abort', abort, { once: true })
  try {
    for (;;) {
      const next = buffer.shift()
      if (next !== undefined) {
        yield next
        continue
      }
      readyAgain?.()
      if (ended) {
        if (failure !== undefined) throw failure
        return
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    session.stop()
  }
}

export function bookmarkObject(resource: ServedResource, revision: number, initialEventsEnd: boolean): KubeObject {
  return {
    kind: resource.kind.kind,
    apiVersion: resource.apiVersion,
    metadata: {
      resourceVersion: String(revision),
      ...(initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    },
  }
}
