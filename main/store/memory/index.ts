// The whole store in memory: for tests and for control planes that need not survive. Every event is kept until compaction.
// Commits are synchronous, so a transaction is visible as soon as `txn` has been called.
import { writeFile } from 'node:fs/promises'
import { compareHolds, planOperations } from '../core/transaction.ts'
import { CurrentState } from '../core/current-state.ts'
import { EventWindow } from '../core/event-window.ts'
import { WatchHub } from '../core/watch-hub.ts'
import { ClosedError, CompactedError, FutureRevisionError } from '../store.ts'
import type {
  Compare,
  Operation,
  RangeOptions,
  RangeResult,
  Store,
  StoreEntry,
  TxnResult,
  Watch,
  WatchOptions,
} from '../store.ts'

export function createMemoryStore(): Store {
  return new MemoryStore()
}

class MemoryStore implements Store {
  readonly #state = new CurrentState(1)
  readonly #window = new EventWindow(1)
  readonly #hub = new WatchHub({ window: this.#window, revision: 1, compactRevision: () => this.#compactRevision })
  #compactRevision = 1
  #closed = false

  get revision(): number {
    return this.#state.revision
  }

  get compactRevision(): number {
    return this.#compactRevision
  }

  get(key: string): StoreEntry | undefined {
    this.#requireOpen()
    return this.#state.get(key)
  }

  range(options: RangeOptions): RangeResult {
    this.#requireOpen()
    return this.#state.range(options)
  }

  count(prefix: string): number {
    this.#requireOpen()
    return this.#state.count(prefix)
  }

  rangeAt({ atRevision, ...options }: RangeOptions & { atRevision: number }): Promise<RangeResult> {
    return attempt(() => {
      this.#requireOpen()
      if (atRevision > this.revision) throw new FutureRevisionError(atRevision, this.revision)
      if (atRevision < this.#compactRevision) throw new CompactedError(atRevision, this.#compactRevision)
      return this.#state.rangeBefore(options, this.#window.since(atRevision + 1), atRevision)
    })
  }

  txn(compare: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult> {
    return attempt((): TxnResult => {
      this.#requireOpen()
      const view = (key: string): StoreEntry | undefined => this.#state.get(key)
      if (!compareHolds(compare, view)) return { succeeded: false, current: compare.map(({ key }) => view(key)) }
      const revision = this.revision + 1
      const { events, previous } = planOperations(operations, view, revision)
      if (events.length === 0) return { succeeded: true, revision: this.revision, previous }
      this.#state.apply(events, revision)
      this.#window.append(events)
      this.#hub.dispatch(events, revision)
      return { succeeded: true, revision, previous }
    })
  }

  watch(options: WatchOptions): Watch {
    this.#requireOpen()
    if (options.fromRevision < this.#compactRevision) {
      throw new CompactedError(options.fromRevision, this.#compactRevision)
    }
    if (options.fromRevision > this.revision + 1) throw new FutureRevisionError(options.fromRevision, this.revision)
    return this.#hub.watch(options)
  }

  compact(revision: number): Promise<void> {
    return attempt(() => {
      this.#requireOpen()
      if (revision > this.revision) throw new FutureRevisionError(revision, this.revision)
      if (revision <= this.#compactRevision) return
      this.#compactRevision = revision
      this.#window.dropBefore(revision)
    })
  }

  /** Current entries and the events since compaction, as JSON. */
  async snapshot(file: string): Promise<{ revision: number }> {
    this.#requireOpen()
    const { revision } = this
    const { entries } = this.#state.range({ prefix: '' })
    const events = this.#window.since(this.#compactRevision)
    await writeFile(file, JSON.stringify({ revision, compactRevision: this.#compactRevision, entries, events }))
    return { revision }
  }

  close(): Promise<void> {
    this.#closed = true
    this.#hub.closeAll()
    return Promise.resolve()
  }

  #requireOpen(): void {
    if (this.#closed) throw new ClosedError('the store is closed')
  }
}

/** Runs at once, but reports by promise. */
function attempt<T>(action: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(action())
  })
}
