// Pure: a metric of the spec as something to measure, and its result as the status shows it.
import type { MetricSpec, MetricStatus, MetricTarget } from '../../../common/api/generated/types.ts'
import { formatQuantity, quantityFromMillis, quantityToMillis } from '../../../common/machinery/quantity.ts'
import type { Proposal, UsageTarget } from './usage.ts'

export interface ResourceMetric {
  type: 'resource'
  target: UsageTarget
  /** As reasons and messages name it. */
  title: string
  failure: string
}
/** Needs an API that this controller does not read. */
export interface UnreadMetric {
  type: 'unread'
  failure: string
  message: string
}

export function metricOf(spec: MetricSpec): ResourceMetric | UnreadMetric {
  const { resource, containerResource } = spec
  if (resource !== undefined) {
    const target = { resource: resource.name, ...goalOf(resource.target) }
    const title = titleOf(`${resource.name} resource`, target)
    return { type: 'resource', target, title, failure: 'FailedGetResourceMetric' }
  }
  if (containerResource !== undefined) {
    const { name, container } = containerResource
    const target = { resource: name, container, ...goalOf(containerResource.target) }
    const title = titleOf(`${name} container resource`, target)
    return { type: 'resource', target, title, failure: 'FailedGetContainerResourceMetric' }
  }
  const name = (spec.pods ?? spec.object ?? spec.external)?.metric.name ?? ''
  const api = spec.external === undefined ? 'custom' : 'external'
  const message = `unable to get metric ${name}: ${api} metrics are not read by this controller`
  return { type: 'unread', failure: `FailedGet${spec.type}Metric`, message }
}

function goalOf({
  averageUtilization,
  averageValue,
}: MetricTarget): Pick<UsageTarget, 'utilization' | 'averageMillis'> {
  if (averageUtilization !== undefined) return { utilization: averageUtilization }
  return { averageMillis: quantityToMillis(averageValue ?? '0') }
}

const titleOf = (what: string, { utilization }: Pick<UsageTarget, 'utilization'>): string =>
  utilization === undefined ? what : `${what} utilization (percentage of request)`

export function statusOf({ target }: ResourceMetric, { averageMillis, utilization }: Proposal): MetricStatus {
  const current = {
    averageValue: formatQuantity(quantityFromMillis(averageMillis)),
    ...(utilization === undefined ? {} : { averageUtilization: utilization }),
  }
  const { resource: name, container } = target
  return container === undefined
    ? { type: 'Resource', resource: { name, current } }
    : { type: 'ContainerResource', containerResource: { name, container, current } }
}
