// What is counted of the requests of one flow schema at one priority level. Kept when their configuration changes.
import { Histogram } from '../../../common/machinery/histogram.ts'

/** Upstream's for waiting and executing. */
export const durationBuckets = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]
export const seatBuckets = [1, 2, 4, 10]
export const queueLengthBuckets = [0, 10, 25, 50, 100, 250, 500, 1000]

export type Rejection = 'queue-full' | 'time-out' | 'concurrency-limit' | 'cancelled'

export class FlowCounters {
  readonly level: string
  readonly schema: string
  dispatched = 0
  executing = 0
  executingSeats = 0
  waiting = 0
  waitingSeats = 0
  notAccommodated = 0
  readonly rejected = new Map<Rejection, number>()
  readonly waited = new Histogram(durationBuckets)
  readonly waitedInVain = new Histogram(durationBuckets)
  readonly regular = new Histogram(durationBuckets)
  readonly watches = new Histogram(durationBuckets)
  readonly seats = new Histogram(seatBuckets)
  readonly queueLength = new Histogram(queueLengthBuckets)

  constructor(level: string, schema: string) {
    this.level = level
    this.schema = schema
  }
}
