// The durable store: a log of recent commits, SQLite behind it in a worker thread, current state in memory on this one. Reads are
// synchronous and see only what is synced to disk; history beyond a recent window is read back from the database.
import type { Logger } from '../../../common/machinery/logger.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import { CurrentState } from '../core/current-state.ts'
import { defaultWindow, type WindowLimits } from '../core/event-window.ts'
import { StoreBase, storeClosed } from '../core/store-base.ts'
import type {
  Compare,
  Operation,
  RangeOptions,
  RangeResult,
  Store,
  StoreEntry,
  StoreEvent,
  TxnResult,
} from '../store.ts'
import { CommitQueue } from './commit-queue.ts'
import { DurableWriter } from './durable-writer.ts'
import type { EventsReply, RangeAtReply, Rows } from './protocol.ts'
import { revisionOfId, rowWidth } from './protocol.ts'
import type { Question } from './worker-client.ts'
import { WorkerClient } from './worker-client.ts'

export interface SqliteStoreOptions {
  /** The database file; created when missing. While it is open, SQLite keeps FILE-wal beside it, and we FILE-commits. */
  file: string
  logger?: Logger
  /** Where the worker's code is, when it is not beside this file as source (a bundle). */
  workerUrl?: URL
  /** Writes fail with DiskFullError beyond this size. */
  maxSizeMiB?: number
  /** Recent events kept in memory for watches and consistent paging; older ones come from the database. */
  window?: WindowLimits
  /** Writes go through a commit log from the first on; otherwise a session that writes little has none. */
  commitLogAtOnce?: boolean
  /** The database cannot be used any more (input/output error, worker gone): the process should end and start again. */
  onFailure?: (error: Error) => void
}

/** Throws CorruptStoreError, StoreInUseError, or ClosedError when the file cannot be opened at all. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const logger = options.logger ?? silentLogger
  const loaded: StoreEntry[] = []
  /** Filled in below; a failure may come in any later turn. */
  const opened: { store?: SqliteStore } = {}
  const { client, revision, compactRevision } = await WorkerClient.open({
    file: options.file,
    maxSizeMiB: options.maxSizeMiB,
    workerUrl: options.workerUrl,
    onEntries: (rows) => {
      for (const entry of entriesOf(rows)) if (entry !== undefined) loaded.push(entry)
    },
    onNotice: (message, fields) => {
      logger.warn(message, fields)
    },
    onFailure: (error) => {
      logger.error('store failed', { error: error.message })
      opened.store?.fail(error)
      options.onFailure?.(error)
    },
  })
  const state = new CurrentState(revision)
  for (const entry of loaded) state.load(entry)
  const writer = new DurableWriter({
    client,
    file: options.file,
    warn: (message, fields) => {
      logger.warn(message, fields)
    },
  })
  if (options.commitLogAtOnce === true) await writer.useLog()
  opened.store = new SqliteStore({ client, writer, state, compactRevision, window: options.window ?? defaultWindow })
  return opened.store
}

class SqliteStore extends StoreBase {
  readonly #client: WorkerClient
  readonly #writer: DurableWriter
  readonly #queue: CommitQueue

  constructor(options: {
    client: WorkerClient
    writer: DurableWriter
    state: CurrentState
    compactRevision: number
    window: WindowLimits
  }) {
    const { client, writer, state, compactRevision } = options
    super({
      state,
      limits: options.window,
      compactRevision,
      readHistory: async (prefix, fromRevision) => {
        const reply = await this.#ask<EventsReply>({ type: 'events', prefix, fromRevision })
        // The database may already hold a batch that is not visible yet: the window covers those.
        const through = Math.min(reply.through, this.window.firstRevision - 1)
        return { events: eventsOf(reply).filter((event) => event.revision <= through), through }
      },
    })
    this.#client = client
    this.#writer = writer
    this.#queue = new CommitQueue({
      state,
      write: (rows, characters) => writer.write(rows, characters),
      onCommitted: (events, revision) => {
        this.publish(events, revision)
      },
    })
  }

  protected override async readPast(options: RangeOptions, atRevision: number): Promise<RangeResult> {
    const { rows, remaining } = await this.#ask<RangeAtReply>({ type: 'rangeAt', ...options, atRevision })
    return { entries: entriesOf(rows).filter((entry) => entry !== undefined), revision: atRevision, remaining }
  }

  txn(compare: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult> {
    return this.isOpen ? this.#queue.submit(compare, operations) : Promise.reject(storeClosed())
  }

  async snapshot(file: string): Promise<{ revision: number }> {
    this.requireOpen()
    return this.#ask<{ revision: number }>({ type: 'snapshot', file })
  }

  protected async forget(revision: number): Promise<void> {
    // The window keeps its events until they age out.
    await this.#ask({ type: 'compact', revision })
  }

  fail(error: Error): void {
    this.#queue.fail(error)
    this.abandon(storeClosed())
  }

  /** Makes durable what was submitted, then closes the database. */
  protected async finish(): Promise<void> {
    await this.#queue.drained()
    this.#queue.fail(storeClosed())
    this.closeWatches()
    await this.#writer.close(() => this.#client.close())
  }

  /** Of a database that has everything committed so far. */
  async #ask<T>(question: Question): Promise<T> {
    await this.#writer.absorbed()
    return this.#client.ask<T>(question)
  }
}

/** Entries of rows, undefined for rows that are deletions. */
function entriesOf(rows: Rows): (StoreEntry | undefined)[] {
  const entries: (StoreEntry | undefined)[] = []
  for (let at = 0; at < rows.length; at += rowWidth) {
    const [id, key, value, createRevision, version] = rows.slice(at, at + rowWidth) as [
      number,
      string,
      string | null,
      number,
      number,
    ]
    entries.push(value === null ? undefined : { key, value, createRevision, modRevision: revisionOfId(id), version })
  }
  return entries
}

function eventsOf(reply: EventsReply): StoreEvent[] {
  const previous = entriesOf(reply.previous)
  return entriesOf(reply.rows).flatMap((entry, index): StoreEvent[] => {
    const old = previous[index]
    const key = reply.rows[index * rowWidth + 1] as string
    const revision = revisionOfId(reply.rows[index * rowWidth] as number)
    if (entry !== undefined) return [{ type: 'put', key, entry, previous: old, revision }]
    return old === undefined ? [] : [{ type: 'delete', key, entry: old, previous: old, revision }]
  })
}
