// Thin: measures all metrics of an autoscaler. One that cannot be measured is a result like the others.
import type {
  AutoscalingV2HorizontalPodAutoscaler,
  MetricStatus,
  Pod,
  Scale,
} from '../../../common/api/generated/types.ts'
import type { Transport } from '../../../common/client/transport.ts'
import { matchesLabels, parseLabelSelector } from '../../../common/machinery/labels.ts'
import type { ResourceMetric } from './metric-sources.ts'
import { metricOf, statusOf } from './metric-sources.ts'
import { readUsage } from './metrics.ts'
import { MetricError, proposeReplicas } from './usage.ts'

export type Measurement =
  | { type: 'measured'; replicas: number; title: string; status: MetricStatus }
  | { type: 'failed'; reason: string; message: string }

export interface MeasureFacts {
  transport: Transport
  autoscaler: AutoscalingV2HorizontalPodAutoscaler
  scale: Scale
  /** Of the namespace. */
  pods: readonly Pod[]
  nowMs: number
}

/** By how far the usage may be off before anything is done. */
const defaultTolerance = 0.1

/** Undefined: the target does not say which pods are its own. */
export async function measureMetrics(facts: MeasureFacts): Promise<Measurement[] | undefined> {
  const selector = facts.scale.status?.selector ?? ''
  if (selector === '') return undefined
  const selected = parseLabelSelector(selector)
  const pods = facts.pods.filter(({ metadata }) => matchesLabels(selected, metadata.labels))
  const metrics = (facts.autoscaler.spec?.metrics ?? []).map(metricOf)
  return Promise.all(
    metrics.map(async (metric): Promise<Measurement> =>
      metric.type === 'unread'
        ? { type: 'failed', reason: metric.failure, message: metric.message }
        : await measure({ ...facts, pods }, metric, selector),
    ),
  )
}

async function measure(facts: MeasureFacts, metric: ResourceMetric, labelSelector: string): Promise<Measurement> {
  const { autoscaler, scale, pods, nowMs } = facts
  const { target } = metric
  const { scaleUp, scaleDown } = autoscaler.spec?.behavior ?? {}
  const tolerance = {
    up: Number(scaleUp?.tolerance ?? defaultTolerance),
    down: Number(scaleDown?.tolerance ?? defaultTolerance),
  }
  const { resource, container } = target
  try {
    const query = { namespace: autoscaler.metadata.namespace ?? '', labelSelector, resource, container }
    const usages = await readUsage(facts.transport, query)
    const currentReplicas = scale.spec?.replicas ?? 0
    const proposal = proposeReplicas({ pods, usages, target, currentReplicas, tolerance, nowMs })
    return { type: 'measured', replicas: proposal.replicas, title: metric.title, status: statusOf(metric, proposal) }
  } catch (error) {
    if (!(error instanceof MetricError)) throw error
    const what = target.utilization === undefined ? 'usage' : 'utilization'
    return { type: 'failed', reason: metric.failure, message: `failed to get ${resource} ${what}: ${error.message}` }
  }
}
