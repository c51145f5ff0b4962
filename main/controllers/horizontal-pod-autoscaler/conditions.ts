// Pure: the conditions of an autoscaler.
import type { HorizontalPodAutoscalerCondition } from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'

export interface ConditionChange {
  type: 'AbleToScale' | 'ScalingActive' | 'ScalingLimited'
  status: 'True' | 'False'
  reason: string
  message: string
}

/** The list with the condition in its place; the time changes only with the status. */
export function withCondition(
  conditions: readonly HorizontalPodAutoscalerCondition[],
  change: ConditionChange,
  nowMs: number,
): HorizontalPodAutoscalerCondition[] {
  const known = conditions.find(({ type }) => type === change.type)
  const lastTransitionTime = known?.status === change.status ? known.lastTransitionTime : formatTime(nowMs)
  const condition = { ...change, lastTransitionTime }
  return known === undefined
    ? [...conditions, condition]
    : conditions.map((other) => (other === known ? condition : other))
}
