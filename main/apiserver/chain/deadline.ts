// How long a request may take: as its client says (?timeout=), and no longer than the server allows. Watches and streams last.
import type { Clock } from '../../../common/machinery/clock.ts'
import { badRequest, StatusError } from '../../../common/machinery/status.ts'
import { parseGoDuration } from '../../../common/machinery/go-duration.ts'

const defaultMaximumMs = 60_000

export class Deadlines {
  readonly #clock: Clock
  readonly #maximumMs: number
  readonly #always: boolean

  /** `maximumMs`: also for those who name no time; absent: a minute for those who do. */
  constructor(clock: Clock, maximumMs?: number) {
    this.#clock = clock
    this.#maximumMs = maximumMs ?? defaultMaximumMs
    this.#always = maximumMs !== undefined
  }

  /** Runs `work`; rejects with 400 for a time that is none, with 504 when it takes too long. */
  async within(asked: string | null, isLong: boolean, work: () => Promise<void>): Promise<void> {
    if (isLong || (asked === null && !this.#always)) return work()
    const ms = asked === null ? 0 : parseGoDuration(asked)
    if (ms === undefined)
      throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(asked)}`)
    const limit = ms <= 0 ? this.#maximumMs : Math.min(ms, this.#maximumMs)
    const { promise: late, reject } = Promise.withResolvers<never>()
    const cancel = this.#clock.after(limit, () => {
      reject(tookTooLong())
    })
    try {
      await Promise.race([work(), late])
    } finally {
      cancel()
    }
  }
}

const tookTooLong = (): StatusError =>
  new StatusError({
    code: 504,
    reason: 'Timeout',
    message: 'Timeout: request did not complete within requested timeout - context deadline exceeded',
    details: {},
  })
