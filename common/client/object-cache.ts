// The indexed map behind an informer: objects by key, and keys by index value. Synchronous, no events.
import type { KubeObject } from '../machinery/meta.ts'
import { objectKey } from '../machinery/meta.ts'

/** Values under which an object is found; none means it is not in the index. */
export type IndexFunction<T> = (object: T) => Iterable<string>
export type Indexes<T> = Readonly<Record<string, IndexFunction<T>>>

const nothing: readonly never[] = Object.freeze([])

export class ObjectCache<T extends KubeObject> {
  readonly #objects = new Map<string, T>()
  readonly #indexes = new Map<string, { of: IndexFunction<T>; values: Map<string, Map<string, T>> }>()
  #list: readonly T[] | undefined

  constructor(indexes: Indexes<T> = {}) {
    this.addIndexes(indexes)
  }

  /** An index of the same name is kept as it is: its function is taken to be the same. */
  addIndexes(indexes: Indexes<T>): void {
    for (const [name, of] of Object.entries(indexes)) {
      if (this.#indexes.has(name)) continue
      const index = { of, values: new Map<string, Map<string, T>>() }
      this.#indexes.set(name, index)
      for (const [key, object] of this.#objects)
        for (const value of of(object)) insert(index.values, value, key, object)
    }
  }

  get size(): number {
    return this.#objects.size
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys()
  }

  list(): readonly T[] {
    this.#list ??= [...this.#objects.values()]
    return this.#list
  }

  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indexes.get(name)
    if (index === undefined) throw new TypeError(`the informer has no index "${name}"`)
    const found = index.values.get(value)
    return found === undefined ? nothing : [...found.values()]
  }

  /** Returns what was there before. */
  put(object: T): T | undefined {
    const key = objectKey(object)
    const old = this.#objects.get(key)
    if (old !== undefined) this.#unindex(key, old)
    this.#objects.set(key, object)
    this.#list = undefined
    for (const index of this.#indexes.values())
      for (const value of index.of(object)) insert(index.values, value, key, object)
    return old
  }

  delete(key: string): T | undefined {
    const old = this.#objects.get(key)
    if (old === undefined) return undefined
    this.#unindex(key, old)
    this.#objects.delete(key)
    this.#list = undefined
    return old
  }

  #unindex(key: string, old: T): void {
    for (const index of this.#indexes.values()) {
      for (const value of index.of(old)) {
        const found = index.values.get(value)
        if (found?.delete(key) === true && found.size === 0) index.values.delete(value)
      }
    }
  }
}

function insert<T>(values: Map<string, Map<string, T>>, value: string, key: string, object: T): void {
  const found = values.get(value)
  if (found === undefined) values.set(value, new Map([[key, object]]))
  else found.set(key, object)
}
