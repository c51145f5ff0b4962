// Pure: a metric of the spec as something to measure, and its result as the status shows it.
import type {
  AutoscalingV2CrossVersionObjectReference,
  LabelSelector,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
} from '../../../common/api/generated/types.ts'
import { formatQuantity, quantityFromMillis, quantityToMillis } from '../../../common/machinery/quantity.ts'
import type { UsageTarget } from './usage.ts'

interface Named {
  /** As reasons and messages name it. */
  title: string
  /** Reason of the condition when it cannot be measured. */
  failure: string
  /** Before the first error among all metrics. */
  context: string
}
/** Of the target's pods: a resource of metrics.k8s.io, of whole pods or of one container. */
export interface ResourceMetric extends Named {
  type: 'resource'
  target: UsageTarget
}
/** Of the target's pods, from custom.metrics.k8s.io. */
export interface PodsMetric extends Named {
  type: 'pods'
  metric: MetricIdentifier
  target: UsageTarget
}
/** One number, by which the number of pods is chosen. */
interface NumberMetric extends Named {
  metric: MetricIdentifier
  /** Thousandths; undefined: the target says neither. */
  goal: { type: 'value' | 'perPod'; millis: number } | undefined
  /** Before an error about this metric, by the way in which its goal is given. */
  attempt: string
}
export interface ObjectMetric extends NumberMetric {
  type: 'object'
  object: AutoscalingV2CrossVersionObjectReference
}
export interface ExternalMetric extends NumberMetric {
  type: 'external'
}
export type Metric = ResourceMetric | PodsMetric | ObjectMetric | ExternalMetric

export function metricOf(spec: MetricSpec): Metric {
  const { resource, containerResource, pods, object, external } = spec
  if (containerResource !== undefined) {
    const { name, container } = containerResource
    const target = { resource: name, container, ...goalOf(containerResource.target) }
    return {
      type: 'resource',
      target,
      title: titleOf(`${name} container resource`, target),
      failure: 'FailedGetContainerResourceMetric',
      context: `failed to get ${name} container metric value: `,
    }
  }
  if (pods !== undefined) {
    return {
      type: 'pods',
      metric: identifierOf(pods.metric),
      target: { resource: '', averageMillis: quantityToMillis(pods.target.averageValue ?? '0') },
      title: `pods metric ${pods.metric.name}`,
      failure: 'FailedGetPodsMetric',
      context: 'failed to get pods metric value: ',
    }
  }
  if (object !== undefined) {
    const { describedObject, metric, target } = object
    const goal = numberGoalOf(target)
    return {
      type: 'object',
      metric: identifierOf(metric),
      object: describedObject,
      goal,
      title: goal?.type === 'perPod' ? externalTitle(metric) : `${describedObject.kind} metric ${metric.name}`,
      failure: 'FailedGetObjectMetric',
      context: 'failed to get object metric value: ',
      attempt: goal?.type === 'perPod' ? `failed to get ${metric.name} object metric: ` : '',
    }
  }
  if (external !== undefined) {
    const { metric } = external
    const goal = numberGoalOf(external.target)
    return {
      type: 'external',
      metric: identifierOf(metric),
      goal,
      title: externalTitle(metric),
      failure: 'FailedGetExternalMetric',
      context: `failed to get ${metric.name} external metric value: `,
      attempt: goal?.type === 'perPod' ? `failed to get ${metric.name} external metric: ` : '',
    }
  }
  const name = resource?.name ?? ''
  const target = { resource: name, ...goalOf(resource?.target ?? { type: '' }) }
  return {
    type: 'resource',
    target,
    title: titleOf(`${name} resource`, target),
    failure: 'FailedGetResourceMetric',
    context: `failed to get ${name} resource metric value: `,
  }
}

const identifierOf = ({ name, selector }: MetricIdentifier): MetricIdentifier =>
  selector === undefined ? { name } : { name, selector }

function goalOf({
  averageUtilization,
  averageValue,
}: MetricTarget): Pick<UsageTarget, 'utilization' | 'averageMillis'> {
  if (averageUtilization !== undefined) return { utilization: averageUtilization }
  return { averageMillis: quantityToMillis(averageValue ?? '0') }
}

function numberGoalOf({ value, averageValue }: MetricTarget): NumberMetric['goal'] {
  if (value !== undefined) return { type: 'value', millis: quantityToMillis(value) }
  return averageValue === undefined ? undefined : { type: 'perPod', millis: quantityToMillis(averageValue) }
}

const titleOf = (what: string, { utilization }: Pick<UsageTarget, 'utilization'>): string =>
  utilization === undefined ? what : `${what} utilization (percentage of request)`

const externalTitle = ({ name, selector }: MetricIdentifier): string => `external metric ${name}(${formatGo(selector)})`

/** As Go prints the pointer to a selector, which is what people find in conditions. */
export function formatGo(selector: LabelSelector | undefined): string {
  if (selector === undefined) return 'nil'
  const labels = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  )
  const map = labels.map(([key, value]) => `${key}: ${value},`).join('')
  return `&LabelSelector{MatchLabels:map[string]string{${map}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`
}

const quantity = (millis: number): string => formatQuantity(quantityFromMillis(millis))

/** What was measured: thousandths per pod or in all, and percent of the requests. */
export interface Measured {
  averageMillis?: number
  valueMillis?: number
  utilization?: number
}

export function statusOf(metric: Metric, { averageMillis, valueMillis, utilization }: Measured): MetricStatus {
  const current = {
    ...(averageMillis === undefined ? {} : { averageValue: quantity(averageMillis) }),
    ...(valueMillis === undefined ? {} : { value: quantity(valueMillis) }),
    ...(utilization === undefined ? {} : { averageUtilization: utilization }),
  }
  switch (metric.type) {
    case 'pods':
      return { type: 'Pods', pods: { metric: metric.metric, current } }
    case 'object':
      return { type: 'Object', object: { metric: metric.metric, describedObject: metric.object, current } }
    case 'external':
      return { type: 'External', external: { metric: metric.metric, current } }
    case 'resource': {
      const { resource: name, container } = metric.target
      return container === undefined
        ? { type: 'Resource', resource: { name, current } }
        : { type: 'ContainerResource', containerResource: { name, container, current } }
    }
  }
}
