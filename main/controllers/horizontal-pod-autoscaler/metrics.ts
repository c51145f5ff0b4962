// What the targeted pods use now, as metrics.k8s.io tells.
import type { ObjectMeta } from '../../../common/machinery/meta.ts'
import type { Transport } from '../../../common/client/transport.ts'
import { asError } from '../ownership/slow-start.ts'
import { quantityToMillis } from '../../../common/machinery/quantity.ts'
import type { PodUsage } from './usage.ts'
import { MetricError } from './usage.ts'

interface PodMetrics {
  metadata: ObjectMeta
  timestamp: string
  /** "10s" */
  window: string
  containers?: { name: string; usage?: Record<string, string> }[]
}

export interface UsageQuery {
  namespace: string
  labelSelector: string
  resource: string
  container?: string
}

/** By pod name. Throws MetricError in upstream's words. */
export async function readUsage(transport: Transport, query: UsageQuery): Promise<Map<string, PodUsage>> {
  const { namespace, labelSelector, resource, container } = query
  const fail = (why: string): MetricError => new MetricError(`unable to get metrics for resource ${resource}: ${why}`)
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${encodeURIComponent(namespace)}/pods`
  let items: PodMetrics[]
  try {
    items = (await transport.request<{ items: PodMetrics[] }>({ method: 'GET', path, query: { labelSelector } })).items
  } catch (error) {
    throw fail(`unable to fetch metrics from resource metrics API: ${asError(error).message}`)
  }
  if (items.length === 0) throw fail('no metrics returned from resource metrics API')
  const usages = new Map<string, PodUsage>()
  for (const { metadata, timestamp, window, containers = [] } of items) {
    const counted = containers.filter(({ name }) => container === undefined || name === container)
    const amounts = counted.map(({ usage }) => usage?.[resource])
    // A pod of which a part is unknown is unknown.
    if (amounts.length === 0 || amounts.includes(undefined)) continue
    usages.set(metadata.name ?? '', {
      millis: amounts.reduce((sum, amount) => sum + quantityToMillis(amount ?? '0'), 0),
      atMs: Date.parse(timestamp),
      windowMs: Number.parseFloat(window) * 1000,
    })
  }
  return usages
}
