// Pure: how many replicas one number asks for that is not measured per pod: of an object, or from outside the cluster.
import type { Pod } from '../../../common/api/generated/types.ts'
import { isPodReady } from '../pods/pod-state.ts'
import type { Tolerance } from './usage.ts'
import { isWithin, MetricError } from './usage.ts'

/** The number as a whole has a goal: as many times the ready pods as it is of the goal. */
export function proposeByValue(facts: {
  millis: number
  goalMillis: number
  currentReplicas: number
  pods: readonly Pod[]
  tolerance: Tolerance
}): number {
  const { currentReplicas, pods } = facts
  const ratio = facts.millis / facts.goalMillis
  // Up from nothing: there are no pods to multiply.
  if (currentReplicas === 0) return Math.ceil(ratio)
  if (isWithin(ratio, facts.tolerance)) return currentReplicas
  if (pods.length === 0)
    throw new MetricError(
      'unable to calculate ready pods: no pods returned by selector while calculating replica count',
    )
  return Math.ceil(ratio * pods.filter((pod) => pod.status?.phase === 'Running' && isPodReady(pod)).length)
}

/** Each pod has a goal: so many pods that none has more. */
export function proposePerPod(facts: {
  millis: number
  goalMillis: number
  statusReplicas: number
  tolerance: Tolerance
}): { replicas: number; averageMillis: number } {
  const { millis, goalMillis, statusReplicas } = facts
  const ratio = millis / (goalMillis * statusReplicas)
  const replicas = isWithin(ratio, facts.tolerance) ? statusReplicas : Math.ceil(millis / goalMillis)
  return { replicas, averageMillis: statusReplicas === 0 ? 0 : Math.ceil(millis / statusReplicas) }
}
