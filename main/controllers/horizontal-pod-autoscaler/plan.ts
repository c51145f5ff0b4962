// Pure: from what was measured to the size the target should have, and to what the autoscaler's status says about it.
import type {
  AutoscalingV2HorizontalPodAutoscaler as Autoscaler,
  AutoscalingV2HorizontalPodAutoscalerStatus as AutoscalerStatus,
} from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { ConditionChange } from './conditions.ts'
import { withCondition } from './conditions.ts'
import type { ScalingHistory } from './limits.ts'
import { limitReplicas } from './limits.ts'
import type { Measurement } from './measure.ts'
import type { FoundScale } from './scale-target.ts'
import type { SelectionProblem } from './selection.ts'

export interface ScaleFacts {
  autoscaler: Autoscaler
  found: FoundScale
  /** Undefined: there is no scale. */
  measured: readonly Measurement[] | SelectionProblem | undefined
  history: ScalingHistory
  nowMs: number
}

export interface ScalePlan {
  /** As it is when the rescale, if any, succeeds. */
  status: AutoscalerStatus
  /** As it is when it does not. */
  failed(error: unknown): AutoscalerStatus
  rescaleTo: number | undefined
  why: string
  /** To be remembered: what the metrics alone asked for. */
  recommended: number | undefined
  events: { type: 'Normal' | 'Warning'; reason: string; message: string }[]
}

export function planScale(facts: ScaleFacts): ScalePlan {
  const { autoscaler, found, nowMs } = facts
  const { status } = autoscaler
  const plan: ScalePlan = {
    status: { ...status, desiredReplicas: status?.desiredReplicas ?? 0, conditions: status?.conditions ?? [] },
    failed: () => plan.status,
    rescaleTo: undefined,
    why: '',
    recommended: undefined,
    events: [],
  }
  const note = (change: ConditionChange): void => {
    plan.status.conditions = withCondition(plan.status.conditions ?? [], change, nowMs)
  }
  if (found.scale === undefined) {
    plan.events.push({ type: 'Warning', reason: 'FailedGetScale', message: found.error })
    const message = `the HPA controller was unable to get the target's current scale: ${found.error}`
    note({ type: 'AbleToScale', status: 'False', reason: 'FailedGetScale', message })
    return plan
  }
  const got = "the HPA controller was able to get the target's current scale"
  note({ type: 'AbleToScale', status: 'True', reason: 'SucceededGetScale', message: got })
  const current = found.scale.spec?.replicas ?? 0
  plan.status.currentReplicas = current
  const desired = planSize(facts, current, plan, note)
  if (desired === undefined) return plan
  plan.status.desiredReplicas = desired
  if (desired !== current) planRescale(plan, desired, note, nowMs)
  return plan
}

type Note = (change: ConditionChange) => void

/** Undefined: nothing is known, the size stays as the status has it. */
function planSize(facts: ScaleFacts, current: number, plan: ScalePlan, note: Note): number | undefined {
  const { spec } = facts.autoscaler
  const min = spec?.minReplicas ?? 1
  const max = spec?.maxReplicas ?? 1
  if (current === 0 && min !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero'
    note({ type: 'ScalingActive', status: 'False', reason: 'ScalingDisabled', message })
    return 0
  }
  if (current > max) {
    plan.why = 'Current number of replicas above Spec.MaxReplicas'
    return max
  }
  if (current < min) {
    plan.why = 'Current number of replicas below Spec.MinReplicas'
    return min
  }
  const proposed = planMetrics(facts, current, plan, note)
  if (proposed === undefined || spec === undefined) return undefined
  plan.recommended = proposed.replicas
  if (proposed.replicas > current) plan.why = `${proposed.title} above target`
  else if (proposed.replicas < current) plan.why = 'All metrics below target'
  const { history, nowMs } = facts
  const { replicas, able, limited } = limitReplicas({ spec, current, desired: proposed.replicas, history, nowMs })
  note({ type: 'AbleToScale', status: 'True', ...able })
  note({ type: 'ScalingLimited', ...limited })
  return replicas
}

/** The largest of what the metrics ask for. */
function planMetrics(
  { measured }: ScaleFacts,
  current: number,
  plan: ScalePlan,
  note: Note,
): { replicas: number; title: string } | undefined {
  if (measured === undefined) return undefined
  const failed = (message: string): undefined => {
    plan.events.push({ type: 'Warning', reason: 'FailedComputeMetricsReplicas', message })
  }
  if ('told' in measured) {
    const { event, told, reason, message } = measured
    plan.events.push({ type: 'Warning', reason: event, message: told })
    note({ type: 'ScalingActive', status: 'False', reason, message })
    return failed(told)
  }
  let best: { replicas: number; title: string } | undefined
  const failures: { reason: string; message: string; context: string }[] = []
  for (const metric of measured) {
    if (metric.type === 'failed') {
      failures.push(metric)
      plan.events.push({ type: 'Warning', reason: metric.reason, message: metric.message })
    } else if (best === undefined || metric.replicas > best.replicas) best = metric
  }
  const [first] = failures
  // What is unknown may be why there are so many: without it nothing is taken away.
  if (first !== undefined && (best === undefined || best.replicas < current)) {
    const counts = `${String(failures.length)} invalid out of ${String(measured.length)}`
    const why = `the HPA was unable to compute the replica count: ${first.message}`
    note({ type: 'ScalingActive', status: 'False', reason: first.reason, message: why })
    return failed(`invalid metrics (${counts}), first error is: ${first.context}${first.message}`)
  }
  // In the order of the spec: one that is unknown keeps its place.
  plan.status.currentMetrics = measured.map((metric) => (metric.type === 'measured' ? metric.status : { type: '' }))
  if (best === undefined) return undefined
  const message = `the HPA was able to successfully calculate a replica count from ${best.title}`
  note({ type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound', message })
  return best
}

function planRescale(plan: ScalePlan, desired: number, note: Note, nowMs: number): void {
  const before = plan.status
  plan.rescaleTo = desired
  plan.failed = (error) => {
    const why = error instanceof Error ? error.message : String(error)
    const message = `the HPA controller was unable to update the target scale: ${why}`
    const change = { type: 'AbleToScale', status: 'False', reason: 'FailedUpdateScale', message } as const
    return {
      ...before,
      desiredReplicas: before.currentReplicas ?? 0,
      conditions: withCondition(before.conditions ?? [], change, nowMs),
    }
  }
  plan.status = { ...before, lastScaleTime: formatTime(nowMs) }
  const message = `the HPA controller was able to update the target scale to ${String(desired)}`
  note({ type: 'AbleToScale', status: 'True', reason: 'SucceededRescale', message })
}
