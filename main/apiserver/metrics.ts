// What this server counts, in the Prometheus text format, under upstream's names.
import type { Histogram } from '../../common/machinery/histogram.ts'

export interface Sample {
  /** Of histograms: "_bucket", "_sum" or "_count". */
  readonly suffix?: string
  /** `name="value",…`; "" for none. */
  readonly labels: string
  readonly value: number
}

export interface Gauge {
  readonly name: string
  readonly help: string
  readonly type?: 'counter' | 'gauge' | 'histogram'
  /** Read when scraped. */
  read(): number | readonly Sample[]
}

export class Metrics {
  /** By name. */
  readonly #gauges = new Map<string, Gauge>()
  /** Watchers closed because they did not read. */
  slowWatchers = 0

  constructor() {
    this.add({
      name: 'apiserver_terminated_watchers_total',
      type: 'counter',
      help: 'Watchers closed because they did not keep up.',
      read: () => this.slowWatchers,
    })
  }

  /** One of a name that is there takes its place. */
  add(...gauges: readonly Gauge[]): void {
    for (const gauge of gauges) this.#gauges.set(gauge.name, gauge)
  }

  /** `prefix`: only those whose names begin with it. */
  render(prefix = ''): string {
    const lines: string[] = []
    const sample = (name: string, labels: string, value: number): void => {
      lines.push(`${name}${labels === '' ? '' : `{${labels}}`} ${String(value)}`)
    }
    for (const gauge of this.#gauges.values()) {
      const { name, help, type = 'gauge' } = gauge
      if (!name.startsWith(prefix)) continue
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
      const values = gauge.read()
      if (typeof values === 'number') sample(name, '', values)
      else for (const { suffix = '', labels, value } of values) sample(`${name}${suffix}`, labels, value)
    }
    return `${lines.join('\n')}\n`
  }
}

export const label = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

/** Nothing for a histogram without values. `only`: the bounds to show, for one that counts finer. */
export function histogramSamples(
  labels: string,
  { bounds, counts, sum, count }: Histogram,
  only?: ReadonlySet<number>,
): Sample[] {
  if (count === 0) return []
  const before = labels === '' ? '' : `${labels},`
  const samples: Sample[] = []
  let upTo = 0
  for (const [index, bound] of bounds.entries()) {
    upTo += counts[index] ?? 0
    if (only?.has(bound) === false) continue
    samples.push({ suffix: '_bucket', labels: `${before}le="${String(bound)}"`, value: upTo })
  }
  return [
    ...samples,
    { suffix: '_bucket', labels: `${before}le="+Inf"`, value: count },
    { suffix: '_sum', labels, value: sum },
    { suffix: '_count', labels, value: count },
  ]
}
