// The informers' clock: waits out back-off as asked, but can be woken when the engine is known to answer again.
import type { Clock } from '../../common/machinery/clock.ts'

export interface WakeableClock extends Clock {
  /** Ends every wait that is running now. */
  wake(): void
}

export function createWakeableClock(): WakeableClock {
  const waiting = new Set<() => void>()
  return {
    now: () => Date.now(),
    after(ms, callback) {
      const fire = (): void => {
        clearTimeout(handle)
        waiting.delete(fire)
        callback()
      }
      const handle = setTimeout(fire, ms)
      waiting.add(fire)
      return () => {
        clearTimeout(handle)
        waiting.delete(fire)
      }
    },
    wake() {
      for (const fire of [...waiting]) fire()
    },
  }
}
