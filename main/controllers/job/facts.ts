// Pure: questions about a job and its pods that its decisions ask.
import type { Job, Pod } from '../../../common/api/generated/types.ts'
import { isPodTerminating } from '../pods/pod-state.ts'

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'
export const indexAnnotation = 'batch.kubernetes.io/job-completion-index'

export const isIndexed = (job: Job): boolean => job.spec?.completionMode === 'Indexed'
export const isSuspended = (job: Job): boolean => job.spec?.suspend === true
export const isTracked = (pod: Pod): boolean => (pod.metadata.finalizers ?? []).includes(trackingFinalizer)

export function indexOf(pod: Pod): number | undefined {
  const index = Number(pod.metadata.annotations?.[indexAnnotation] ?? Number.NaN)
  return Number.isInteger(index) && index >= 0 ? index : undefined
}

/** Pods of indexed jobs count only with an index that the job has. */
export function hasValidIndex(job: Job, pod: Pod): boolean {
  if (!isIndexed(job)) return true
  const index = indexOf(pod)
  return index !== undefined && index < (job.spec?.completions ?? 0)
}

export const hasSucceeded = (pod: Pod): boolean => pod.status?.phase === 'Succeeded'

/** By default a pod that is being deleted has failed already: its replacement need not wait for its end. */
export function hasFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === 'Failed') return true
  return job.spec?.podReplacementPolicy !== 'Failed' && isPodTerminating(pod) && !hasSucceeded(pod)
}

/** Being deleted and not ended yet. */
export const isEnding = (pod: Pod): boolean =>
  isPodTerminating(pod) && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed'

/** When the pod's last container ended; as near as can be said when not all of them tell. Milliseconds. */
export function finishedAtMs(pod: Pod): number {
  const statuses = pod.status?.containerStatuses ?? []
  const ends = statuses.map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ''))
  if (ends.length > 0 && !ends.some(Number.isNaN)) return Math.max(...ends)
  const ready = pod.status?.conditions?.find(({ type, status }) => type === 'Ready' && status === 'False')
  if (ready?.lastTransitionTime !== undefined) return Date.parse(ready.lastTransitionTime)
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp = '' } = pod.metadata
  if (deletionTimestamp !== undefined) return Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000
  return Date.parse(creationTimestamp)
}
