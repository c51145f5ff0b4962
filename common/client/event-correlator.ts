// Decides what becomes of an event: a new one, a higher count on a known one, a folded one, or nothing. The limits are those of
// client-go's correlator: 10 different messages per 10 minutes are folded, 25 events per source and object at once, then one per 5 minutes.
import type { ObjectReference } from '../api/generated/types.ts'
import type { Clock } from '../machinery/clock.ts'

export interface EventFacts {
  component: string
  host: string
  reference: ObjectReference
  type: string
  reason: string
  message: string
}

export interface Correlation {
  message: string
  count: number
  firstAt: number
  /** Name of the event already written for this, if any. */
  known: string | undefined
  /** To be called with the name under which it was written. */
  written(name: string): void
}

const similarLimit = 10
const similarWindowMs = 600_000
const burst = 25
const refillMs = 300_000
const maxRemembered = 4_096

export class EventCorrelator {
  readonly #clock: Clock
  readonly #similar = new Map<string, { messages: Set<string>; lastAt: number }>()
  readonly #equal = new Map<string, { count: number; firstAt: number; name: string | undefined }>()
  readonly #buckets = new Map<string, { tokens: number; at: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  correlate(facts: EventFacts): Correlation | 'drop' {
    const { reference } = facts
    const source = `${facts.component}|${facts.host}|${reference.kind ?? ''}|${reference.namespace ?? ''}|${reference.name ?? ''}|${reference.uid ?? ''}|${reference.apiVersion ?? ''}`
    const similarKey = `${source}|${facts.type}|${facts.reason}`
    const folded = this.#isFolded(similarKey, facts.message)
    const message = folded ? `(combined from similar events): ${facts.message}` : facts.message
    // Folded events share one object whatever they say.
    const equalKey = folded ? similarKey : `${similarKey}|${reference.fieldPath ?? ''}|${facts.message}`
    if (!this.#take(source)) return 'drop'

    const now = this.#clock.now()
    let entry = this.#equal.get(equalKey)
    if (entry === undefined) {
      entry = { count: 0, firstAt: now, name: undefined }
      remember(this.#equal, equalKey, entry)
    } else touch(this.#equal, equalKey, entry)
    entry.count++
    const current = entry
    return {
      message,
      count: entry.count,
      firstAt: entry.firstAt,
      known: entry.name,
      written: (name) => {
        current.name = name
      },
    }
  }

  #isFolded(key: string, message: string): boolean {
    const now = this.#clock.now()
    let entry = this.#similar.get(key)
    if (entry === undefined || now - entry.lastAt > similarWindowMs) {
      entry = { messages: new Set(), lastAt: now }
      remember(this.#similar, key, entry)
    }
    entry.lastAt = now
    if (entry.messages.has(message)) return false
    if (entry.messages.size >= similarLimit) return true
    entry.messages.add(message)
    return false
  }

  #take(key: string): boolean {
    const now = this.#clock.now()
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      bucket = { tokens: burst, at: now }
      remember(this.#buckets, key, bucket)
    } else touch(this.#buckets, key, bucket)
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / refillMs)
    bucket.at = now
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }
}

/** Maps keep insertion order: the first key is the one longest not used. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  if (map.size >= maxRemembered) {
    const oldest = map.keys().next()
    if (oldest.done !== true) map.delete(oldest.value)
  }
  map.set(key, value)
}

function touch<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
}
