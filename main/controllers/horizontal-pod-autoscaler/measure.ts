// Thin: measures all metrics of an autoscaler. One that cannot be measured is a result like the others.
import type {
  AutoscalingV2HorizontalPodAutoscaler,
  MetricStatus,
  Pod,
  Scale,
} from '../../../common/api/generated/types.ts'
import type { Transport } from '../../../common/client/transport.ts'
import { readExternalMetric, readObjectMetric, readPodsMetric } from './custom-metrics.ts'
import type { ExternalMetric, Measured, Metric, ObjectMetric, PodsMetric, ResourceMetric } from './metric-sources.ts'
import { formatGo, metricOf, statusOf } from './metric-sources.ts'
import { readUsage } from './metrics.ts'
import { proposeByValue, proposePerPod } from './one-number.ts'
import type { Tolerance } from './usage.ts'
import { MetricError, proposeReplicas } from './usage.ts'

export type Measurement =
  | { type: 'measured'; replicas: number; title: string; status: MetricStatus }
  /** `context` goes before the message where it stands for all metrics. */
  | { type: 'failed'; reason: string; message: string; context: string }

export interface MeasureFacts {
  transport: Transport
  autoscaler: AutoscalingV2HorizontalPodAutoscaler
  scale: Scale
  /** Those that the scale's selector means. */
  pods: readonly Pod[]
  nowMs: number
}

/** By how far the usage may be off before anything is done. */
const defaultTolerance = 0.1

export function measureMetrics(facts: MeasureFacts): Promise<Measurement[]> {
  return Promise.all((facts.autoscaler.spec?.metrics ?? []).map((spec) => measure(facts, metricOf(spec))))
}

async function measure(facts: MeasureFacts, metric: Metric): Promise<Measurement> {
  try {
    const { replicas, ...measured } = await propose(facts, metric)
    return { type: 'measured', replicas, title: metric.title, status: statusOf(metric, measured) }
  } catch (error) {
    if (!(error instanceof MetricError)) throw error
    return { type: 'failed', reason: metric.failure, message: error.message, context: metric.context }
  }
}

function propose(facts: MeasureFacts, metric: Metric): Promise<Measured & { replicas: number }> {
  switch (metric.type) {
    case 'resource':
    case 'pods':
      return proposeByPods(facts, metric)
    case 'object':
    case 'external':
      return proposeByNumber(facts, metric)
  }
}

async function proposeByPods(
  facts: MeasureFacts,
  metric: ResourceMetric | PodsMetric,
): Promise<Measured & { replicas: number }> {
  const { autoscaler, scale, pods, nowMs, transport } = facts
  const { target } = metric
  const of = { namespace: autoscaler.metadata.namespace ?? '', labelSelector: scale.status?.selector ?? '' }
  const currentReplicas = scale.spec?.replicas ?? 0
  const base = { pods, target, currentReplicas, tolerance: toleranceOf(autoscaler), nowMs }
  if (metric.type === 'pods')
    return proposeReplicas({ ...base, usages: await readPodsMetric(transport, { ...of, metric: metric.metric }) })
  const { resource, container, utilization } = target
  try {
    return proposeReplicas({ ...base, usages: await readUsage(transport, { ...of, resource, container }) })
  } catch (error) {
    if (!(error instanceof MetricError)) throw error
    const what = utilization === undefined ? 'usage' : 'utilization'
    throw new MetricError(`failed to get ${resource} ${what}: ${error.message}`, { cause: error })
  }
}

async function proposeByNumber(
  facts: MeasureFacts,
  metric: ObjectMetric | ExternalMetric,
): Promise<Measured & { replicas: number }> {
  const { autoscaler, scale, pods } = facts
  const { goal } = metric
  if (goal === undefined)
    throw new MetricError(
      `invalid ${metric.type} metric source: neither a value target nor an average value target was set`,
    )
  const tolerance = toleranceOf(autoscaler)
  try {
    const millis = await readNumber(facts, metric)
    if (goal.type === 'value') {
      const currentReplicas = scale.spec?.replicas ?? 0
      const number = { millis, goalMillis: goal.millis, currentReplicas, pods, tolerance }
      return { replicas: proposeByValue(number), valueMillis: millis }
    }
    return proposePerPod({ millis, goalMillis: goal.millis, statusReplicas: scale.status?.replicas ?? 0, tolerance })
  } catch (error) {
    if (!(error instanceof MetricError)) throw error
    throw new MetricError(`${metric.attempt}${error.message}`, { cause: error })
  }
}

function readNumber({ transport, autoscaler }: MeasureFacts, metric: ObjectMetric | ExternalMetric): Promise<number> {
  const of = { namespace: autoscaler.metadata.namespace ?? '', metric: metric.metric }
  if (metric.type === 'object') return readObjectMetric(transport, { ...of, object: metric.object })
  return readExternalMetric(transport, of, formatGo(metric.metric.selector))
}

function toleranceOf({ spec }: AutoscalingV2HorizontalPodAutoscaler): Tolerance {
  const { scaleUp, scaleDown } = spec?.behavior ?? {}
  return {
    up: Number(scaleUp?.tolerance ?? defaultTolerance),
    down: Number(scaleDown?.tolerance ?? defaultTolerance),
  }
}
