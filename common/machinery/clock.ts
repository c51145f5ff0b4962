// Time as a dependency, so that tests own it.
export interface Clock {
  now(): number
  /** Calls back after `ms`; returns a function that cancels. */
  after(ms: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    let handle = setTimeout(arrive, Math.min(ms, longestTimerMs))
    let left = ms - longestTimerMs
    function arrive(): void {
      if (left <= 0) {
        callback()
        return
      }
      handle = setTimeout(arrive, Math.min(left, longestTimerMs))
      left -= longestTimerMs
    }
    return () => {
      clearTimeout(handle)
    }
  },
}

/** A longer one would go off at once. */
const longestTimerMs = 2 ** 31 - 1

let lastTime = { second: Number.NaN, text: '' }

/** RFC 3339 with seconds, as metav1.Time is written. Every write asks for it, thousands of them in the same second. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / 1000)
  if (second !== lastTime.second) lastTime = { second, text: `${new Date(ms).toISOString().slice(0, 19)}Z` }
  return lastTime.text
}

/** RFC 3339 with microseconds, as metav1.MicroTime is written. */
export const formatMicroTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000Z`
