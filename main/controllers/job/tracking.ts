// Pure: finished pods are counted exactly once, by upstream's protocol. Every pod carries a finalizer; a finished one is first noted in
// status.uncountedTerminatedPods, then loses its finalizer, then moves into the counts.
import type { Job, JobStatus, Pod } from '../../../common/api/generated/types.ts'
import { isIgnored } from './failure-policy.ts'
import { hasFailed, hasSucceeded, hasValidIndex, isIndexed, isTracked } from './facts.ts'
import { formatIndexes } from './indexes.ts'
import type { Tally } from './tally.ts'
import type { Verdict } from './verdict.ts'

/** UIDs noted at a time: the status must stay small. */
const maxUncounted = 500

export interface TrackingFacts {
  job: Job
  pods: readonly Pod[]
  tally: Tally
  verdict: Verdict | undefined
  /** Keeps its finalizer for now. */
  isHeld: (pod: Pod) => boolean
}

/** Changes the counts of `status`; returns the pods that may lose their finalizer once it is written. */
export function planTracking(facts: TrackingFacts, status: JobStatus): Pod[] {
  const { job, pods, tally, verdict } = facts
  settle(job, pods, status)
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  const noted = { succeeded: [...succeeded], failed: [...failed] }
  const release: Pod[] = []
  for (const pod of pods) {
    if (!isTracked(pod)) continue
    const hasEnded = hasSucceeded(pod) || hasFailed(job, pod)
    if (verdict === undefined && (!hasEnded || facts.isHeld(pod))) continue
    if (noted.succeeded.length + noted.failed.length >= maxUncounted) break
    note(facts, pod, noted)
    release.push(pod)
  }
  status.uncountedTerminatedPods = {
    ...(noted.succeeded.length === 0 ? {} : { succeeded: noted.succeeded }),
    ...(noted.failed.length === 0 ? {} : { failed: noted.failed }),
  }
  if (isIndexed(job)) {
    status.succeeded = tally.succeededIndexes.size
    status.completedIndexes = tally.succeededIndexes.size === 0 ? undefined : formatIndexes(tally.succeededIndexes)
    if (tally.failedIndexes !== undefined) status.failedIndexes = formatIndexes(tally.failedIndexes)
  }
  return release
}

function note({ job, verdict }: TrackingFacts, pod: Pod, noted: { succeeded: string[]; failed: string[] }): void {
  const uid = pod.metadata.uid ?? ''
  if (noted.succeeded.includes(uid) || noted.failed.includes(uid)) return
  if (hasSucceeded(pod)) {
    // An index is counted by itself.
    if (!isIndexed(job)) noted.succeeded.push(uid)
    return
  }
  // What still ran when the job failed has failed with it.
  if (!hasFailed(job, pod) && verdict?.type !== 'FailureTarget') return
  if (hasValidIndex(job, pod) && !isIgnored(job, pod)) noted.failed.push(uid)
}

/** Pods that were noted and have lost their finalizer, or are gone, move into the counts. */
function settle(job: Job, pods: readonly Pod[], status: JobStatus): void {
  const tracked = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid))
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  const keptSucceeded = succeeded.filter((uid) => tracked.has(uid))
  const keptFailed = failed.filter((uid) => tracked.has(uid))
  if (!isIndexed(job)) status.succeeded = (status.succeeded ?? 0) + succeeded.length - keptSucceeded.length
  status.failed = (status.failed ?? 0) + failed.length - keptFailed.length
  status.uncountedTerminatedPods = { succeeded: keptSucceeded, failed: keptFailed }
}
