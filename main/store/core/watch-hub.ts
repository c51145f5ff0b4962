// Watchers and their delivery. A watcher is "live" once it has everything up to the newest committed revision; until then
// it is caught up from the window or, when it asks for older revisions, from the source of history the store gives.
// Nothing is dropped and nothing is delivered twice: each watcher has one cursor, the next revision it has not seen.
import { ClosedError, CompactedError } from '../store.ts'
import type { StoreEvent, Watch, WatchOptions } from '../store.ts'
import type { EventWindow } from './event-window.ts'

/** Reads whole revisions from older history. `through`: everything up to and including it was returned. */
export type HistoryReader = (
  prefix: string,
  fromRevision: number,
) => Promise<{ events: readonly StoreEvent[]; through: number }>

interface Watcher {
  readonly options: WatchOptions
  next: number
  live: boolean
  closed: boolean
}

export class WatchHub {
  readonly #window: EventWindow
  readonly #readHistory: HistoryReader | undefined
  readonly #compactRevision: () => number
  /** Live watchers by prefix: a batch is filtered once per distinct prefix, however many watch it. */
  readonly #live = new Map<string, Set<Watcher>>()
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
    return {
      close: () => {
        watcher.closed = true
        const group = this.#live.get(options.prefix)
        if (group?.delete(watcher) === true && group.size === 0) this.#live.delete(options.prefix)
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
      for (const [prefix, group] of [...this.#live]) {
        const matching = matchingPrefix(batch.events, prefix)
        for (const watcher of [...group]) this.#deliver(watcher, matching, batch.revision)
      }
      this.#queue.shift()
    }
  }

  closeAll(error?: ClosedError): void {
    const watchers = [...this.#live.values()].flatMap((group) => [...group])
    this.#live.clear()
    for (const watcher of watchers) {
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
        if (watcher.next >= this.#compactRevision()) this.#deliver(watcher, events, through)
      }
    } catch (error) {
      if (!watcher.closed) this.#end(watcher, error)
    }
    if (watcher.closed) return
    this.#deliver(watcher, matchingPrefix(this.#window.since(watcher.next), watcher.options.prefix), this.#revision)
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
    const { prefix } = watcher.options
    let group = this.#live.get(prefix)
    if (group === undefined) this.#live.set(prefix, (group = new Set()))
    group.add(watcher)
  }

  #deliver(watcher: Watcher, events: readonly StoreEvent[], revision: number): void {
    if (watcher.closed || revision < watcher.next) return
    const wanted = (events[0]?.revision ?? watcher.next) < watcher.next ? newerThan(events, watcher.next) : events
    watcher.next = revision + 1
    if (wanted.length > 0) watcher.options.onEvents(wanted)
    else watcher.options.onProgress?.(revision)
  }
}

const newerThan = (events: readonly StoreEvent[], revision: number): readonly StoreEvent[] =>
  events.filter((event) => event.revision >= revision)

function matchingPrefix(events: readonly StoreEvent[], prefix: string): readonly StoreEvent[] {
  const first = events[0]
  // Most batches are one event; do not copy for those.
  if (events.length === 1 && first !== undefined) return first.key.startsWith(prefix) ? events : []
  return events.filter((event) => event.key.startsWith(prefix))
}
