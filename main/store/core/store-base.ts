// What all stores share: current state and recent events in memory, from which everything is read and every watch is told. How a
// change becomes durable, and how the past beyond the window is read, is each store's own.
import { ClosedError, CompactedError, FutureRevisionError } from '../store.ts'
import type {
  Compare,
  Operation,
  RangeOptions,
  RangeResult,
  Store,
  StoreEntry,
  StoreEvent,
  TxnResult,
  Watch,
  WatchOptions,
} from '../store.ts'
import type { CurrentState } from './current-state.ts'
import { EventWindow, type WindowLimits } from './event-window.ts'
import { type HistoryReader, WatchHub } from './watch-hub.ts'

export interface StoreBaseOptions {
  state: CurrentState
  /** Of the window. Undefined: it has every event ever and keeps it until compaction. */
  limits?: WindowLimits
  compactRevision?: number
  /** Events older than the window; a store that cannot read them refuses watches from before it. */
  readHistory?: HistoryReader
}

export const storeClosed = (): ClosedError => new ClosedError('the store is closed')

export abstract class StoreBase implements Store {
  protected readonly state: CurrentState
  protected readonly window: EventWindow
  readonly #hub: WatchHub
  readonly #oldestToWatch: () => number
  #compactRevision: number
  /** Set from the first call of close, or a failure, on. */
  #closed: Promise<void> | undefined

  constructor({ state, limits, compactRevision = 1, readHistory }: StoreBaseOptions) {
    this.state = state
    this.window = new EventWindow(limits === undefined ? compactRevision : state.revision + 1, limits)
    this.#compactRevision = compactRevision
    this.#oldestToWatch =
      readHistory === undefined
        ? () => Math.max(this.#compactRevision, this.window.firstRevision)
        : () => this.#compactRevision
    this.#hub = new WatchHub({
      window: this.window,
      revision: state.revision,
      compactRevision: this.#oldestToWatch,
      ...(readHistory === undefined ? {} : { readHistory }),
    })
  }

  abstract txn(compare: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult>
  abstract snapshot(file: string): Promise<{ revision: number }>
  /** Makes what is older than the revision go; nobody reads it any more. */
  protected abstract forget(revision: number): Promise<void>
  /** Finishes what was submitted and lets go of everything; watches are closed by closeWatches(). */
  protected abstract finish(): Promise<void>

  /** Of a revision that is kept, but older than the window. */
  protected readPast(_options: RangeOptions, atRevision: number): Promise<RangeResult> {
    return Promise.reject(new CompactedError(atRevision, this.window.firstRevision))
  }

  get revision(): number {
    return this.state.revision
  }

  get compactRevision(): number {
    return this.#compactRevision
  }

  get(key: string): StoreEntry | undefined {
    this.requireOpen()
    return this.state.get(key)
  }

  range(options: RangeOptions): RangeResult {
    this.requireOpen()
    return this.state.range(options)
  }

  count(prefix: string): number {
    this.requireOpen()
    return this.state.count(prefix)
  }

  async rangeAt({ atRevision, ...options }: RangeOptions & { atRevision: number }): Promise<RangeResult> {
    this.requireOpen()
    if (atRevision > this.revision) throw new FutureRevisionError(atRevision, this.revision)
    requireKept(atRevision, this.#compactRevision)
    if (atRevision + 1 >= this.window.firstRevision) {
      return this.state.rangeBefore(options, this.window.since(atRevision + 1), atRevision)
    }
    const result = await this.readPast(options, atRevision)
    // Compaction may have removed entries while they were being read.
    requireKept(atRevision, this.#compactRevision)
    return result
  }

  watch(options: WatchOptions): Watch {
    this.requireOpen()
    requireKept(options.fromRevision, this.#oldestToWatch())
    if (options.fromRevision > this.revision + 1) throw new FutureRevisionError(options.fromRevision, this.revision)
    return this.#hub.watch(options)
  }

  async compact(revision: number): Promise<void> {
    this.requireOpen()
    if (revision > this.revision) throw new FutureRevisionError(revision, this.revision)
    if (revision <= this.#compactRevision) return
    this.#compactRevision = revision
    await this.forget(revision)
  }

  close(): Promise<void> {
    this.#closed ??= this.finish()
    return this.#closed
  }

  /** Makes durable changes visible, and tells the watchers. */
  protected publish(events: readonly StoreEvent[], revision: number): void {
    this.state.apply(events, revision)
    this.window.append(events)
    this.#hub.dispatch(events, revision)
  }

  protected closeWatches(error?: ClosedError): void {
    this.#hub.closeAll(error)
  }

  /** As if closed, but by itself: watches end with the error. */
  protected abandon(error: ClosedError): void {
    this.closeWatches(error)
    this.#closed ??= Promise.resolve()
  }

  protected get isOpen(): boolean {
    return this.#closed === undefined
  }

  protected requireOpen(): void {
    if (!this.isOpen) throw storeClosed()
  }
}

function requireKept(revision: number, oldest: number): void {
  if (revision < oldest) throw new CompactedError(revision, oldest)
}
