// Informers: a local, always current copy of a collection, kept by list + watch (relist on 410, back-off on connection loss).
// Contract only here until implemented below by createInformer.
import type { KubeObject } from '../machinery/meta.ts'

export interface Informer<T extends KubeObject> {
  /** Resolves after the first complete list; rejects when the informer is stopped before. */
  readonly synced: Promise<void>
  hasSynced(): boolean
  /** Objects are shared and must not be mutated (frozen in tests). Keys: "namespace/name" or "name". */
  get(key: string): T | undefined
  list(): readonly T[]
  /** Objects whose `index` function returned `value`. */
  byIndex(index: string, value: string): readonly T[]
  /** Returns a function that unsubscribes. A new subscriber gets onAdd for all present objects. */
  subscribe(handlers: InformerHandlers<T>): () => void
  /** Last connection problem while not connected (for screens and health); undefined when healthy. */
  readonly problem: Error | undefined
  start(): void
  stop(): void
}

export interface InformerHandlers<T extends KubeObject> {
  onAdd?(object: T): void
  onUpdate?(object: T, old: T): void
  onDelete?(last: T): void
}
