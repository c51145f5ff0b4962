// List + watch with memory: relists on 410 and on gaps, backs off while the API cannot be reached, and never lets a failing
// subscriber disturb the others. What it shows is always a state the server had, only possibly an older one.
import type { Clock } from '../machinery/clock.ts'
import type { Logger } from '../machinery/logger.ts'
import type { KubeObject, WatchEvent } from '../machinery/meta.ts'
import { objectKey } from '../machinery/meta.ts'
import { StatusError } from '../machinery/status.ts'
import { Backoff } from './backoff.ts'
import type { KubeClient, ResourceRef } from './client.ts'
import type { Informer, InformerHandlers } from './informer.ts'
import type { Indexes } from './object-cache.ts'
import { ObjectCache } from './object-cache.ts'
import { delay } from './delay.ts'

export interface InformerOptions<T extends KubeObject> {
  client: KubeClient
  resource: ResourceRef<T>
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  indexes?: Indexes<T>
  logger: Logger
  clock: Clock
  random?: () => number
}

export interface IndexedInformer<T extends KubeObject> extends Informer<T> {
  /** Adds indexes to a live informer; one of the same name is kept. */
  addIndexes(indexes: Indexes<T>): void
  /** The newest resource version that the cache is known to contain; undefined before the first list. */
  readonly resourceVersion: string | undefined
}

/** A server that closes a healthy watch is asked again at once, but not more often than this. */
const minWatchMs = 1_000
/** Watches are renewed after 5-10 minutes so that a half-dead connection is noticed and load spreads. */
const watchSeconds = 300

export function createInformer<T extends KubeObject>(options: InformerOptions<T>): IndexedInformer<T> {
  return new ListWatchInformer(options)
}

class ListWatchInformer<T extends KubeObject> implements IndexedInformer<T> {
  readonly synced: Promise<void>
  readonly #options: InformerOptions<T>
  readonly #cache: ObjectCache<T>
  readonly #subscribers = new Set<InformerHandlers<T>>()
  readonly #abort = new AbortController()
  readonly #backoff: Backoff
  readonly #logger: Logger
  #markSynced: () => void = () => undefined
  #markFailed: (error: Error) => void = () => undefined
  #hasSynced = false
  #started = false
  #problem: Error | undefined
  /** Where the next watch starts; undefined: list first. */
  #resourceVersion: string | undefined
  #lastResourceVersion: string | undefined

