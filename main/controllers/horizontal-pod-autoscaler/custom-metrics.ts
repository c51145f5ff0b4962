// What custom.metrics.k8s.io and external.metrics.k8s.io tell, which adapters serve through the aggregation layer.
import type { AutoscalingV2CrossVersionObjectReference, MetricIdentifier } from '../../../common/api/generated/types.ts'
import { resourcePath } from '../../../common/client/create-client.ts'
import { discoverResources } from '../../../common/client/discovery.ts'
import { apiServices } from '../../../common/client/resources.ts'
import type { Transport } from '../../../common/client/transport.ts'
import { formatLabelSelector, selectorFromObject } from '../../../common/machinery/labels.ts'
import { parseApiVersion } from '../../../common/machinery/meta.ts'
import { quantityToMillis } from '../../../common/machinery/quantity.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { asError } from '../ownership/slow-start.ts'
import type { PodUsage } from './usage.ts'
import { MetricError } from './usage.ts'

/** v1beta1 says `window` where v1beta2 says `windowSeconds`. */
interface MetricValue {
  describedObject?: { name?: string }
  timestamp: string
  windowSeconds?: number
  window?: number
  value: string | number
}

const customGroup = 'custom.metrics.k8s.io'
const defaultWindowSeconds = 60

/** Undefined: all. */
function selectorText({ selector }: MetricIdentifier): string | undefined {
  const isAll = selectorFromObject(selector ?? {}).length === 0
  return isAll ? undefined : formatLabelSelector(selector)
}

/** The values of pods by their names. Throws MetricError in upstream's words. */
export async function readPodsMetric(
  transport: Transport,
  query: { namespace: string; labelSelector: string; metric: MetricIdentifier },
): Promise<Map<string, PodUsage>> {
  const { namespace, labelSelector, metric } = query
  const fail = (why: string): MetricError => new MetricError(`unable to get metric ${metric.name}: ${why}`)
  let items: MetricValue[]
  try {
    items = await readCustom(transport, `namespaces/${namespace}/pods/*/${metric.name}`, { labelSelector, metric })
  } catch (error) {
    throw fail(`unable to fetch metrics from custom metrics API: ${asError(error).message}`)
  }
  if (items.length === 0) throw fail('no metrics returned from custom metrics API')
  return new Map(
    items.map((item) => [
      item.describedObject?.name ?? '',
      {
        millis: quantityToMillis(item.value),
        atMs: Date.parse(item.timestamp),
        windowMs: (item.windowSeconds ?? item.window ?? defaultWindowSeconds) * 1000,
      },
    ]),
  )
}

/** The value of one object, in thousandths. Throws MetricError in upstream's words. */
export async function readObjectMetric(
  transport: Transport,
  query: { namespace: string; object: AutoscalingV2CrossVersionObjectReference; metric: MetricIdentifier },
): Promise<number> {
  const { namespace, object, metric } = query
  try {
    const items = await readCustom(transport, await objectPath(transport, query), { metric })
    const [first] = items
    if (first === undefined || items.length > 1)
      throw new Error('the custom metrics API server returned no, or more than one, metric for an object')
    return quantityToMillis(first.value)
  } catch (error) {
    // Upstream's own sentence, whose parts are in an order that was not meant.
    const why = `unable to fetch metrics from custom metrics API: ${asError(error).message}`
    throw new MetricError(`unable to get metric ${metric.name}: ${object.kind} on ${namespace} ${object.name}/${why}`, {
      cause: error,
    })
  }
}

/** The sum of all values, in thousandths. Throws MetricError in upstream's words. */
export async function readExternalMetric(
  transport: Transport,
  { namespace, metric }: { namespace: string; metric: MetricIdentifier },
  selectorName: string,
): Promise<number> {
  const fail = (why: string): MetricError =>
    new MetricError(`unable to get external metric ${namespace}/${metric.name}/${selectorName}: ${why}`)
  const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${metric.name}`
  let items: MetricValue[]
  try {
    const query = { labelSelector: selectorText(metric) }
    items = (await transport.request<{ items: MetricValue[] }>({ method: 'GET', path, query })).items
  } catch (error) {
    throw fail(`unable to fetch metrics from external metrics API: ${asError(error).message}`)
  }
  if (items.length === 0) throw fail('no metrics returned from external metrics API')
  return items.reduce((sum, { value }) => sum + quantityToMillis(value), 0)
}

async function objectPath(
  transport: Transport,
  { namespace, object, metric }: Parameters<typeof readObjectMetric>[1],
): Promise<string> {
  // The metrics of a namespace are not in it.
  if (object.kind === 'Namespace') return `namespaces/${object.name}/metrics/${metric.name}`
  const { group, version } = parseApiVersion(object.apiVersion ?? 'v1')
  const { resources } = await discoverResources(transport)
  const resource = resources.find((known) => known.group === group && known.kind === object.kind)
  if (resource === undefined)
    throw new Error(`unable to map kind ${[object.kind, version, group].filter(Boolean).join('.')} to resource`)
  const name = group === '' ? resource.plural : `${resource.plural}.${group}`
  return `namespaces/${namespace}/${name}/${object.name}/${metric.name}`
}

async function readCustom(
  transport: Transport,
  path: string,
  { labelSelector, metric }: { labelSelector?: string; metric: MetricIdentifier },
): Promise<MetricValue[]> {
  const version = await customVersion(transport)
  const query = { labelSelector, metricLabelSelector: selectorText(metric) }
  const request = { method: 'GET', path: `/apis/${customGroup}/${version}/${path}`, query } as const
  return (await transport.request<{ items: MetricValue[] }>(request)).items
}

/** Adapters serve v1beta2 or v1beta1. */
async function customVersion(transport: Transport): Promise<string> {
  for (const version of ['v1beta2', 'v1beta1']) {
    try {
      await transport.request({ method: 'GET', path: resourcePath(apiServices, { name: `${version}.${customGroup}` }) })
      return version
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }
  throw new Error(`no custom metrics API (${customGroup}) registered`)
}
