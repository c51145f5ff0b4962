// One watch of one resource: initial state, then changes as the selection sees them, bookmarks, and an end by timeout or 410.
// It pushes into a sink; how much may pile up there is the sink's business.
import type { Clock } from '../../../common/machinery/clock.ts'
import { gone, serviceUnavailable, type StatusError } from '../../../common/machinery/status.ts'
import { CompactedError, FutureRevisionError, type StoreEvent, type Watch } from '../../store/store.ts'
import { ConvertingSink } from '../crd/conversion/converting-sink.ts'
import type { Registry } from '../registry/context.ts'
import { listObjects, parseResourceVersion } from '../registry/list.ts'
import type { Selection } from '../registry/selection.ts'
import { keyOf, listPrefix, type ServedResource } from '../registry/served-resource.ts'
import type { StoredObject } from '../registry/stored-object.ts'
import type { WatchSink } from './watch-sink.ts'

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
  const conversion = resource.custom?.conversion
  const converting = conversion && new ConvertingSink(sink, conversion)
  const session = new RunningWatch(registry.clock, resource, request, converting ?? sink, converting)
  session.open(registry, initial, from)
  return session
}

const tooOld = (from: number, { compactRevision }: CompactedError): StatusError =>
  gone(`too old resource version: ${String(from)} (${String(compactRevision)})`)

/** The store was emptied, or is another one: only a new list tells the client what there is. */
const tooLarge = (from: number, { currentRevision }: FutureRevisionError): StatusError =>
  gone(`too large resource version: ${String(from)} (${String(currentRevision)})`)

class RunningWatch implements WatchSession {
  readonly #clock: Clock
  readonly #resource: ServedResource
  readonly #request: WatchRequest
  readonly #sink: WatchSink
  readonly #converting: ConvertingSink | undefined
  #watch: Watch | undefined
  #ended = false
  #bookmarked = 0
  #cancelTimers: (() => void)[] = []

  /** `converting`: the sink, where it is one that has to convert what selections look at. */
  constructor(
    clock: Clock,
    resource: ServedResource,
    request: WatchRequest,
    sink: WatchSink,
    converting?: ConvertingSink,
  ) {
    this.#clock = clock
    this.#resource = resource
    this.#request = request
    this.#sink = sink
    this.#converting = converting
  }

  open(registry: Registry, initial: readonly StoredObject[], from: number): void {
    this.#cancelTimers.push(
      this.#clock.after(this.#request.timeoutMs, () => {
        this.#end()
      }),
    )
    void this.#run(registry, initial, from)
  }

  /** The initial state at the client's pace; what happens meanwhile is read back from the store, not held here. */
  async #run(registry: Registry, initial: readonly StoredObject[], from: number): Promise<void> {
    for (const object of initial) {
      if (this.#ended) return
      this.#sink.event('ADDED', object)
      const pause = this.#sink.ready()
      if (pause !== undefined) await pause
    }
    if (this.#ended) return
    const { sendInitialEvents, allowBookmarks } = this.#request
    if (sendInitialEvents && allowBookmarks) this.#sink.bookmark(from, true)
    this.#follow(registry, from)
    if (allowBookmarks) this.#scheduleBookmark()
  }

  #follow(registry: Registry, from: number): void {
    const { namespace, onlyName } = this.#request
    const exact =
      onlyName !== undefined && (namespace !== '' || !this.#resource.namespaced)
        ? keyOf(this.#resource, namespace, onlyName)
        : undefined
    try {
      this.#watch = registry.store.watch({
        prefix: exact ?? listPrefix(this.#resource, namespace),
        exact: exact !== undefined,
        fromRevision: from + 1,
        onEvents: (events) => {
          for (const event of events) this.#deliver(event)
        },
        onError: (error) => {
          this.#end(error instanceof CompactedError ? tooOld(from, error) : serviceUnavailable('the store has ended'))
        },
      })
    } catch (error) {
      // Clients expect the answer to be a stream whose only event says that the revision is of no use, and list again.
      if (error instanceof CompactedError) this.#end(tooOld(from, error))
      else if (error instanceof FutureRevisionError) this.#end(tooLarge(from, error))
      else this.#end(serviceUnavailable('the store has ended'))
    }
  }

  stop(): void {
    this.#end(undefined, true)
  }

  #deliver(event: StoreEvent): void {
    if (this.#ended) return
    const { codec } = this.#resource
    const { selection } = this.#request
    const { entry, previous, revision } = event
    if (event.type === 'delete') {
      const last = codec.gone(entry, revision)
      if (selection !== undefined && this.#converting !== undefined) {
        this.#converting.change(selection, { now: undefined, before: last, gone: last })
        return
      }
      if (selection === undefined || selection.matches(last.object)) this.#sink.event('DELETED', last)
      return
    }
    const now = codec.of(entry)
    if (selection === undefined) {
      this.#sink.event(previous === undefined ? 'ADDED' : 'MODIFIED', now)
      return
    }
    if (this.#converting !== undefined) {
      this.#converting.change(selection, {
        now,
        before: previous && codec.of(previous),
        gone: previous && codec.gone(previous, revision),
      })
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
      const revision = this.#watch?.progress ?? 0
      if (revision > this.#bookmarked) {
        this.#bookmarked = revision
        this.#sink.bookmark(revision, false)
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
