// A queue of keys: a key waits at most once, is never worked on by two workers at a time, and comes back if it was added while
// being worked on. Failed keys come back after an exponential per-key delay.
import type { Clock } from '../machinery/clock.ts'
import { Histogram } from '../machinery/histogram.ts'

export interface WorkQueueOptions {
  clock: Clock
  /** First retry delay; doubled with each further failure. Default 5 ms. */
  baseDelayMs?: number
  /** Default 60 s. */
  maxDelayMs?: number
}

/** Upstream's for waiting and working, in seconds. */
const durationBuckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10]

export class WorkQueue {
  readonly #clock: Clock
  readonly #baseDelayMs: number
  readonly #maxDelayMs: number
  /** In order; all also in #dirty. */
  #ready: string[] = []
  #head = 0
  readonly #dirty = new Set<string>()
  readonly #processing = new Set<string>()
  readonly #delayed = new Map<string, { at: number; cancel: () => void }>()
  readonly #failures = new Map<string, number>()
  #waiting: ((key: string | undefined) => void)[] = []
  #stopped = false
  /** What became of the keys so far; times in seconds. */
  readonly counters = {
    adds: 0,
    retries: 0,
    waiting: new Histogram(durationBuckets),
    working: new Histogram(durationBuckets),
  }
  /** When a key became ready, and when work on one began. */
  readonly #addedAt = new Map<string, number>()
  readonly #begunAt = new Map<string, number>()

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock
    this.#baseDelayMs = options.baseDelayMs ?? 5
    this.#maxDelayMs = options.maxDelayMs ?? 60_000
  }

  /** Keys ready to be taken. */
  get length(): number {
    return this.#ready.length - this.#head
  }

  get delayed(): number {
    return this.#delayed.size
  }

  get processing(): number {
    return this.#processing.size
  }

  /** How long each key has been worked on that is at work now, in seconds. */
  get working(): number[] {
    const now = this.#clock.now()
    return [...this.#begunAt.values()].map((begunAt) => (now - begunAt) / 1000)
  }

  add(key: string): void {
    if (this.#stopped || this.#dirty.has(key)) return
    this.#dirty.add(key)
    this.counters.adds += 1
    this.#addedAt.set(key, this.#clock.now())
    if (!this.#processing.has(key)) this.#push(key)
  }

  /** The earliest of several delays of one key counts. */
  addAfter(key: string, ms: number): void {
    if (this.#stopped) return
    this.counters.retries += 1
    if (ms <= 0) {
      this.add(key)
      return
    }
    const at = this.#clock.now() + ms
    const known = this.#delayed.get(key)
    if (known !== undefined && known.at <= at) return
    known?.cancel()
    const cancel = this.#clock.after(ms, () => {
      this.#delayed.delete(key)
      this.add(key)
    })
    this.#delayed.set(key, { at, cancel })
  }

  /** Adds the key after its own back-off and remembers the failure. Returns the delay in ms. */
  addRateLimited(key: string): number {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    const ms = Math.min(this.#maxDelayMs, this.#baseDelayMs * 2 ** Math.min(failures, 30))
    this.addAfter(key, ms)
    return ms
  }

  /** Failures since the last `forget`. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0
  }

  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** The next key, or undefined when the queue was stopped. The taker must call `done`. */
  take(): Promise<string | undefined> {
    if (this.#stopped) return Promise.resolve(undefined)
    const key = this.#shift()
    if (key !== undefined) return Promise.resolve(key)
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  done(key: string): void {
    this.#processing.delete(key)
    const begunAt = this.#begunAt.get(key)
    if (begunAt !== undefined) this.counters.working.observe((this.#clock.now() - begunAt) / 1000)
    this.#begunAt.delete(key)
    if (this.#dirty.has(key) && !this.#stopped) this.#push(key)
  }

  stop(): void {
    this.#stopped = true
    for (const { cancel } of this.#delayed.values()) cancel()
    this.#delayed.clear()
    this.#ready = []
    this.#head = 0
    this.#dirty.clear()
    this.#addedAt.clear()
    for (const resolve of this.#waiting) resolve(undefined)
    this.#waiting = []
  }

  #push(key: string): void {
    const waiter = this.#waiting.shift()
    if (waiter === undefined) {
      this.#ready.push(key)
      return
    }
    this.#begin(key)
    waiter(key)
  }

  #shift(): string | undefined {
    const key = this.#ready[this.#head]
    if (key === undefined) return undefined
    this.#head++
    // Array.shift would move the whole array for each of thousands of keys.
    if (this.#head > 1024 && this.#head * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#head)
      this.#head = 0
    }
    this.#begin(key)
    return key
  }

  #begin(key: string): void {
    this.#dirty.delete(key)
    this.#processing.add(key)
    const now = this.#clock.now()
    this.counters.waiting.observe((now - (this.#addedAt.get(key) ?? now)) / 1000)
    this.#addedAt.delete(key)
    this.#begunAt.set(key, now)
  }
}
