// The runtime every controller runs on: it owns queue, workers, back-off, counters and shutdown; a controller gives keys and a
// level-triggered reconcile. Reconcile throws to be tried again with back-off, returns requeueAfter(ms) to be called again later,
// and throws TerminalError for what trying again cannot mend.
import type { Clock } from '../machinery/clock.ts'
import type { Logger } from '../machinery/logger.ts'
import type { KubeObject } from '../machinery/meta.ts'
import { objectKey } from '../machinery/meta.ts'
import { isReason } from '../machinery/status.ts'
import type { Informer } from './informer.ts'
import { WorkQueue } from './work-queue.ts'

export type ReconcileResult = { requeueAfterMs: number } | void

export const requeueAfter = (ms: number): { requeueAfterMs: number } => ({ requeueAfterMs: ms })

/** Trying again will not help until the object changes: logged and counted, not retried. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError'
}
export const terminal = (message: string, cause?: unknown): TerminalError =>
  new TerminalError(message, cause === undefined ? undefined : { cause })

export interface ControllerCounters {
  reconciles: number
  errors: number
  conflicts: number
  terminalErrors: number
  requeues: number
  /** Sum over all reconciles. */
  busyMs: number
}

export interface Controller {
  readonly name: string
  readonly counters: Readonly<ControllerCounters>
  readonly queueLength: number
  readonly queue: Pick<WorkQueue, 'length' | 'counters' | 'working'>
  /** Resolves when the caches are filled and the workers run. Rejects when stopped before. */
  start(): Promise<void>
  /** No new work; running reconciles see their signal aborted and are waited for. */
  stop(): Promise<void>
  /** Nothing is waiting (delayed keys aside) and no worker is busy. */
  readonly idle: boolean
}

/** A place to get keys from. `attach` subscribes and returns how to unsubscribe. */
export interface KeySource {
  readonly synced: Promise<void>
  attach(enqueue: (key: string, afterMs?: number) => void): () => void
}

export interface ControllerOptions {
  name: string
  /** Keys reconciled at the same time. Default 4. */
  workers?: number
  sources: readonly KeySource[]
  reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult>
  /** Called with a TerminalError, for example to record an event. */
  onTerminal?(key: string, error: TerminalError): void
  /** Runs after the caches are filled and before the first reconcile. */
  beforeStart?: (signal: AbortSignal) => Promise<void>
  onStop?(): Promise<void> | void
  logger: Logger
  clock: Clock
  baseDelayMs?: number
  maxDelayMs?: number
}

export type ChangeType = 'add' | 'update' | 'delete'

/** The object's own key for each change; `filter` drops changes that cannot matter. */
export function keysOf<T extends KubeObject>(
  informer: Informer<T>,
  filter?: (object: T, old: T | undefined) => boolean,
): KeySource {
  return mapChanges(informer, (object, old) => (filter === undefined || filter(object, old) ? [objectKey(object)] : []))
}

/** Maps every change to the keys it concerns. */
export function mapChanges<T extends KubeObject>(
  informer: Informer<T>,
  map: (object: T, old: T | undefined, change: ChangeType) => Iterable<string>,
): KeySource {
  return {
    synced: informer.synced,
    attach(enqueue) {
      const all = (object: T, old: T | undefined, change: ChangeType): void => {
        for (const key of map(object, old, change)) enqueue(key)
      }
      return informer.subscribe({
        onAdd: (object) => {
          all(object, undefined, 'add')
        },
        onUpdate: (object, old) => {
          all(object, old, 'update')
        },
        onDelete: (object) => {
          all(object, undefined, 'delete')
        },
      })
    },
  }
}

/** A cache that must be filled before the controller starts, without its changes being work. */
export function needs(informer: Informer<KubeObject> | { readonly synced: Promise<void> }): KeySource {
  return { synced: informer.synced, attach: () => () => undefined }
}

export function createController(options: ControllerOptions): Controller {
  return new QueueController(options)
}

class QueueController implements Controller {
  readonly name: string
  readonly counters: ControllerCounters = {
    reconciles: 0,
    errors: 0,
    conflicts: 0,
    terminalErrors: 0,
    requeues: 0,
    busyMs: 0,
  }
  readonly #options: ControllerOptions
  readonly queue: WorkQueue
  readonly #logger: Logger
  readonly #abort = new AbortController()
  #detach: (() => void)[] = []
  #workers: Promise<void>[] = []

  constructor(options: ControllerOptions) {
    this.name = options.name
    this.#options = options
    this.queue = new WorkQueue(options)
    this.#logger = options.logger.child({ controller: options.name })
  }

  get queueLength(): number {
    return this.queue.length
  }

  get idle(): boolean {
    return this.queue.length === 0 && this.queue.processing === 0
  }

  async start(): Promise<void> {
    const { sources, workers = 4, beforeStart } = this.#options
    const { signal } = this.#abort
    signal.throwIfAborted()
    this.#detach = sources.map((source) =>
      source.attach((key, afterMs) => {
        if (afterMs === undefined) this.queue.add(key)
        else this.queue.addAfter(key, afterMs)
      }),
    )
    await Promise.all(sources.map((source) => source.synced))
    signal.throwIfAborted()
    await beforeStart?.(signal)
    signal.throwIfAborted()
    this.#workers = Array.from({ length: workers }, () => this.#work())
  }

  async stop(): Promise<void> {
    if (!this.#abort.signal.aborted) {
      for (const detach of this.#detach) detach()
      this.#abort.abort(new Error(`controller ${this.name} is stopping`))
      this.queue.stop()
    }
    await Promise.all(this.#workers)
    await this.#options.onStop?.()
  }

  async #work(): Promise<void> {
    for (;;) {
      const key = await this.queue.take()
      if (key === undefined) return
      try {
        await this.#reconcile(key)
      } finally {
        this.queue.done(key)
      }
    }
  }

  async #reconcile(key: string): Promise<void> {
    const { clock, reconcile } = this.#options
    const { signal } = this.#abort
    const startedAt = clock.now()
    this.counters.reconciles++
    try {
      const result = await reconcile(key, signal)
      this.queue.forget(key)
      if (result !== undefined) {
        this.counters.requeues++
        this.queue.addAfter(key, Math.max(1, result.requeueAfterMs))
      }
    } catch (error) {
      if (!signal.aborted) this.#onFailure(key, error)
    } finally {
      this.counters.busyMs += clock.now() - startedAt
    }
  }

  #onFailure(key: string, error: unknown): void {
    if (error instanceof TerminalError) {
      this.counters.terminalErrors++
      this.queue.forget(key)
      this.#logger.warn('gave up until the object changes', { key, message: error.message, error })
      this.#options.onTerminal?.(key, error)
      return
    }
    const waitMs = this.queue.addRateLimited(key)
    const failures = this.queue.failures(key)
    if (isReason(error, 'Conflict')) {
      this.counters.conflicts++
      this.#logger.debug('the cache was behind, trying again', { key, message: error.message })
      return
    }
    this.counters.errors++
    const message = error instanceof Error ? error.message : String(error)
    // The first failures of a key are usually races that heal themselves.
    if (failures < 4) this.#logger.debug('reconcile failed, trying again', { key, failures, waitMs, message })
    else this.#logger.warn('reconcile keeps failing, trying again', { key, failures, waitMs, message, error })
  }
}
