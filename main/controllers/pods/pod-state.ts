// Questions about a pod that several controllers ask the same way.
import type { Pod, PodCondition } from '../../../common/api/generated/types.ts'

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type)
}

export const isPodReady = (pod: Pod): boolean => podCondition(pod, 'Ready')?.status === 'True'

export const isPodFinished = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

export const isPodTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined

/** Neither finished nor being deleted. */
export const isPodActive = (pod: Pod): boolean => !isPodFinished(pod) && !isPodTerminating(pod)

/** Ready for at least `minReadySeconds` without a break. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  return availableInMs(pod, minReadySeconds, nowMs) === 0
}

/** 0: available now; undefined: not ready, so nobody knows. */
export function availableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  const ready = podCondition(pod, 'Ready')
  if (ready?.status !== 'True') return undefined
  if (minReadySeconds === 0) return 0
  if (ready.lastTransitionTime === undefined) return undefined
  return Math.max(0, Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000 - nowMs)
}

export function restartsOf(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount))
}
