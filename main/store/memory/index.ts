// The whole store in memory: for tests and for control planes that need not survive. Every event is kept until compaction.
// Commits are synchronous, so a transaction is visible as soon as `txn` has been called.
import { writeFile } from 'node:fs/promises'
import { CurrentState } from '../core/current-state.ts'
import { StoreBase } from '../core/store-base.ts'
import { compareHolds, planOperations } from '../core/transaction.ts'
import type { Compare, Operation, Store, StoreEntry, TxnResult } from '../store.ts'

export function createMemoryStore(): Store {
  return new MemoryStore({ state: new CurrentState(1) })
}

class MemoryStore extends StoreBase {
  txn(compare: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult> {
    return attempt((): TxnResult => {
      this.requireOpen()
      const view = (key: string): StoreEntry | undefined => this.state.get(key)
      if (!compareHolds(compare, view)) return { succeeded: false, current: compare.map(({ key }) => view(key)) }
      const revision = this.revision + 1
      const { events, previous } = planOperations(operations, view, revision)
      if (events.length === 0) return { succeeded: true, revision: this.revision, previous }
      this.publish(events, revision)
      return { succeeded: true, revision, previous }
    })
  }

  /** Current entries and the events since compaction, as JSON. */
  async snapshot(file: string): Promise<{ revision: number }> {
    this.requireOpen()
    const { revision, compactRevision } = this
    const { entries } = this.state.range({ prefix: '' })
    const events = this.window.since(compactRevision)
    await writeFile(file, JSON.stringify({ revision, compactRevision, entries, events }))
    return { revision }
  }

  protected forget(revision: number): Promise<void> {
    this.window.dropBefore(revision)
    return Promise.resolve()
  }

  protected finish(): Promise<void> {
    this.closeWatches()
    return Promise.resolve()
  }
}

/** Runs at once, but reports by promise. */
function attempt<T>(action: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(action())
  })
}
