// etcd's calls in the store's terms: entries, transactions, watches, with etcd's errors translated.
import { open, rename, rm } from 'node:fs/promises'
import { ClosedError, CompactedError, FutureRevisionError } from '../store.ts'
import type { Compare, Operation, StoreEntry } from '../store.ts'
import { GrpcClient, grpcCode, GrpcError, type TlsFiles } from './grpc.ts'
import { EtcdKeys } from './keys.ts'
import type { KeyValue, RangeResponse, TxnResponse, WatchResponse } from './messages.ts'
import {
  decodeRange,
  decodeSnapshot,
  decodeTxn,
  decodeWatch,
  encodeCompaction,
  encodeRange,
  encodeTxn,
  encodeWatch,
} from './messages.ts'

/** Keys read at once: well below etcd's own limits for one answer. */
const pageSize = 1000
const snapshotTimeoutMs = 10 * 60_000

export class EtcdClient {
  readonly #grpc: GrpcClient
  readonly #keys: EtcdKeys

  constructor(options: { servers: readonly string[]; prefix: string; tls: TlsFiles }) {
    this.#grpc = new GrpcClient(options.servers, options.tls)
    this.#keys = new EtcdKeys(options.prefix)
  }

  /** All entries that start with `prefix`, page by page, at one revision; `revision` 0 is the newest. */
  async *entries(prefix: string, revision = 0): AsyncGenerator<{ entries: StoreEntry[]; revision: number }> {
    let after: string | undefined
    let at = revision
    for (;;) {
      const page = await this.range({ prefix, startAfter: after, limit: pageSize, revision: at })
      if (at === 0) at = page.revision
      const entries = page.entries.map((entry) => this.#entryOf(entry))
      yield { entries, revision: at }
      after = entries.at(-1)?.key
      if (after === undefined || page.count <= entries.length) return
    }
  }

  async range(options: {
    prefix: string
    startAfter?: string | undefined
    limit: number
    revision: number
  }): Promise<RangeResponse> {
    const { prefix, startAfter, limit, revision } = options
    const request = encodeRange({ ...this.#keys.range(prefix, startAfter), limit, revision })
    return decodeRange(await this.#call('KV/Range', request, revision))
  }

  async txn(
    compare: readonly Compare[],
    operations: readonly Operation[],
  ): Promise<Pick<TxnResponse, 'revision' | 'succeeded'> & { entries: (StoreEntry | undefined)[] }> {
    const request = encodeTxn({
      compare: compare.map(({ key, modRevision }) => ({ key: this.#keys.of(key), modRevision })),
      success: operations.map((operation) =>
        'put' in operation
          ? { put: this.#keys.of(operation.put), value: Buffer.from(operation.value) }
          : { delete: this.#keys.of(operation.delete) },
      ),
      failure: compare.map(({ key }) => this.#keys.of(key)),
    })
    const response = decodeTxn(await this.#call('KV/Txn', request))
    return { ...response, entries: response.entries.map((entry) => entry && this.#entryOf(entry)) }
  }

  /** Events from a revision on until `signal` aborts or the connection breaks; one answer holds whole revisions. */
  async *watch(fromRevision: number, signal: AbortSignal): AsyncGenerator<WatchResponse> {
    const request = encodeWatch({ ...this.#keys.range(''), fromRevision })
    const messages = this.#grpc.stream('/etcdserverpb.Watch/Watch', request, { signal, keepOpen: true })
    for await (const message of messages) {
      const response = decodeWatch(message)
      for (const { entry } of response.events) entry.key = this.#keys.from(entry.key)
      yield response
    }
  }

  async compact(revision: number): Promise<void> {
    try {
      await this.#call('KV/Compact', encodeCompaction(revision), revision)
    } catch (error) {
      // Somebody else with the same etcd was faster.
      if (!(error instanceof CompactedError)) throw error
    }
  }

  /** etcd's own snapshot, of everything it holds; appears under its name only when whole. */
  async snapshot(file: string): Promise<void> {
    const partial = `${file}.partial`
    const output = await open(partial, 'w')
    try {
      const signal = AbortSignal.timeout(snapshotTimeoutMs)
      const pieces = this.#grpc.stream('/etcdserverpb.Maintenance/Snapshot', Buffer.alloc(0), { signal })
      for await (const piece of pieces) await output.write(decodeSnapshot(piece))
      await output.sync()
      await output.close()
      await rename(partial, file)
    } finally {
      await output.close()
      await rm(partial, { force: true })
    }
  }

  close(): void {
    this.#grpc.close()
  }

  async #call(method: string, request: Buffer, revision = 0): Promise<Buffer> {
    try {
      return await this.#grpc.call(`/etcdserverpb.${method}`, request)
    } catch (error) {
      throw translated(error, revision)
    }
  }

  #entryOf({ key, value, createRevision, modRevision, version }: KeyValue): StoreEntry {
    return { key: this.#keys.from(key), value, createRevision, modRevision, version }
  }
}

function translated(error: unknown, revision: number): unknown {
  if (!(error instanceof GrpcError)) return error
  if (error.code === grpcCode.outOfRange && error.message.includes('compacted'))
    return new CompactedError(revision, revision + 1)
  if (error.code === grpcCode.outOfRange && error.message.includes('future'))
    return new FutureRevisionError(revision, revision - 1)
  if (error.code === grpcCode.unavailable)
    return new ClosedError(`etcd cannot be reached: ${error.message}`, { cause: error })
  return error
}
