// A clock that stands still until a test moves it. Timers fire in order of their time, with promise callbacks run between them.
import type { Clock } from '../../machinery/clock.ts'

export interface ManualClock extends Clock {
  /** Moves time on, firing what is due. Resolves after the microtasks of the last timer. */
  advance(ms: number): Promise<void>
  readonly pending: number
}

export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let now = startMs
  let sequence = 0
  const timers = new Map<number, { at: number; callback: () => void }>()
  return {
    now: () => now,
    after(ms, callback) {
      const id = ++sequence
      timers.set(id, { at: now + Math.max(0, ms), callback })
      return () => {
        timers.delete(id)
      }
    },
    get pending() {
      return timers.size
    },
    async advance(ms) {
      const end = now + ms
      for (;;) {
        await settle()
        let next: [number, { at: number; callback: () => void }] | undefined
        for (const entry of timers)
          if (entry[1].at <= end && (next === undefined || entry[1].at < next[1].at)) next = entry
        if (next === undefined) break
        timers.delete(next[0])
        now = Math.max(now, next[1].at)
        next[1].callback()
      }
      now = end
      await settle()
    },
  }
}

/** Lets promise chains that are already resolved run to their end. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve()
}
