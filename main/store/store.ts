// The revisioned key-value store: etcd's model behind one interface. A revision is the only clock.
// Implementations: memory (tests, scale), sqlite (the default), etcd (a cluster of its own); all pass store-contract.ts.
// The store knows keys, bytes and revisions; it knows no kinds.

/** A stored value at the revision that last changed it. Values are immutable; `value` is UTF-8 JSON text as the caller gave it. */
export interface StoreEntry {
  readonly key: string
  readonly value: string
  readonly createRevision: number
  readonly modRevision: number
  /** 1 on creation, +1 with each change; starts again after a delete. */
  readonly version: number
  /** Room for whoever reads the entry to keep what it made of it. Never stored; dropped when the entry is history. */
  view?: object | undefined
}

export interface RangeOptions {
  /** Keys starting with this prefix, in key order. */
  prefix: string
  /** Only keys strictly greater than this one (paging). */
  startAfter?: string
  limit?: number
}

export interface RangeResult {
  entries: readonly StoreEntry[]
  /** The revision the read reflects (the newest committed, or the one asked for). */
  revision: number
  /** Entries beyond `limit` still to come. */
  remaining: number
}

export type Compare =
  /** The key's current modRevision; 0 means "does not exist". */
  { key: string; modRevision: number }

export type Operation = { put: string; value: string } | { delete: string }

export type TxnResult =
  | {
      succeeded: true
      revision: number
      /** Previous entries of deleted or replaced keys, in operation order. */ previous: readonly (
        StoreEntry | undefined
      )[]
    }
  | {
      succeeded: false
      /** Current entries of the compared keys, in compare order. */ current: readonly (StoreEntry | undefined)[]
    }

export interface StoreEvent {
  type: 'put' | 'delete'
  key: string
  /** put: the new entry. delete: the last entry, with `revision` the delete's own. */
  entry: StoreEntry
  previous: StoreEntry | undefined
  revision: number
}

export interface WatchOptions {
  prefix: string
  /** `prefix` is one whole key rather than what keys start with. */
  exact?: boolean
  /**
   * First revision of interest (inclusive), at most the next one. Throws at once: CompactedError when it is compacted away,
   * FutureRevisionError when it is further off (the caller knows another store, or this one before it was emptied).
   */
  fromRevision: number
  /** All events of one or more whole revisions, in order, never split within a revision. Called synchronously after commit. Must not throw. */
  onEvents: (events: readonly StoreEvent[]) => void
  /** The watch ended by itself and will deliver nothing more: what it still had to see was compacted away, or the store failed. */
  onError?: (error: CompactedError | ClosedError) => void
}

export interface Watch {
  /** Everything up to this revision was delivered, whether or not something matched (for bookmarks). */
  readonly progress: number
  close(): void
}

/**
 * Concurrency: every method may be called concurrently. Reads see only durably committed state and are monotonic.
 * `txn` resolves after the commit is durable (fsync for sqlite); a rejected or never-resolved txn may or may not have happened
 * only when the process died. Txns are linearizable: compares are evaluated against all earlier txns, also those not yet durable.
 */
export interface Store {
  /** The newest committed revision (starts at 1 on an empty store). */
  readonly revision: number
  /** Revisions below this one can no longer be read or watched from. */
  readonly compactRevision: number
  /** The newest committed entry; synchronous because every implementation keeps current state in memory or a cache. */
  get(key: string): StoreEntry | undefined
  range(options: RangeOptions): RangeResult
  /** Number of keys under a prefix, without reading them. */
  count(prefix: string): number
  /** Reads one key or a prefix as of an older revision (history). Throws CompactedError / FutureRevisionError. */
  rangeAt(options: RangeOptions & { atRevision: number }): Promise<RangeResult>
  /**
   * All operations happen at one new revision if every compare holds, else nothing happens. A key is changed once at most.
   * Throws DiskFullError, ClosedError.
   */
  txn(compare: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult>
  watch(options: WatchOptions): Watch
  /** Forgets history before `revision` (current state stays). */
  compact(revision: number): Promise<void>
  /** A consistent copy of the whole store (history included) in `file`, while writes go on. */
  snapshot(file: string): Promise<{ revision: number }>
  close(): Promise<void>
}

export class CompactedError extends Error {
  readonly compactRevision: number
  constructor(requested: number, compactRevision: number) {
    super(`revision ${String(requested)} has been compacted (oldest is ${String(compactRevision)})`)
    this.name = 'CompactedError'
    this.compactRevision = compactRevision
  }
}

export class FutureRevisionError extends Error {
  readonly requestedRevision: number
  readonly currentRevision: number
  constructor(requestedRevision: number, currentRevision: number) {
    super(`revision ${String(requestedRevision)} is in the future (newest is ${String(currentRevision)})`)
    this.name = 'FutureRevisionError'
    this.requestedRevision = requestedRevision
    this.currentRevision = currentRevision
  }
}

/** The disk has no room: nothing of the txn happened; the store goes on serving reads and takes writes again when there is room. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError'
}

/** The store was closed or its database cannot be used any more. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError'
}

/** The database file exists but cannot be read as an Orrery store; message says what to do. */
export class CorruptStoreError extends Error {
  override readonly name = 'CorruptStoreError'
}

/** Another process has the database open. */
export class StoreInUseError extends Error {
  override readonly name = 'StoreInUseError'
}
