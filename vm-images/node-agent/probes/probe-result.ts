// Counts probe results against their thresholds. Pure.
import type { Probe } from '../../../common/api/generated/types.ts'

export type Verdict = 'success' | 'failure'

/** Feeds one result; returns a verdict when a threshold is reached for the first time after a change. */
export class ThresholdCounter {
  #last: boolean | undefined
  #run = 0
  readonly #probe: Probe

  constructor(probe: Probe) {
    this.#probe = probe
  }

  push(ok: boolean): Verdict | undefined {
    this.#run = this.#last === ok ? this.#run + 1 : 1
    this.#last = ok
    const threshold = ok ? (this.#probe.successThreshold ?? 1) : (this.#probe.failureThreshold ?? 3)
    return this.#run < threshold ? undefined : ok ? 'success' : 'failure'
  }
}
