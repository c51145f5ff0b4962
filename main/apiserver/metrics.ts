// What this server counts, in the Prometheus text format, under upstream's names.
import type { RequestInfo } from './chain/request-info.ts'
import type { ServedResource } from './registry/served-resource.ts'

/** Upstream's for request durations. */
const durationBuckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]

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

export interface ObservedRequest {
  readonly info: RequestInfo | undefined
  readonly code: number
  readonly ms: number
  /** Undefined when nothing is served at the path: names that clients make up must not become labels. */
  readonly resource: ServedResource | undefined
  readonly subresource: string
  readonly isStream?: boolean
}

interface Histogram {
  readonly buckets: number[]
  sum: number
  count: number
}

export class Metrics {
  readonly #requests = new Map<string, number>()
  readonly #durations = new Map<string, Histogram>()
  readonly #watches = new Map<string, number>()
  readonly #gauges: Gauge[] = []
  /** Watchers closed because they did not read. */
  slowWatchers = 0

  add(...gauges: readonly Gauge[]): void {
    this.#gauges.push(...gauges)
  }

  observe({ info, code, ms, resource, subresource, isStream }: ObservedRequest): void {
    const labels = labelsOf(info, resource, subresource, isStream === true)
    const key = `code="${String(code)}",${labels}`
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1)
    // A watch lasts as long as its client wants: its duration says nothing about this server.
    if (info?.verb === 'watch' || isStream === true) return
    let histogram = this.#durations.get(labels)
    if (histogram === undefined) {
      histogram = { buckets: durationBuckets.map(() => 0), sum: 0, count: 0 }
      this.#durations.set(labels, histogram)
    }
    const seconds = ms / 1000
    const { buckets } = histogram
    for (let index = durationBuckets.length - 1; index >= 0 && seconds <= (durationBuckets[index] ?? 0); index -= 1)
      buckets[index] = (buckets[index] ?? 0) + 1
    histogram.sum += seconds
    histogram.count += 1
  }

  /** A stream that lasts has begun; call the result at its end. */
  streaming(info: RequestInfo, resource: ServedResource, subresource: string): () => void {
    const labels = labelsOf(info, resource, subresource, subresource !== '')
    const change = (by: number): void => {
      this.#watches.set(labels, (this.#watches.get(labels) ?? 0) + by)
    }
    change(1)
    return () => {
      change(-1)
    }
  }

  render(): string {
    const lines: string[] = []
    const family = (name: string, type: string, help: string): void => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    }
    const sample = (name: string, labels: string, value: number): void => {
      lines.push(`${name}${labels === '' ? '' : `{${labels}}`} ${String(value)}`)
    }
    family('apiserver_request_total', 'counter', 'Requests answered, by verb, resource and HTTP code.')
    for (const [labels, count] of this.#requests) sample('apiserver_request_total', labels, count)
    const duration = 'apiserver_request_duration_seconds'
    family(duration, 'histogram', 'Time to answer, by verb and resource.')
    for (const [labels, { buckets, sum, count }] of this.#durations) {
      for (const [index, bound] of durationBuckets.entries())
        sample(`${duration}_bucket`, `${labels},le="${String(bound)}"`, buckets[index] ?? 0)
      sample(`${duration}_bucket`, `${labels},le="+Inf"`, count)
      sample(`${duration}_sum`, labels, sum)
      sample(`${duration}_count`, labels, count)
    }
    family('apiserver_longrunning_requests', 'gauge', 'Watches and streams under way.')
    for (const [labels, count] of this.#watches) sample('apiserver_longrunning_requests', labels, count)
    family('apiserver_terminated_watchers_total', 'counter', 'Watchers closed because they did not keep up.')
    sample('apiserver_terminated_watchers_total', '', this.slowWatchers)
    for (const gauge of this.#gauges) {
      const { name, help, type = 'gauge' } = gauge
      family(name, type, help)
      const values = gauge.read()
      if (typeof values === 'number') sample(name, '', values)
      else for (const { suffix = '', labels, value } of values) sample(`${name}${suffix}`, labels, value)
    }
    return `${lines.join('\n')}\n`
  }
}

const verbNames: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' }

function labelsOf(
  info: RequestInfo | undefined,
  resource: ServedResource | undefined,
  subresource: string,
  isStream: boolean,
): string {
  const verb = info === undefined ? 'unknown' : isStream ? 'CONNECT' : (verbNames[info.verb] ?? info.verb.toUpperCase())
  if (resource === undefined || info?.isResource !== true)
    return `component="apiserver",dry_run="",group="",resource="",scope="",subresource="",verb="${label(verb)}",version=""`
  const { group, version, plural } = resource.kind
  const scope =
    info.name !== '' || info.verb === 'create' ? 'resource' : info.namespace === '' ? 'cluster' : 'namespace'
  return `component="apiserver",dry_run="",group="${group}",resource="${plural}",scope="${scope}",subresource="${subresource}",verb="${verb}",version="${version}"`
}

export const label = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
