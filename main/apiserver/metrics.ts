// Counters of this server in the Prometheus text format.
const bucketsMs = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 60000]

interface Histogram {
  readonly buckets: number[]
  sum: number
  count: number
}

export class Metrics {
  readonly #requests = new Map<string, number>()
  readonly #durations = new Map<string, Histogram>()
  /** Watchers closed because they did not read. */
  slowWatchers = 0
  /** Extra gauges, read when scraped. */
  readonly gauges = new Map<string, { help: string; read: () => number }>()

  observe(verb: string, code: number, ms: number): void {
    const key = `${verb} ${String(code)}`
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1)
    // A watch lasts as long as its client wants: its duration says nothing about this server.
    if (verb === 'watch') return
    let histogram = this.#durations.get(verb)
    if (histogram === undefined) {
      histogram = { buckets: bucketsMs.map(() => 0), sum: 0, count: 0 }
      this.#durations.set(verb, histogram)
    }
    const { buckets } = histogram
    for (let index = bucketsMs.length - 1; index >= 0 && ms <= (bucketsMs[index] ?? 0); index -= 1)
      buckets[index] = (buckets[index] ?? 0) + 1
    histogram.sum += ms
    histogram.count += 1
  }

  render(): string {
    const lines = [
      '# HELP apiserver_request_total Requests answered, by verb and HTTP code.',
      '# TYPE apiserver_request_total counter',
    ]
    for (const [key, count] of this.#requests) {
      const [verb = '', code = ''] = key.split(' ')
      lines.push(`apiserver_request_total{verb="${label(verb)}",code="${code}"} ${String(count)}`)
    }
    lines.push(
      '# HELP apiserver_request_duration_seconds Time to answer, by verb.',
      '# TYPE apiserver_request_duration_seconds histogram',
    )
    for (const [verb, { buckets, sum, count }] of this.#durations) {
      for (const [index, bound] of bucketsMs.entries()) {
        lines.push(
          `apiserver_request_duration_seconds_bucket{verb="${label(verb)}",le="${String(bound / 1000)}"} ${String(buckets[index] ?? 0)}`,
        )
      }
      lines.push(`apiserver_request_duration_seconds_bucket{verb="${label(verb)}",le="+Inf"} ${String(count)}`)
      lines.push(`apiserver_request_duration_seconds_sum{verb="${label(verb)}"} ${String(sum / 1000)}`)
      lines.push(`apiserver_request_duration_seconds_count{verb="${label(verb)}"} ${String(count)}`)
    }
    lines.push(
      '# HELP apiserver_terminated_watchers_total Watchers closed because they did not keep up.',
      '# TYPE apiserver_terminated_watchers_total counter',
    )
    lines.push(`apiserver_terminated_watchers_total ${String(this.slowWatchers)}`)
    for (const [name, { help, read }] of this.gauges)
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${String(read())}`)
    return `${lines.join('\n')}\n`
  }
}

const label = (text: string): string => text.replaceAll(/[\\"\n]/g, '_')
