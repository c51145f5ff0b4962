// The store on a real etcd cluster: transactions are decided and made durable there, and everything is read from a copy in memory
// that etcd's own watch keeps current. Several control planes may share one etcd. A write is answered when the copy has it, so that
// whoever wrote reads it back; what others wrote arrives a little later, and a compare that lost to it says what is there now.
import type { Logger } from '../../../common/machinery/logger.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import { CurrentState } from '../core/current-state.ts'
import { defaultWindow, type WindowLimits } from '../core/event-window.ts'
import { StoreBase } from '../core/store-base.ts'
import { requireDistinctKeys } from '../core/transaction.ts'
import { ClosedError } from '../store.ts'
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
import { EtcdClient } from './etcd-client.ts'
import type { TlsFiles } from './grpc.ts'
import type { WatchEvent } from './messages.ts'

export interface EtcdStoreOptions {
  /** URLs, tried in order: "http://127.0.0.1:2379". */
  servers: readonly string[]
  /** Put before every key; default none. */
  prefix?: string
  /** PEM texts, for https servers. */
  tls?: TlsFiles
  logger?: Logger
  /** Recent events kept in memory. A watch from before them is refused: its client lists again, as after a restart. */
  window?: WindowLimits
  /** The copy cannot be kept current any more: the process should end and start again. */
  onFailure?: (error: Error) => void
}

const reconnectMs = 500

/** Throws ClosedError when no server can be reached. */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<Store> {
  const client = new EtcdClient({ servers: options.servers, prefix: options.prefix ?? '', tls: options.tls ?? {} })
  try {
    const loaded: StoreEntry[] = []
    let revision = 0
    for await (const page of client.entries('')) {
      loaded.push(...page.entries)
      revision = page.revision
    }
    const state = new CurrentState(revision)
    for (const entry of loaded) state.load(entry)
    return new EtcdStore(client, state, options)
  } catch (error) {
    client.close()
    throw error
  }
}

interface Waiter {
  revision: number
  resolve: () => void
  reject: (error: Error) => void
}

class EtcdStore extends StoreBase {
  readonly #client: EtcdClient
  readonly #logger: Logger
  readonly #onFailure: ((error: Error) => void) | undefined
  readonly #stop = new AbortController()
  readonly #pending = new Set<Promise<unknown>>()
  /** By key, the newest transaction on its way: etcd may take up in any order what is sent at once. */
  readonly #newest = new Map<string, Promise<unknown>>()
  /** In order of revision, nearly: writes that wait until the copy has them. */
  #waiters: Waiter[] = []

  constructor(client: EtcdClient, state: CurrentState, options: EtcdStoreOptions) {
    super({ state, limits: options.window ?? defaultWindow })
    this.#client = client
    this.#logger = options.logger ?? silentLogger
    this.#onFailure = options.onFailure
    void this.#follow()
  }

  protected override async readPast(options: RangeOptions, atRevision: number): Promise<RangeResult> {
    const all: StoreEntry[] = []
    for await (const page of this.#client.entries(options.prefix, atRevision)) all.push(...page.entries)
    // etcd orders by UTF-8 bytes, the store by UTF-16 units; they differ only beyond the BMP.
    const { startAfter, limit = Number.POSITIVE_INFINITY } = options
    const after = all
      .filter(({ key }) => startAfter === undefined || key > startAfter)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
    return { entries: after.slice(0, limit), revision: atRevision, remaining: Math.max(0, after.length - limit) }
  }

  async txn(compare: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult> {
    this.requireOpen()
    requireDistinctKeys(operations)
    const keys = new Set([...compare.map(({ key }) => key), ...operations.map(keyOf)])
    const earlier = [...keys].flatMap((key) => this.#newest.get(key) ?? [])
    const work =
      earlier.length === 0
        ? this.#txn(compare, operations)
        : Promise.allSettled(earlier).then(() => this.#txn(compare, operations))
    this.#pending.add(work)
    for (const key of keys) this.#newest.set(key, work)
    try {
      return await work
    } finally {
      this.#pending.delete(work)
      for (const key of keys) if (this.#newest.get(key) === work) this.#newest.delete(key)
    }
  }

  async snapshot(file: string): Promise<{ revision: number }> {
    this.requireOpen()
    const { revision } = this
    await this.#client.snapshot(file)
    return { revision }
  }

  protected async forget(revision: number): Promise<void> {
    this.window.dropBefore(revision)
    await this.#client.compact(revision)
  }

  /** Answers what was submitted, then leaves etcd. */
  protected async finish(): Promise<void> {
    await Promise.allSettled(this.#pending)
    this.#stop.abort()
    this.closeWatches()
    this.#client.close()
  }

  async #txn(compare: readonly Compare[], operations: readonly Operation[]): Promise<TxnResult> {
    const { succeeded, revision, entries } = await this.#client.txn(compare, operations)
    if (!succeeded) return { succeeded, current: entries }
    const changes = operations.some((operation, index) => 'put' in operation || entries[index] !== undefined)
    if (changes) await this.#reached(revision)
    return { succeeded, revision, previous: entries }
  }

  /** Resolves when the copy holds everything up to a revision. */
  #reached(revision: number): Promise<void> {
    if (this.revision >= revision) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiters.push({ revision, resolve, reject })
    })
  }

  /** Keeps the copy current; a lost connection is taken up again where it broke. */
  async #follow(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        for await (const { events, canceled, compactRevision, cancelReason } of this.#client.watch(
          this.revision + 1,
          signal,
        )) {
          if (compactRevision > 0) {
            this.#fail(new ClosedError('etcd has compacted what this control plane had not seen yet'))
            return
          }
          if (canceled) throw new Error(cancelReason)
          this.#apply(events)
        }
      } catch (error) {
        if (signal.aborted) return
        this.#logger.warn('watch of etcd interrupted', {
          error: error instanceof Error ? error.message : String(error),
        })
      }
      await new Promise((resolve) => setTimeout(resolve, reconnectMs).unref())
    }
  }

  /** Whole revisions, in order. */
  #apply(changes: readonly WatchEvent[]): void {
    for (let at = 0; at < changes.length;) {
      const revision = changes[at]?.entry.modRevision ?? 0
      let end = at
      while (changes[end]?.entry.modRevision === revision) end += 1
      const events = changes.slice(at, end).flatMap((change) => this.#eventOf(change))
      at = end
      this.publish(events, revision)
    }
    const [ready, waiting] = [[], []] as [Waiter[], Waiter[]]
    for (const waiter of this.#waiters) (waiter.revision <= this.revision ? ready : waiting).push(waiter)
    this.#waiters = waiting
    for (const { resolve } of ready) resolve()
  }

  #eventOf({ deleted, entry }: WatchEvent): StoreEvent[] {
    const previous = this.state.get(entry.key)
    const { key, modRevision: revision } = entry
    if (!deleted) return [{ type: 'put', key, entry, previous, revision }]
    return previous === undefined ? [] : [{ type: 'delete', key, entry: previous, previous, revision }]
  }

  #fail(error: ClosedError): void {
    this.#logger.error('store failed', { error: error.message })
    for (const { reject } of this.#waiters) reject(error)
    this.#waiters = []
    this.abandon(error)
    this.#client.close()
    this.#onFailure?.(error)
  }
}

const keyOf = (operation: Operation): string => ('put' in operation ? operation.put : operation.delete)
