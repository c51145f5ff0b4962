// Pure: whether the job's end is decided, and how. FailureTarget and SuccessCriteriaMet say so first; Failed and Complete follow when
// the last pod has ended and is counted.
import type { Job, JobCondition, JobStatus, Pod } from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { conditionOf } from './conditions.ts'
import { failureVerdict } from './failure-policy.ts'
import { hasFailed, isIndexed, isSuspended } from './facts.ts'
import { successPolicyMet } from './success-policy.ts'
import type { Tally } from './tally.ts'

export interface Verdict {
  type: 'FailureTarget' | 'SuccessCriteriaMet'
  reason: string
  message: string
}

export interface VerdictFacts {
  job: Job
  /** As it will be written. */
  status: JobStatus
  pods: readonly Pod[]
  tally: Tally
  nowMs: number
}

export function planVerdict(facts: VerdictFacts): Verdict | undefined {
  const { job, status, pods, tally } = facts
  const known = conditionOf(status, 'SuccessCriteriaMet') ?? conditionOf(status, 'FailureTarget')
  if (known !== undefined)
    return { type: known.type as Verdict['type'], reason: known.reason ?? '', message: known.message ?? '' }
  const fail = (reason: string, message: string): Verdict => ({ type: 'FailureTarget', reason, message })
  const fatal = pods
    .filter((pod) => hasFailed(job, pod))
    .map((pod) => failureVerdict(job, pod))
    .find((verdict) => verdict?.action === 'FailJob')
  if (fatal !== undefined) return fail('PodFailurePolicy', fatal.message)
  if (tally.failed > (job.spec?.backoffLimit ?? 6) || hasRestartedTooOften(job, pods))
    return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  const deadline = deadlineMs(job, status)
  if (deadline !== undefined && facts.nowMs >= deadline)
    return fail('DeadlineExceeded', 'Job was active longer than specified deadline')
  return indexVerdict(job, tally) ?? completion(job, pods, tally)
}

function indexVerdict(job: Job, { failedIndexes, succeededIndexes }: Tally): Verdict | undefined {
  if (!isIndexed(job)) return undefined
  const { maxFailedIndexes, completions = 0 } = job.spec ?? {}
  const failed = failedIndexes?.size ?? 0
  if (maxFailedIndexes !== undefined && failed > maxFailedIndexes) {
    const message = 'Job has exceeded the specified maximal number of failed indexes'
    return { type: 'FailureTarget', reason: 'MaxFailedIndexesExceeded', message }
  }
  if (failed > 0 && failed + succeededIndexes.size >= completions)
    return { type: 'FailureTarget', reason: 'FailedIndexes', message: 'Job has failed indexes' }
  const message = successPolicyMet(job, succeededIndexes)
  return message === undefined ? undefined : { type: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message }
}

/** Enough pods have succeeded. Jobs without a number are done when any has and none runs any more. */
function completion(job: Job, pods: readonly Pod[], { succeeded }: Tally): Verdict | undefined {
  const { completions } = job.spec ?? {}
  const isRunning = (pod: Pod): boolean =>
    pod.metadata.deletionTimestamp === undefined && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed'
  const done = completions === undefined ? succeeded > 0 && !pods.some(isRunning) : succeeded >= completions
  if (!done) return undefined
  const message = 'Reached expected number of succeeded pods'
  return { type: 'SuccessCriteriaMet', reason: 'CompletionsReached', message }
}

/** Pods that restart in place (OnFailure) count by their restarts. */
function hasRestartedTooOften(job: Job, pods: readonly Pod[]): boolean {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return false
  const limit = job.spec.backoffLimit ?? 6
  let restarts = 0
  for (const { status } of pods) {
    if (status?.phase !== 'Running' && status?.phase !== 'Pending') continue
    for (const container of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])])
      restarts += container.restartCount
  }
  return limit === 0 ? restarts > 0 : restarts >= limit
}

/** When the job must be over; suspended jobs have all the time. */
export function deadlineMs(job: Job, status: JobStatus): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds
  if (seconds === undefined || status.startTime === undefined || isSuspended(job)) return undefined
  return Date.parse(status.startTime) + seconds * 1000
}

export const conditionFor = (
  type: string,
  { reason, message }: Pick<Verdict, 'reason' | 'message'>,
  nowMs: number,
): JobCondition => ({
  type,
  status: 'True',
  reason,
  message,
  lastProbeTime: formatTime(nowMs),
  lastTransitionTime: formatTime(nowMs),
})
