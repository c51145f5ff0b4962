// How values are spread, in the buckets of a Prometheus histogram.
export class Histogram {
  /** Upper ends, ascending. */
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
