// Recent events kept in memory, oldest first, whole revisions only: watches replay from it and recent history is read by
// undoing it. Bounded by number and by characters of value text held; the memory store keeps everything until compaction.
import type { StoreEvent } from '../store.ts'

export interface WindowLimits {
  maxEvents: number
  maxCharacters: number
}

/** For stores that can tell, or refuse, what is older. */
export const defaultWindow: WindowLimits = { maxEvents: 20_000, maxCharacters: 16_000_000 }

export class EventWindow {
  readonly #limits: WindowLimits
  #events: StoreEvent[] = []
  /** Events before this index are dropped; the array is trimmed when they are many, so dropping is cheap. */
  #head = 0
  #characters = 0
  #firstRevision: number

  /** `firstRevision`: the first revision the window will hold everything of. */
  constructor(firstRevision: number, limits?: WindowLimits) {
    this.#firstRevision = firstRevision
    this.#limits = limits ?? { maxEvents: Number.POSITIVE_INFINITY, maxCharacters: Number.POSITIVE_INFINITY }
  }

  /** Every event from this revision on is here. */
  get firstRevision(): number {
    return this.#firstRevision
  }

  append(events: readonly StoreEvent[]): void {
    for (const event of events) {
      this.#events.push(event)
      this.#characters += weight(event)
    }
    while (
      this.#events.length - this.#head > this.#limits.maxEvents ||
      (this.#characters > this.#limits.maxCharacters && this.#events.length > this.#head)
    ) {
      this.dropBefore((this.#events[this.#head] as StoreEvent).revision + 1)
    }
  }

  /** Events with revision >= `revision`, oldest first. Only complete when `revision` >= firstRevision. */
  since(revision: number): readonly StoreEvent[] {
    let low = this.#head
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#events[middle] as StoreEvent).revision < revision) low = middle + 1
      else high = middle
    }
    return this.#events.slice(low)
  }

  dropBefore(revision: number): void {
    if (revision <= this.#firstRevision) return
    this.#firstRevision = revision
    for (let event = this.#events[this.#head]; event !== undefined && event.revision < revision;) {
      this.#characters -= weight(event)
      this.#head += 1
      event = this.#events[this.#head]
    }
    if (this.#head > 1024 && this.#head * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#head)
      this.#head = 0
    }
  }
}

/** What the event keeps alive beyond the current state: the value it replaced. New values are counted by their successor. */
function weight(event: StoreEvent): number {
  return event.previous?.value.length ?? 0
}
