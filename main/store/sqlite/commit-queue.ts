// Group commit. Transactions are decided at once against the head state (durable state plus everything accepted since), and
// become durable together: while one batch is being synced the next one collects. Nothing of the head is shown to anyone
// before it is durable; when a batch fails, the head is rolled back and later transactions are decided anew.
import { compareHolds, planOperations } from '../core/transaction.ts'
import type { PlannedChange } from '../core/transaction.ts'
import type { CurrentState } from '../core/current-state.ts'
import type { Compare, Operation, StoreEntry, StoreEvent, TxnResult } from '../store.ts'
import type { Rows } from './protocol.ts'
import { firstIdOf } from './protocol.ts'

interface Transaction {
  compare: readonly Compare[]
  operations: readonly Operation[]
  resolve: (result: TxnResult) => void
  reject: (error: unknown) => void
  outcome: Outcome
}

type Outcome =
  | { kind: 'change'; revision: number; plan: PlannedChange; characters: number }
  /** Decided by state that is not durable yet: the answer waits for it. */
  | { kind: 'answer'; result: TxnResult }

/** One batch holds at most about this many characters of values, so that a flood does not make one endless commit. */
const batchCharacters = 4_000_000

export class CommitQueue {
  readonly #state: CurrentState
  readonly #write: (rows: Rows, characters: number) => Promise<void>
  readonly #onCommitted: (events: readonly StoreEvent[], revision: number) => void
  /** Keys changed since the durable state, with their newest entry (undefined: deleted) and the revision of that change. */
  readonly #overlay = new Map<string, { entry: StoreEntry | undefined; revision: number }>()
  #headRevision: number
  #queued: Transaction[] = []
  #inFlight: Transaction[] = []
  #scheduled = false
  #failure: Error | undefined

  constructor(options: {
    state: CurrentState
    /** Makes rows durable, all or nothing; DiskFullError when there was no room. One at a time. `characters`: of their values. */
    write: (rows: Rows, characters: number) => Promise<void>
    /** Called once per durable batch, before its transactions are answered. */
    onCommitted: (events: readonly StoreEvent[], revision: number) => void
  }) {
    this.#state = options.state
    this.#write = options.write
    this.#onCommitted = options.onCommitted
    this.#headRevision = options.state.revision
  }

  submit(compare: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) throw this.#failure
      const outcome = this.#decide(compare, operations)
      if (outcome.kind === 'answer' && this.#overlay.size === 0) {
        resolve(outcome.result)
        return
      }
      this.#queued.push({ compare, operations, resolve, reject, outcome })
      this.#schedule()
    })
  }

  /** Refuses everything from now on, and rejects what is waiting. */
  fail(error: Error): void {
    this.#failure ??= error
    const waiting = [...this.#inFlight, ...this.#queued]
    this.#inFlight = []
    this.#queued = []
    this.#overlay.clear()
    for (const { reject } of waiting) reject(error)
  }

  /** Resolves when everything submitted so far is answered. */
  async drained(): Promise<void> {
    while (this.#queued.length > 0 || this.#inFlight.length > 0) await this.submit([], []).catch(() => undefined)
  }

  #view = (key: string): StoreEntry | undefined => {
    const changed = this.#overlay.size === 0 ? undefined : this.#overlay.get(key)
    return changed === undefined ? this.#state.get(key) : changed.entry
  }

  #decide(compare: readonly Compare[], operations: readonly Operation[]): Outcome {
    if (!compareHolds(compare, this.#view)) {
      return { kind: 'answer', result: { succeeded: false, current: compare.map(({ key }) => this.#view(key)) } }
    }
    const revision = this.#headRevision + 1
    const plan = planOperations(operations, this.#view, revision)
    if (plan.events.length === 0) {
      return { kind: 'answer', result: { succeeded: true, revision: this.#headRevision, previous: plan.previous } }
    }
    this.#headRevision = revision
    let characters = 0
    for (const event of plan.events) {
      this.#overlay.set(event.key, { entry: event.type === 'put' ? event.entry : undefined, revision })
      if (event.type === 'put') characters += event.entry.value.length
    }
    return { kind: 'change', revision, plan, characters }
  }

  /** At the end of the event loop's turn, so that requests that arrived together are committed together. */
  #schedule(): void {
    if (this.#scheduled || this.#inFlight.length > 0) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#queued.length === 0 || this.#inFlight.length > 0) return
    const batch = this.#takeBatch()
    this.#inFlight = batch
    const changes = batch.flatMap(({ outcome }) => (outcome.kind === 'change' ? [outcome] : []))
    if (changes.length === 0) {
      this.#settle(batch, [])
      return
    }
    const events =
      changes.length === 1 && changes[0] !== undefined
        ? changes[0].plan.events
        : changes.flatMap(({ plan }) => plan.events)
    const characters = changes.reduce((sum, change) => sum + change.characters, 0)
    this.#write(rowsOf(events), characters).then(
      () => {
        if (this.#failure === undefined) this.#settle(batch, events)
      },
      (error: unknown) => {
        if (this.#failure === undefined) this.#rollBack(batch, error)
      },
    )
  }

  #takeBatch(): Transaction[] {
    let characters = 0
    let count = 0
    for (const { outcome } of this.#queued) {
      count += 1
      characters += outcome.kind === 'change' ? outcome.characters : 0
      if (characters >= batchCharacters) break
    }
    return this.#queued.splice(0, count)
  }

  #settle(batch: readonly Transaction[], events: readonly StoreEvent[]): void {
    this.#inFlight = []
    const last = events[events.length - 1]
    if (last !== undefined) {
      for (const { key, revision } of events)
        if (this.#overlay.get(key)?.revision === revision) this.#overlay.delete(key)
      this.#onCommitted(events, last.revision)
    }
    for (const { outcome, resolve } of batch) {
      if (outcome.kind === 'answer') resolve(outcome.result)
      else resolve({ succeeded: true, revision: outcome.revision, previous: outcome.plan.previous })
    }
    // Do not wait for the end of the turn: these have been collecting for a whole sync.
    this.#flush()
  }

  /** Nothing of the batch happened. Its changes are refused; what was only answered, or came later, is decided again. */
  #rollBack(batch: readonly Transaction[], error: unknown): void {
    const again = [...batch.filter(({ outcome }) => outcome.kind === 'answer'), ...this.#queued]
    this.#inFlight = []
    this.#queued = []
    this.#overlay.clear()
    this.#headRevision = this.#state.revision
    for (const transaction of again) {
      transaction.outcome = this.#decide(transaction.compare, transaction.operations)
      this.#queued.push(transaction)
    }
    for (const { outcome, reject } of batch) if (outcome.kind === 'change') reject(error)
    this.#flush()
  }
}

function rowsOf(events: readonly StoreEvent[]): Rows {
  const rows: Rows = []
  let revision = 0
  let position = 0
  for (const event of events) {
    position = event.revision === revision ? position + 1 : 0
    revision = event.revision
    const { entry } = event
    if (event.type === 'put') {
      rows.push(firstIdOf(revision) + position, event.key, entry.value, entry.createRevision, entry.version)
    } else {
      rows.push(firstIdOf(revision) + position, event.key, null, entry.createRevision, 0)
    }
  }
  return rows
}
