// One watch of one resource: initial state, then changes as the selection sees them, bookmarks, and an end by timeout or 410.
// It pushes into a sink; how much may pile up there is the sink's business.
import type { Clock } from '../../../common/machinery/clock.ts'
import { gone, type StatusError } from '../../../common/machinery/status.ts'
import { CompactedError, type StoreEvent, type Watch } from '../../store/store.ts'
import type { Registry } from '../registry/context.ts'
import { listObjects, parseResourceVersion } from '../registry/list.ts'
import type { Selection } from '../registry/selection.ts'
import { keyOf, listPrefix, type ServedResource } from '../registry/served-resource.ts'
import type { EventType, StoredObject } from '../registry/stored-object.ts'

export interface WatchRequest {
  readonly namespace: string
  readonly selection: Selection | undefined
  readonly resourceVersion: string
  readonly allowBookmarks: boolean
  readonly sendInitialEvents: boolean
  /** The watch ends after so long; clients expect 30-60 minutes when they do not say. */
  readonly timeoutMs: number
  readonly onlyName?: string
}

/** Called synchronously while the store commits: must not throw and must not block. */
export interface WatchSink {
  event(type: EventType, object: StoredObject): void
  bookmark(revision: number, initialEventsEnd: boolean): void
  /** The last call. A StatusError tells the client why (410: relist). */
  end(error?: StatusError): void
}

export interface WatchSession {
  stop(): void
}

const bookmarkIntervalMs = 60_000

/** Throws StatusError (400, 410) before anything is sent. */
export async function startWatch(
  registry: Registry,
  resource: ServedResource,
  request: WatchRequest,
  sink: WatchSink,
): Promise<WatchSession> {
  const { resourceVersion: asked } = request
  let from: number
  let initial: readonly StoredObject[] = []
  const wantsState = asked === '' || asked === '0' || request.sendInitialEvents
  if (wantsState) {
    const list = await listObjects(registry, resource, {
      namespace: request.namespace,
      selection: request.selection,
      limit: 0,
      continueToken: '',
      resourceVersion: asked,
      resourceVersionMatch: '',
      ...(request.onlyName === undefined ? {} : { onlyName: request.onlyName }),
    })
    initial = list.items
    from = list.revision
  } else from = parseResourceVersion(asked)
  const session = new RunningWatch(registry.clock, resource, request, sink)
  session.open(registry, initial, from)
  return session
}

class RunningWatch implements WatchSession {
  readonly #clock: Clock
  readonly #resource: ServedResource
  readonly #request: WatchRequest
  readonly #sink: WatchSink
  #watch: Watch | undefined
  #ended = false
  #revision = 0
  #bookmarked = 0
  #cancelTimers: (() => void)[] = []

  constructor(clock: Clock, resource: ServedResource, request: WatchRequest, sink: WatchSink) {
    this.#clock = clock
    this.#resource = resource
    this.#request = request
    this.#sink = sink
  }

  open(registry: Registry, initial: readonly StoredObject[], from: number): void {
    const { namespace, onlyName, sendInitialEvents, allowBookmarks, timeoutMs } = this.#request
    const exact =
      onlyName !== undefined && (namespace !== '' || !this.#resource.namespaced)
        ? keyOf(this.#resource, namespace, onlyName)
        : undefined
    this.#revision = from
    try {
      this.#watch = registry.store.watch({
        prefix: exact ?? listPrefix(this.#resource, namespace),
        fromRevision: from + 1,
        onEvents: (events) => {
          for (const event of events) if (exact === undefined || event.key === exact) this.#deliver(event)
        },
        onProgress: (revision) => {
          this.#revision = Math.max(this.#revision, revision)
        },
      })
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error
      // Clients expect the answer to be a stream whose only event says that the revision is too old.
      this.#end(gone(`too old resource version: ${String(from)} (${String(error.compactRevision)})`))
      return
    }
    for (const object of initial) this.#sink.event('ADDED', object)
    if (sendInitialEvents && allowBookmarks) this.#sink.bookmark(from, true)
    this.#cancelTimers.push(
      this.#clock.after(timeoutMs, () => {
        this.#end()
      }),
    )
    if (allowBookmarks) this.#scheduleBookmark()
  }

  stop(): void {
    this.#end(undefined, true)
  }

  #deliver(event: StoreEvent): void {
    if (this.#ended) return
    this.#revision = event.revision
    const { codec } = this.#resource
    const { selection } = this.#request
    const { entry, previous, revision } = event
    if (event.type === 'delete') {
      const last = codec.gone(entry, revision)
      if (selection === undefined || selection.matches(last.object)) this.#sink.event('DELETED', last)
      return
    }
    const now = codec.of(entry)
    if (selection === undefined) {
      this.#sink.event(previous === undefined ? 'ADDED' : 'MODIFIED', now)
      return
    }
    const matches = selection.matches(now.object)
    const matched = previous !== undefined && selection.matches(codec.of(previous).object)
    if (matches) this.#sink.event(matched ? 'MODIFIED' : 'ADDED', now)
    else if (matched && previous !== undefined) this.#sink.event('DELETED', codec.gone(previous, revision))
  }

  #scheduleBookmark(): void {
    this.#cancelTimers[1] = this.#clock.after(bookmarkIntervalMs, () => {
      if (this.#ended) return
      if (this.#revision > this.#bookmarked) {
        this.#bookmarked = this.#revision
        this.#sink.bookmark(this.#revision, false)
      }
      this.#scheduleBookmark()
    })
  }

  #end(error?: StatusError, silent = false): void {
    if (this.#ended) return
    this.#ended = true
    this.#watch?.close()
    for (const cancel of this.#cancelTimers) cancel()
    if (!silent) this.#sink.end(error)
  }
}
