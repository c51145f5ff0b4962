// Watchers and their delivery. A watcher is "live" once it has everything up to the newest committed revision; until then
// it is caught up from the window or, when it asks for older revisions, from the source of history the store gives.
// Nothing is dropped and nothing is delivered twice: each watcher has one cursor, the next revision it has not seen.
// A commit costs what it has to tell, however many watch something else: see live-watchers.ts.
import { ClosedError, CompactedError } from '../store.ts'
import type { StoreEvent, Watch, WatchOptions } from '../store.ts'
import type { EventWindow } from './event-window.ts'
import { concerns, LiveWatchers } from './live-watchers.ts'

/** Reads whole revisions from older history. `through`: everything up to and including it was returned. */
export type HistoryReader = (
  prefix: string,
  fromRevision: number,
) => Promise<{ events: readonly StoreEvent[]; through: number }>

interface Watcher {
  readonly options: WatchOptions
  /** While live only a lower bound: batches that do not match leave it alone. */
  next: number
  live: boolean
  closed: boolean
}

export class WatchHub {
  readonly #window: EventWindow
  readonly #readHistory: HistoryReader | undefined
  readonly #compactRevision: () => number
  readonly #live = new LiveWatchers<Watcher>()
  readonly #queue: { events: readonly StoreEvent[]; revision: number }[] = []
  #revision: number

  constructor(options: {
    window: EventWindow
    revision: number
    compactRevision: () => number
    readHistory?: HistoryReader
  }) {
    this.#window = options.window
    this.#revision = options.revision
    this.#readHistory = options.readHistory
    this.#compactRevision = options.compactRevision
  }

  /** The caller has checked that `fromRevision` is not compacted. Replay starts after the caller's turn. */
  watch(options: WatchOptions): Watch {
    const watcher: Watcher = { options, next: options.fromRevision, live: false, closed: false }
    if (watcher.next > this.#revision) this.#goLive(watcher)
    else {
      queueMicrotask(() => {
        void this.#catchUp(watcher)
      })
    }
    const revision = (): number => this.#revision
    return {
      get progress() {
        return watcher.live ? revision() : watcher.next - 1
      },
      close: () => {
        watcher.closed = true
        this.#live.delete(watcher)
      },
    }
  }

  /** Delivers newly committed events (already in the window) to all live watchers. */
  dispatch(events: readonly StoreEvent[], revision: number): void {
    this.#revision = revision
    this.#queue.push({ events, revision })
    // A watcher may write from its callback: that commit waits until everyone has seen this one.
    if (this.#queue.length > 1) return
    for (let batch = this.#queue[0]; batch !== undefined; batch = this.#queue[0]) {
      for (const { watchers, events: matching } of this.#live.interestedIn(batch.events)) {
        for (const watcher of watchers) this.#deliver(watcher, matching, batch.revision)
      }
      // Everybody has seen the change: what is remembered of the past is text only.
      for (const { previous } of batch.events) if (previous !== undefined) previous.view = undefined
      this.#queue.shift()
    }
  }

  closeAll(error?: ClosedError): void {
    for (const watcher of this.#live.clear()) {
      if (error === undefined) watcher.closed = true
      else this.#end(watcher, error)
    }
  }

  async #catchUp(watcher: Watcher): Promise<void> {
    try {
      while (!watcher.closed && watcher.next < this.#window.firstRevision) {
        const compacted = this.#compactRevision()
        if (watcher.next < compacted) throw new CompactedError(watcher.next, compacted)
        if (this.#readHistory === undefined) break
        const { events, through } = await this.#readHistory(watcher.options.prefix, watcher.next)
        // Compaction may have removed events while they were being read.
        if (watcher.next >= this.#compactRevision()) {
          const wanted = events.filter(({ key }) => concerns(watcher.options, key))
          this.#deliver(watcher, wanted, through)
        }
      }
    } catch (error) {
      if (!watcher.closed) this.#end(watcher, error)
    }
    if (watcher.closed) return
    const missed = this.#window.since(watcher.next).filter(({ key }) => concerns(watcher.options, key))
    this.#deliver(watcher, missed, this.#revision)
    this.#goLive(watcher)
  }

  #end(watcher: Watcher, error: unknown): void {
    watcher.closed = true
    const told =
      error instanceof CompactedError || error instanceof ClosedError
        ? error
        : new ClosedError('history could not be read', { cause: error })
    watcher.options.onError?.(told)
  }

  #goLive(watcher: Watcher): void {
    watcher.live = true
    this.#live.add(watcher)
  }

  #deliver(watcher: Watcher, events: readonly StoreEvent[], revision: number): void {
    if (watcher.closed || revision < watcher.next) return
    const wanted = (events[0]?.revision ?? watcher.next) < watcher.next ? newerThan(events, watcher.next) : events
    watcher.next = revision + 1
    if (wanted.length > 0) watcher.options.onEvents(wanted)
  }
}

const newerThan = (events: readonly StoreEvent[], revision: number): readonly StoreEvent[] =>
  events.filter((event) => event.revision >= revision)
