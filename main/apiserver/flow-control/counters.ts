// What is counted of the requests of one flow schema at one priority level. Kept when their configuration changes.

/** Upstream's for waiting and executing. */
export const durationBuckets = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]
export const seatBuckets = [1, 2, 4, 10]
export const queueLengthBuckets = [0, 10, 25, 50, 100, 250, 500, 1000]

export type Rejection = 'queue-full' | 'time-out' | 'concurrency-limit' | 'cancelled'

export class FlowHistogram {
  readonly bounds: readonly number[]
  /** How many fell between the bound before and this one. */
  readonly counts: number[]
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    this.sum += value
    this.count += 1
    const { bounds } = this
    for (let index = 0; index < bounds.length; index += 1) {
      if (value <= (bounds[index] as number)) {
        this.counts[index] = (this.counts[index] as number) + 1
        return
      }
    }
  }
}

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
  readonly waited = new FlowHistogram(durationBuckets)
  readonly waitedInVain = new FlowHistogram(durationBuckets)
  readonly regular = new FlowHistogram(durationBuckets)
  readonly watches = new FlowHistogram(durationBuckets)
  readonly seats = new FlowHistogram(seatBuckets)
  readonly queueLength = new FlowHistogram(queueLengthBuckets)

  constructor(level: string, schema: string) {
    this.level = level
    this.schema = schema
  }
}