  constructor(options: InformerOptions<T>) {
    this.#options = options
    this.#cache = new ObjectCache(options.indexes)
    this.#logger = options.logger.child({ resource: options.resource.plural })
    this.#backoff = new Backoff({
      baseMs: 200,
      maxMs: 30_000,
      ...(options.random === undefined ? {} : { random: options.random }),
    })
    this.synced = new Promise((resolve, reject) => {
      this.#markSynced = resolve
      this.#markFailed = reject
    })
    // An informer nobody awaits may be stopped early without an unhandled rejection.
    this.synced.catch(() => undefined)
  }

  get problem(): Error | undefined {
    return this.#problem
  }

  get resourceVersion(): string | undefined {
    return this.#resourceVersion ?? this.#lastResourceVersion
  }

  hasSynced(): boolean {
    return this.#hasSynced
  }

  get(key: string): T | undefined {
    return this.#cache.get(key)
  }

  list(): readonly T[] {
    return this.#cache.list()
  }

  byIndex(index: string, value: string): readonly T[] {
    return this.#cache.byIndex(index, value)
  }

  addIndexes(indexes: Indexes<T>): void {
    this.#cache.addIndexes(indexes)
  }

  subscribe(handlers: InformerHandlers<T>): () => void {
    // A wrapper keeps two subscriptions of the same handlers apart.
    const subscriber = { ...handlers }
    this.#subscribers.add(subscriber)
    for (const object of this.#cache.list()) this.#tell(subscriber, () => handlers.onAdd?.(object))
    return () => {
      this.#subscribers.delete(subscriber)
    }
  }

  start(): void {
    if (this.#started || this.#abort.signal.aborted) return
    this.#started = true
    void this.#run()
  }

  stop(): void {
    if (this.#abort.signal.aborted) return
    this.#abort.abort(new Error(`the informer of ${this.#options.resource.plural} was stopped`))
    this.#subscribers.clear()
    if (!this.#hasSynced)
      this.#markFailed(new Error(`the informer of ${this.#options.resource.plural} was stopped before its first list`))
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort
    const { clock } = this.#options
    while (!signal.aborted) {
      const startedAt = clock.now()
      try {
        if (this.#resourceVersion === undefined) await this.#listAll()
        await this.#watchOnce()
        if (clock.now() - startedAt < minWatchMs) await delay(clock, minWatchMs, signal)
      } catch (error) {
        if (this.#abort.signal.aborted) return
        const waitMs = this.#onFailure(error)
        await delay(clock, waitMs, signal).catch(() => undefined)
      }
    }
  }

  /** Remembers what went wrong; returns how long to wait before trying again. */
  #onFailure(error: unknown): number {
    if (error instanceof StatusError && (error.code === 410 || error.reason === 'Expired')) {
      this.#logger.debug('watch is too old, listing again', { message: error.message })
      this.#listNext()
      // A relist that is needed again and again must not become a busy loop.
      return this.#backoff.failures === 0 ? (this.#backoff.next(), 0) : this.#backoff.next()
    }
    // The server answered, but not with a stream: what is remembered may be of another server (restored store), so list again.
    if (error instanceof StatusError) this.#listNext()
    this.#problem = error instanceof Error ? error : new Error(String(error))
    const waitMs = this.#backoff.next()
    this.#logger.warn('list and watch failed, trying again', {
      message: this.#problem.message,
      waitMs: Math.round(waitMs),
    })
    return waitMs
  }

  #listNext(): void {
    this.#lastResourceVersion = this.#resourceVersion ?? this.#lastResourceVersion
    this.#resourceVersion = undefined
  }

  #healthy(): void {
    this.#problem = undefined
    this.#backoff.reset()
  }

  async #listAll(): Promise<void> {
    const { client, resource, namespace, labelSelector, fieldSelector } = this.#options
    const { signal } = this.#abort
    const list = await client.list(resource, { namespace, labelSelector, fieldSelector, signal })
    signal.throwIfAborted()
    this.#problem = undefined
    const gone = new Set(this.#cache.keys())
    for (const object of list.items) {
      gone.delete(objectKey(object))
      this.#upsert(object)
    }
    for (const key of gone) this.#remove(key)
    this.#resourceVersion = list.metadata.resourceVersion ?? ''
    if (!this.#hasSynced) {
      this.#hasSynced = true
      this.#markSynced()
    }
  }

  async #watchOnce(): Promise<void> {
    const { client, resource, namespace, labelSelector, fieldSelector, random = Math.random } = this.#options
    const events = client.watch(resource, {
      namespace,
      labelSelector,
      fieldSelector,
      resourceVersion: this.#resourceVersion,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.round(watchSeconds * (1 + random())),
      signal: this.#abort.signal,
      onOpen: () => {
        this.#healthy()
      },
    })
    for await (const event of events) {
      if (this.#abort.signal.aborted) return
      this.#apply(event)
      this.#healthy()
    }
  }

  #apply(event: WatchEvent<T>): void {
    this.#resourceVersion = event.object.metadata.resourceVersion ?? this.#resourceVersion
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#upsert(event.object)
        return
      case 'DELETED':
        this.#remove(objectKey(event.object), event.object)
        return
      case 'BOOKMARK':
    }
  }

  #upsert(object: T): void {
    const known = this.#cache.get(objectKey(object))
    if (known !== undefined && known.metadata.uid !== object.metadata.uid) {
      // Deleted and made again while nobody watched: two objects, so two events.
      this.#remove(objectKey(object))
      this.#upsert(object)
      return
    }
    if (known !== undefined && known.metadata.resourceVersion === object.metadata.resourceVersion) return
    this.#cache.put(object)
    for (const subscriber of this.#subscribers) {
      this.#tell(subscriber, () =>
        known === undefined ? subscriber.onAdd?.(object) : subscriber.onUpdate?.(object, known),
      )
    }
  }

  #remove(key: string, last?: T): void {
    const known = this.#cache.delete(key)
    if (known === undefined) return
    for (const subscriber of this.#subscribers) this.#tell(subscriber, () => subscriber.onDelete?.(last ?? known))
  }

  #tell(subscriber: InformerHandlers<T>, call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#logger.error('a subscriber failed', { error, handlers: Object.keys(subscriber) })
    }
  }
}
