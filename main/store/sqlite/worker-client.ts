// The main thread's end of the store's worker: starts it, matches answers to questions, and turns failures into store errors.
import { Worker } from 'node:worker_threads'
import { ClosedError, CorruptStoreError, DiskFullError, StoreInUseError } from '../store.ts'
import type { Failure, Rows, WorkerData, WorkerReply, WorkerRequest } from './protocol.ts'

/** In a checkout the source itself; a bundle passes the address of the emitted file instead. */
const sourceUrl = new URL('./worker.ts', import.meta.url)

type WithoutId<T> = T extends { id: number } ? Omit<T, 'id'> : never
export type Question = WithoutId<WorkerRequest>

export interface WorkerClientOptions extends WorkerData {
  workerUrl: URL | undefined
  /** A piece of the current state, while opening. */
  onEntries: (rows: Rows) => void
  onNotice: (message: string, fields: Record<string, unknown>) => void
  /** The worker or its database is gone for good. Called once, after all open questions were rejected. */
  onFailure: (error: ClosedError) => void
}

interface Waiting {
  resolve: (value: unknown) => void
  reject: (error: Error) => void
}

export class WorkerClient {
  readonly #worker: Worker
  readonly #options: WorkerClientOptions
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1
  #ended = false
  #opening: { resolve: (opened: Opened) => void; reject: (error: Error) => void } | undefined

  private constructor(options: WorkerClientOptions) {
    this.#options = options
    const data: WorkerData = { file: options.file, maxSizeMiB: options.maxSizeMiB }
    this.#worker = new Worker(options.workerUrl ?? sourceUrl, {
      workerData: data,
      name: 'store',
      // Rows pass through and are gone: a large nursery would only hold on to memory.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    })
    this.#worker.on('message', (message: WorkerReply) => {
      this.#receive(message)
    })
    this.#worker.on('error', (error: Error) => {
      this.fail(new ClosedError(`the store's worker failed: ${error.message}`, { cause: error }))
    })
    this.#worker.on('exit', () => {
      this.fail(new ClosedError("the store's worker ended"))
    })
  }

  /** Resolves when the database is open and all entries were delivered. Throws CorruptStoreError, StoreInUseError, ClosedError. */
  static open(options: WorkerClientOptions): Promise<{ client: WorkerClient } & Opened> {
    const client = new WorkerClient(options)
    return new Promise((resolve, reject) => {
      client.#opening = {
        resolve: (opened) => {
          resolve({ client, ...opened })
        },
        reject,
      }
    })
  }

  /** Asks and waits. The type of the answer belongs to the question; see protocol.ts. */
  ask<T>(question: Question): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#ended) {
        reject(new ClosedError('the store is closed'))
        return
      }
      const id = this.#nextId
      this.#nextId += 1
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#worker.postMessage({ ...question, id } satisfies WorkerRequest)
    })
  }

  /** Closes the database and ends the thread. */
  async close(): Promise<void> {
    if (this.#ended) return
    const closing = this.ask({ type: 'close' })
    this.#ended = true
    await closing
    await this.#worker.terminate()
  }

  #receive(message: WorkerReply): void {
    switch (message.type) {
      case 'done':
        this.#take(message.id)?.resolve(message.value)
        break
      case 'failed': {
        const error = errorOf(message.failure)
        this.#take(message.id)?.reject(error)
        if (message.failure.kind === 'fatal') this.fail(new ClosedError(message.failure.message, { cause: error }))
        break
      }
      case 'entries':
        this.#options.onEntries(message.rows)
        break
      case 'opened':
        this.#opening?.resolve(message)
        this.#opening = undefined
        break
      case 'open-failed':
        this.#opening?.reject(errorOf(message.failure))
        this.#opening = undefined
        break
      case 'notice':
        this.#options.onNotice(message.message, message.fields)
        break
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    return waiting
  }

  /** Ends the worker: the database or the disk cannot be trusted any more. */
  fail(error: ClosedError): void {
    this.#opening?.reject(error)
    const wasOpen = this.#opening === undefined && !this.#ended
    this.#opening = undefined
    this.#ended = true
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
    if (wasOpen) {
      void this.#worker.terminate()
      this.#options.onFailure(error)
    }
  }
}

export interface Opened {
  revision: number
  compactRevision: number
}

function errorOf({ kind, message }: Failure): Error {
  switch (kind) {
    case 'full':
      return new DiskFullError(`the disk has no room for the write (${message})`)
    case 'corrupt':
      return new CorruptStoreError(message)
    case 'busy':
      return new StoreInUseError(message)
    case 'fatal':
      return new ClosedError(message)
  }
}
