// Pure: backoffLimitPerIndex. How often an index has failed is remembered by its newest failed pod, which therefore keeps its finalizer
// until its successor, which carries the count on in annotations, has been made.
import type { Job, Pod } from '../../../common/api/generated/types.ts'
import { isPodActive } from '../pods/pod-state.ts'
import type { BackoffRecord } from './backoff.ts'
import { failureVerdict, isIgnored } from './failure-policy.ts'
import { finishedAtMs, hasFailed, hasValidIndex, indexOf, isTracked } from './facts.ts'
import { parseIndexes } from './indexes.ts'

const countAnnotation = 'batch.kubernetes.io/job-index-failure-count'
const ignoredAnnotation = 'batch.kubernetes.io/job-index-ignored-failure-count'

export const hasLimitPerIndex = (job: Job): boolean => job.spec?.backoffLimitPerIndex !== undefined

function annotated(pod: Pod, annotation: string): number {
  const count = Number(pod.metadata.annotations?.[annotation] ?? 0)
  return Number.isInteger(count) && count > 0 ? count : 0
}
const failuresBefore = (pod: Pod): number => annotated(pod, countAnnotation) + annotated(pod, ignoredAnnotation)

/** The indexes that are given up. */
export function failedIndexesOf(job: Job, pods: readonly Pod[]): Set<number> {
  const failed = parseIndexes(job.status?.failedIndexes, job.spec?.completions)
  for (const pod of pods)
    if (isTracked(pod) && hasValidIndex(job, pod) && hasFailed(job, pod) && isLast(job, pod))
      failed.add(indexOf(pod) ?? -1)
  return failed
}

function isLast(job: Job, pod: Pod): boolean {
  const action = failureVerdict(job, pod)?.action
  if (action === 'FailIndex') return true
  return action !== 'Ignore' && annotated(pod, countAnnotation) >= (job.spec?.backoffLimitPerIndex ?? 0)
}

/** By index, the failed pod whose successor is still to be made. */
export function awaitingSuccessor(
  job: Job,
  pods: readonly Pod[],
  isDone: (index: number) => boolean,
): Map<number, Pod> {
  const active = new Set(pods.filter(isPodActive).map(indexOf))
  const awaiting = new Map<number, Pod>()
  for (const pod of pods) {
    if (!isTracked(pod) || !hasValidIndex(job, pod) || !hasFailed(job, pod)) continue
    const index = indexOf(pod) ?? -1
    if (active.has(index) || isDone(index)) continue
    const known = awaiting.get(index)
    const isNewer =
      known === undefined || (failuresBefore(pod) >= failuresBefore(known) && finishedAtMs(pod) >= finishedAtMs(known))
    if (isNewer) awaiting.set(index, pod)
  }
  return awaiting
}

/** What the next pod of the index carries on. */
export function successorAnnotations(job: Job, failed: Pod | undefined): Record<string, string> {
  if (failed === undefined) return { [countAnnotation]: '0' }
  const ignored = isIgnored(job, failed) ? 1 : 0
  const ignoredCount = annotated(failed, ignoredAnnotation) + ignored
  return {
    [countAnnotation]: String(annotated(failed, countAnnotation) + 1 - ignored),
    ...(ignoredCount === 0 ? {} : { [ignoredAnnotation]: String(ignoredCount) }),
  }
}

export const backoffOfIndex = (failed: Pod): BackoffRecord => ({
  failuresInRow: failuresBefore(failed) + 1,
  lastFailureMs: finishedAtMs(failed),
})
