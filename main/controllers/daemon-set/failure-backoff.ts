// How fast daemon pods that fail are replaced: each next one on a node waits twice as long, and a quiet while forgets.
import type { Clock } from '../../../common/machinery/clock.ts'

const initialMs = 1_000
const maxMs = 15 * 60_000

export class FailureBackoff {
  readonly #clock: Clock
  readonly #known = new Map<string, { waitMs: number; at: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds still to wait; 0: go ahead, which counts as the next try. */
  next(key: string): number {
    const now = this.#clock.now()
    for (const [other, { at }] of this.#known) if (now - at > 2 * maxMs) this.#known.delete(other)
    const known = this.#known.get(key)
    if (known === undefined) {
      this.#known.set(key, { waitMs: initialMs, at: now })
      return 0
    }
    const left = known.at + known.waitMs - now
    if (left > 0) return left
    this.#known.set(key, { waitMs: Math.min(maxMs, known.waitMs * 2), at: now })
    return 0
  }
}
