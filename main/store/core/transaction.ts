// What a transaction does, decided purely: compares against a view of the state, operations turned into events.
import type { Compare, Operation, StoreEntry, StoreEvent } from '../store.ts'

/** One revision may hold this many operations; the sqlite log's row ids leave room for exactly so many. */
export const maxOperations = 4096

export type View = (key: string) => StoreEntry | undefined

export const compareHolds = (compare: readonly Compare[], view: View): boolean =>
  compare.every(({ key, modRevision }) => (view(key)?.modRevision ?? 0) === modRevision)

export interface PlannedChange {
  events: readonly StoreEvent[]
  previous: readonly (StoreEntry | undefined)[]
}

/** A transaction changes a key once at most, as etcd has it. Throws RangeError. */
export function requireDistinctKeys(operations: readonly Operation[]): void {
  if (operations.length < 2) return
  const keys = new Set(operations.map((operation) => ('put' in operation ? operation.put : operation.delete)))
  if (keys.size < operations.length) throw new RangeError('a transaction may change a key only once')
}

/** Events of all operations at `revision`. Deleting a key that does not exist makes no event. Throws RangeError. */
export function planOperations(operations: readonly Operation[], view: View, revision: number): PlannedChange {
  if (operations.length > maxOperations) {
    throw new RangeError(`a transaction may hold ${String(maxOperations)} operations, not ${String(operations.length)}`)
  }
  requireDistinctKeys(operations)
  const events: StoreEvent[] = []
  const previous: (StoreEntry | undefined)[] = []
  for (const operation of operations) {
    const key = 'put' in operation ? operation.put : operation.delete
    const old = view(key)
    previous.push(old)
    if ('put' in operation) {
      const entry: StoreEntry = {
        key,
        value: operation.value,
        createRevision: old?.createRevision ?? revision,
        modRevision: revision,
        version: (old?.version ?? 0) + 1,
      }
      events.push({ type: 'put', key, entry, previous: old, revision })
    } else if (old !== undefined) {
      events.push({ type: 'delete', key, entry: old, previous: old, revision })
    }
  }
  return { events, previous }
}
