// Pure: how far a job is, from its status and from pods that the status does not know of yet. Nothing is counted twice: a pod counts
// through the status once its UID is noted there, and by itself before.
import type { Job, Pod } from '../../../common/api/generated/types.ts'
import { isIgnored } from './failure-policy.ts'
import { hasFailed, hasSucceeded, hasValidIndex, indexOf, isIndexed, isTracked } from './facts.ts'
import { failedIndexesOf, hasLimitPerIndex } from './index-failures.ts'
import { parseIndexes } from './indexes.ts'

export interface Tally {
  succeeded: number
  failed: number
  succeededIndexes: Set<number>
  /** Of jobs with backoffLimitPerIndex. */
  failedIndexes: Set<number> | undefined
  /** Ended and not in the status yet. */
  newlySucceeded: Pod[]
  newlyFailed: Pod[]
}

export function tallyJob(job: Job, pods: readonly Pod[]): Tally {
  const { status = {}, spec } = job
  const { succeeded: notedSucceeded = [], failed: notedFailed = [] } = status.uncountedTerminatedPods ?? {}
  const noted = new Set([...notedSucceeded, ...notedFailed])
  const fresh = pods.filter((pod) => isTracked(pod) && hasValidIndex(job, pod) && !noted.has(pod.metadata.uid ?? ''))
  const newlySucceeded = fresh.filter(hasSucceeded)
  const newlyFailed = fresh.filter((pod) => hasFailed(job, pod))
  const counting = newlyFailed.filter((pod) => !isIgnored(job, pod))
  const failed = (status.failed ?? 0) + notedFailed.length + counting.length
  const base = { failed, newlySucceeded, newlyFailed }
  if (!isIndexed(job)) {
    const succeeded = (status.succeeded ?? 0) + notedSucceeded.length + newlySucceeded.length
    return { ...base, succeeded, succeededIndexes: new Set(), failedIndexes: undefined }
  }
  const succeededIndexes = parseIndexes(status.completedIndexes, spec?.completions)
  for (const pod of newlySucceeded) succeededIndexes.add(indexOf(pod) ?? -1)
  const failedIndexes = hasLimitPerIndex(job) ? failedIndexesOf(job, pods) : undefined
  return { ...base, succeeded: succeededIndexes.size, succeededIndexes, failedIndexes }
}
