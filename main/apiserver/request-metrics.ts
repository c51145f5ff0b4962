// What is counted of each request. Everything here runs once per request: a series is found by its resource and a short key, and
// labels are made of text once.
import { Histogram } from '../../common/machinery/histogram.ts'
import type { RequestInfo } from './chain/request-info.ts'
import { histogramSamples, label, type Gauge, type Sample } from './metrics.ts'
import type { ServedResource } from './registry/served-resource.ts'

/** Upstream's for request durations. */
const durationBuckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]
/** Those of the service level indicator are the same without the shortest. */
const indicatorBuckets = new Set(durationBuckets.filter((bound) => bound >= 0.05))
const sizeBuckets = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

export interface RequestFacts {
  readonly info: RequestInfo | undefined
  /** Undefined when nothing is served at the path: names that clients make up must not become labels. */
  readonly resource: ServedResource | undefined
  readonly subresource: string
  /** A stream in both directions. */
  readonly isStream?: boolean
  readonly isApply?: boolean
}

export interface ObservedRequest extends RequestFacts {
  readonly code: number
  readonly ms: number
  /** Of the body of the answer; undefined when nobody counted. */
  readonly bytes: number | undefined
}

export class RequestSeries {
  readonly labels: string
  readonly codes = new Map<number, number>()
  readonly duration = new Histogram(durationBuckets)
  /** Of answers to reads. */
  readonly size: Histogram | undefined
  /** Watches and streams under way. */
  running = 0
  /** Sent to watchers. */
  events = 0

  constructor(labels: string, isRead: boolean) {
    this.labels = labels
    this.size = isRead ? new Histogram(sizeBuckets) : undefined
  }
}

export class RequestMetrics {
  readonly #byResource = new Map<ServedResource | undefined, Map<string, RequestSeries>>()

  of(facts: RequestFacts): RequestSeries {
    const { info, resource, subresource } = facts
    const verb = verbOf(facts)
    const scope = resource === undefined || info?.isResource !== true ? '' : scopeOf(info)
    let known = this.#byResource.get(resource)
    if (known === undefined) this.#byResource.set(resource, (known = new Map<string, RequestSeries>()))
    const key = `${verb} ${scope} ${subresource}`
    let series = known.get(key)
    if (series === undefined) {
      series = new RequestSeries(labelsOf(resource, subresource, scope, verb), verb === 'GET' || verb === 'LIST')
      known.set(key, series)
    }
    return series
  }

  /** A watch or stream has begun; call the result at its end. */
  begin(facts: RequestFacts): () => void {
    const series = this.of(facts)
    series.running += 1
    return () => {
      series.running -= 1
    }
  }

  observe(request: ObservedRequest): void {
    const { code, ms, bytes } = request
    const series = this.of(request)
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1)
    // A watch lasts as long as its client wants: its duration says nothing about this server.
    if (request.info?.verb === 'watch' || request.isStream === true) return
    series.duration.observe(ms / 1000)
    if (bytes !== undefined) series.size?.observe(bytes)
  }

  gauges(): Gauge[] {
    const each = (read: (series: RequestSeries) => readonly Sample[]) => (): Sample[] => {
      const all: Sample[] = []
      for (const known of this.#byResource.values()) for (const series of known.values()) all.push(...read(series))
      return all
    }
    return [
      {
        name: 'apiserver_request_total',
        type: 'counter',
        help: 'Requests answered, by verb, resource and HTTP code.',
        read: each(({ codes, labels }) =>
          [...codes].map(([code, value]) => ({ labels: `code="${String(code)}",dry_run="",${labels}`, value })),
        ),
      },
      {
        name: 'apiserver_request_duration_seconds',
        type: 'histogram',
        help: 'Time to answer, by verb and resource.',
        read: each(({ labels, duration }) => histogramSamples(`dry_run="",${labels}`, duration)),
      },
      {
        name: 'apiserver_request_sli_duration_seconds',
        type: 'histogram',
        help: 'Time to answer, by verb and resource, as service level indicators have it; waits for webhooks are in it.',
        read: each(({ labels, duration }) => histogramSamples(labels, duration, indicatorBuckets)),
      },
      {
        name: 'apiserver_response_sizes',
        type: 'histogram',
        help: 'Bytes of answers to reads.',
        read: each(({ labels, size }) => (size === undefined ? [] : histogramSamples(labels, size))),
      },
      {
        name: 'apiserver_longrunning_requests',
        help: 'Watches and streams under way.',
        read: each(({ labels, running, codes }) =>
          running === 0 && (codes.size === 0 || !/verb="(WATCH|CONNECT)"/.test(labels))
            ? []
            : [{ labels, value: running }],
        ),
      },
      {
        name: 'apiserver_watch_events_total',
        type: 'counter',
        help: 'Events sent to watchers.',
        read: () => this.#events(),
      },
      {
        name: 'apiserver_requested_deprecated_apis',
        help: 'Deprecated APIs that were asked for.',
        read: () => this.#deprecated(),
      },
    ]
  }

  /** However they are watched. */
  #events(): Sample[] {
    const samples: Sample[] = []
    for (const [resource, known] of this.#byResource) {
      const value = [...known.values()].reduce((sum, { events }) => sum + events, 0)
      if (resource !== undefined && value > 0) samples.push({ labels: resourceLabels(resource), value })
    }
    return samples
  }

  #deprecated(): Sample[] {
    const samples: Sample[] = []
    for (const [resource, known] of this.#byResource) {
      if (resource?.kind.deprecation === undefined) continue
      const { group, version, plural } = resource.kind
      for (const subresource of new Set([...known.keys()].map((key) => key.split(' ')[2] ?? '')))
        samples.push({
          labels: `group="${group}",removed_release="",resource="${plural}",subresource="${subresource}",version="${version}"`,
          value: 1,
        })
    }
    return samples
  }
}

const verbNames: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' }

function verbOf({ info, isStream, isApply }: RequestFacts): string {
  if (info === undefined) return 'unknown'
  if (isStream === true) return 'CONNECT'
  if (isApply === true) return 'APPLY'
  return verbNames[info.verb] ?? info.verb.toUpperCase()
}

const scopeOf = ({ name, verb, namespace }: Extract<RequestInfo, { isResource: true }>): string =>
  name !== '' || verb === 'create' ? 'resource' : namespace === '' ? 'cluster' : 'namespace'

const resourceLabels = ({ kind }: ServedResource): string =>
  `group="${kind.group}",resource="${kind.plural}",version="${kind.version}"`

function labelsOf(resource: ServedResource | undefined, subresource: string, scope: string, verb: string): string {
  const { group = '', plural = '', version = '' } = resource?.kind ?? {}
  return `component="apiserver",group="${group}",resource="${plural}",scope="${scope}",subresource="${subresource}",verb="${label(verb)}",version="${version}"`
}
