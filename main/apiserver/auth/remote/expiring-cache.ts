// Answers of others, remembered for a while.
export class ExpiringCache<T> {
  readonly #now: () => number
  readonly #capacity: number
  readonly #entries = new Map<string, { readonly value: T; readonly until: number }>()

  /** `now`: milliseconds. */
  constructor(now: () => number, capacity = 8192) {
    this.#now = now
    this.#capacity = capacity
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.until > this.#now()) return entry.value
    this.#entries.delete(key)
    return undefined
  }

  set(key: string, value: T, ttlMs: number): void {
    if (ttlMs <= 0) return
    this.#entries.delete(key)
    const oldest = this.#entries.keys().next()
    if (this.#entries.size >= this.#capacity && oldest.done !== true) this.#entries.delete(oldest.value)
    this.#entries.set(key, { value, until: this.#now() + ttlMs })
  }
}
