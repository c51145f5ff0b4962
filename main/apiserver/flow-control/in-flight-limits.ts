// Without priority and fairness: so many reads and so many writes at a time, and who comes beyond that is sent away.
import type { RequestInfo } from '../chain/request-info.ts'
import type { Gauge } from '../metrics.ts'
import { type Gate, type GateRequest, isStream, isWrite, type Place, TooManyRequests } from './gate.ts'

export interface InFlightOptions {
  /** 0: no limit. */
  readonly reads: number
  readonly writes: number
}

export class InFlightLimits implements Gate {
  readonly #reads: Pool
  readonly #writes: Pool

  constructor({ reads, writes }: InFlightOptions) {
    this.#reads = new Pool(reads)
    this.#writes = new Pool(writes)
  }

  enter({ user, info }: GateRequest): Place | undefined {
    if (isLong(info)) return undefined
    const pool = isWrite(info) ? this.#writes : this.#reads
    if (pool.limit === 0) return undefined
    // Somebody must always be able to look.
    if (pool.busy >= pool.limit && !user.groups.includes('system:masters')) {
      pool.dropped += 1
      throw new TooManyRequests()
    }
    pool.busy += 1
    return pool
  }

  readonly gauges: readonly Gauge[] = [
    {
      name: 'apiserver_current_inflight_requests',
      help: 'Requests at work, by kind.',
      read: () => [
        { labels: 'request_kind="mutating"', value: this.#writes.busy },
        { labels: 'request_kind="readOnly"', value: this.#reads.busy },
      ],
    },
    {
      name: 'apiserver_dropped_requests_total',
      help: 'Requests sent away because too many were at work.',
      type: 'counter',
      read: () => [
        { labels: 'request_kind="mutating"', value: this.#writes.dropped },
        { labels: 'request_kind="readOnly"', value: this.#reads.dropped },
      ],
    },
  ]

  close(): void {
    // Nothing runs by itself here.
  }
}

const isLong = (info: RequestInfo): boolean => info.verb === 'watch' || isStream(info)

class Pool implements Place {
  readonly limit: number
  busy = 0
  dropped = 0

  constructor(limit: number) {
    this.limit = limit
  }

  leave(): void {
    this.busy -= 1
  }
}
