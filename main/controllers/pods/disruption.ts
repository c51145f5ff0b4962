import type { Pod, PodCondition } from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'

/** The pod's conditions with the one that says why the cluster, not the user, ends it. */
export function withDisruption(pod: Pod, reason: string, message: string, nowMs: number): PodCondition[] {
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'DisruptionTarget')
  const { generation } = pod.metadata
  const lastTransitionTime = formatTime(nowMs)
  return [
    ...others,
    { type: 'DisruptionTarget', status: 'True', reason, message, lastTransitionTime, observedGeneration: generation },
  ]
}
