// The newest committed entries, in key order: what get, range and count answer from, synchronously.
import type { RangeOptions, RangeResult, StoreEntry, StoreEvent } from '../store.ts'
import { prefixEnd, SortedKeys } from './sorted-keys.ts'

export class CurrentState {
  readonly #entries = new Map<string, StoreEntry>()
  readonly #keys = new SortedKeys()
  #revision: number

  constructor(revision: number) {
    this.#revision = revision
  }

  get revision(): number {
    return this.#revision
  }

  get(key: string): StoreEntry | undefined {
    return this.#entries.get(key)
  }

  /** Takes in an entry read back from disk; entries may come in any order. */
  load(entry: StoreEntry): void {
    if (!this.#entries.has(entry.key)) this.#keys.add(entry.key)
    this.#entries.set(entry.key, entry)
  }

  /** Applies the events of one or more whole revisions, in order. */
  apply(events: readonly StoreEvent[], revision: number): void {
    for (const event of events) {
      if (event.type === 'put') {
        this.load(event.entry)
      } else if (this.#entries.delete(event.key)) {
        this.#keys.delete(event.key)
      }
    }
    this.#revision = revision
  }

  count(prefix: string): number {
    return this.#keys.countBetween(prefix, prefixEnd(prefix))
  }

  range(options: RangeOptions): RangeResult {
    const { from, to } = bounds(options)
    const keys = this.#keys.between(from, to, options.limit)
    const entries = keys.map((key) => this.#entries.get(key) as StoreEntry)
    const limited = options.limit !== undefined && entries.length === options.limit
    const remaining = limited ? this.#keys.countBetween(from, to) - entries.length : 0
    return { entries, revision: this.#revision, remaining }
  }

  /**
   * The same range as it was before `undo` happened: events newer than `atRevision`, oldest first.
   * Costs the number of those events plus the size of the answer, so paging through a busy prefix stays cheap.
   */
  rangeBefore(options: RangeOptions, undo: readonly StoreEvent[], atRevision: number): RangeResult {
    const { from, to } = bounds(options)
    const changed = new Map<string, StoreEntry | undefined>()
    for (const event of undo) {
      const inRange = event.key >= from && (to === undefined || event.key < to)
      if (inRange && !changed.has(event.key)) changed.set(event.key, event.previous)
    }
    if (changed.size === 0) return { ...this.range(options), revision: atRevision }

    const since = [...changed].sort(([a], [b]) => (a < b ? -1 : 1))
    const limit = options.limit ?? Number.POSITIVE_INFINITY
    // Of the current keys at most `since.length` are dropped, so this many are always enough to fill the page.
    const keys = this.#keys.between(from, to, limit + since.length)
    const entries: StoreEntry[] = []
    let next = 0
    for (const key of keys) {
      for (; next < since.length && (since[next] as [string, unknown])[0] < key; next += 1) {
        const old = since[next]?.[1]
        if (old !== undefined) entries.push(old)
      }
      if (since[next]?.[0] === key) continue
      entries.push(this.#entries.get(key) as StoreEntry)
    }
    for (; next < since.length; next += 1) {
      const old = since[next]?.[1]
      if (old !== undefined) entries.push(old)
    }
    let total = this.#keys.countBetween(from, to)
    for (const [key, old] of since) total += (old === undefined ? 0 : 1) - (this.#entries.has(key) ? 1 : 0)
    const page = entries.length > limit ? entries.slice(0, limit) : entries
    return { entries: page, revision: atRevision, remaining: total - page.length }
  }
}

function bounds({ prefix, startAfter }: RangeOptions): { from: string; to: string | undefined } {
  // The immediate successor of a string is the string followed by U+0000.
  const from = startAfter !== undefined && startAfter >= prefix ? `${startAfter}\u0000` : prefix
  return { from, to: prefixEnd(prefix) }
}
