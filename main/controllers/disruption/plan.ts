// Pure: how many pods of a budget may be disrupted now. Same arithmetic as upstream's disruption controller.
import type {
  Condition,
  Pod,
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { scaleValue } from '../deployment/limits.ts'
import { isPodReady, isPodTerminating } from '../pods/pod-state.ts'

/** An eviction that was granted and has not shown as a deletion by then did not happen. */
const evictionTimeoutMs = 120_000
const conditionType = 'DisruptionAllowed'

export interface DisruptionPlan {
  status: PodDisruptionBudgetStatus
  /** Evictions granted and never carried out. */
  overdue: Pod[]
  /** When the next granted eviction runs out. */
  recheckMs?: number
}

/** `scale`: what the owners of the pods want in all, needed unless minAvailable is a number. */
export function planDisruption(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  scale: number,
  nowMs: number,
): DisruptionPlan {
  const { expectedPods, desiredHealthy } = planExpected(budget, pods, scale)
  const { disruptedPods, overdue, recheckMs } = planDisrupted(budget, pods, nowMs)
  const currentHealthy = pods.filter(
    (pod) => !isPodTerminating(pod) && !((pod.metadata.name ?? '') in disruptedPods) && isPodReady(pod),
  ).length
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy)
  const observedGeneration = budget.metadata.generation ?? 0
  const status: PodDisruptionBudgetStatus = {
    currentHealthy,
    desiredHealthy,
    expectedPods,
    disruptionsAllowed,
    observedGeneration,
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    conditions: withAllowed(budget, observedGeneration, nowMs, {
      status: disruptionsAllowed > 0 ? 'True' : 'False',
      reason: disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods',
      message: '',
    }),
  }
  return { status, overdue, ...(recheckMs === undefined ? {} : { recheckMs }) }
}

/** Nobody knows how many pods there should be: no disruption is safe. */
export function planFailure(budget: PodDisruptionBudget, message: string, nowMs: number): PodDisruptionBudgetStatus {
  const observedGeneration = budget.status?.observedGeneration ?? 0
  return {
    ...budget.status,
    disruptionsAllowed: 0,
    conditions: withAllowed(budget, observedGeneration, nowMs, { status: 'False', reason: 'SyncFailed', message }),
  }
}

/** True when the owners' scale decides: minAvailable as a number speaks for itself. */
export const needsScale = ({ spec }: PodDisruptionBudget): boolean =>
  spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string'

function planExpected(
  { spec }: PodDisruptionBudget,
  pods: readonly Pod[],
  scale: number,
): { expectedPods: number; desiredHealthy: number } {
  if (spec?.maxUnavailable !== undefined) {
    const unavailable = scaleValue(spec.maxUnavailable, scale, 'up')
    return { expectedPods: scale, desiredHealthy: Math.max(0, scale - unavailable) }
  }
  if (spec?.minAvailable === undefined) return { expectedPods: 0, desiredHealthy: 0 }
  if (typeof spec.minAvailable === 'number') return { expectedPods: pods.length, desiredHealthy: spec.minAvailable }
  return { expectedPods: scale, desiredHealthy: scaleValue(spec.minAvailable, scale, 'up') }
}

function planDisrupted(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  nowMs: number,
): { disruptedPods: Record<string, string>; overdue: Pod[]; recheckMs?: number } {
  const disruptedPods: Record<string, string> = {}
  const overdue: Pod[] = []
  let recheckMs: number | undefined
  for (const pod of pods) {
    const { name = '' } = pod.metadata
    const grantedAt = budget.status?.disruptedPods?.[name]
    if (grantedAt === undefined || isPodTerminating(pod)) continue
    const leftMs = Date.parse(grantedAt) + evictionTimeoutMs - nowMs
    if (leftMs <= 0) overdue.push(pod)
    else {
      disruptedPods[name] = grantedAt
      recheckMs = Math.min(recheckMs ?? Infinity, leftMs)
    }
  }
  return { disruptedPods, overdue, ...(recheckMs === undefined ? {} : { recheckMs }) }
}

function withAllowed(
  { status }: PodDisruptionBudget,
  observedGeneration: number,
  nowMs: number,
  verdict: { status: string; reason: string; message: string },
): Condition[] {
  const known = status?.conditions ?? []
  const old = known.find(({ type }) => type === conditionType)
  const lastTransitionTime = old?.status === verdict.status ? old.lastTransitionTime : formatTime(nowMs)
  const own = { type: conditionType, ...verdict, observedGeneration, lastTransitionTime }
  return [...known.filter(({ type }) => type !== conditionType), own]
}

/** A pod marked for a disruption that did not come: the mark is taken back after a while. Undefined: nothing to take back. */
export function staleDisruptionMs(pod: Pod, nowMs: number): number | undefined {
  const mark = pod.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')
  if (mark?.status !== 'True' || mark.lastTransitionTime === undefined || isPodTerminating(pod)) return undefined
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return undefined
  return Math.max(0, Date.parse(mark.lastTransitionTime) + evictionTimeoutMs - nowMs)
}
