// Pure decisions of the job controller. Finished pods are counted exactly once by upstream's protocol: every pod carries a finalizer; a
// finished one is first noted in status.uncountedTerminatedPods, then loses its finalizer, then moves into the counts.
import type { Job, JobCondition, JobStatus, Pod } from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { isPodActive, isPodReady, isPodTerminating, restartsOf } from '../pods/pod-state.ts'
import { addCondition, conditionOf, finishedCondition } from './conditions.ts'
import { formatIndexes, parseIndexes } from './indexes.ts'

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'
export const indexAnnotation = 'batch.kubernetes.io/job-completion-index'

export const isIndexed = (job: Job): boolean => job.spec?.completionMode === 'Indexed'
export const isSuspended = (job: Job): boolean => job.spec?.suspend === true
export const isTracked = (pod: Pod): boolean => (pod.metadata.finalizers ?? []).includes(trackingFinalizer)

export function indexOf(pod: Pod): number | undefined {
  const index = Number(pod.metadata.annotations?.[indexAnnotation])
  return Number.isInteger(index) && index >= 0 ? index : undefined
}

const hasSucceeded = (pod: Pod): boolean => pod.status?.phase === 'Succeeded'
/** By default a pod that is being deleted has failed already: its replacement need not wait for its end. */
function hasFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === 'Failed') return true
  return job.spec?.podReplacementPolicy !== 'Failed' && isPodTerminating(pod) && !hasSucceeded(pod)
}

export interface JobPlan {
  status: JobStatus
  /** After the status was written: these pods are noted in it and may lose their finalizer. */
  release: Pod[]
  /** Ended by the job's failure: they count as failed. */
  delete: Pod[]
  /** Not wanted any more (suspended, fewer in parallel): they count as nothing. */
  drop: Pod[]
  /** Completion indexes of the pods to make; undefined for jobs without indexes. */
  create: (number | undefined)[]
  /** Look again after this time. */
  againInMs: number | undefined
  /** Said once, when it becomes true. */
  events: { type: 'Normal' | 'Warning'; reason: string; message: string }[]
}

export interface JobFacts {
  job: Job
  /** Owned pods, as the cache has them. */
  pods: readonly Pod[]
  nowMs: number
  /** Before this time no pods are made, because the last ones failed. */
  backoffUntilMs: number
}

export function planJob({ job, pods, nowMs, backoffUntilMs }: JobFacts): JobPlan {
  const plan: JobPlan = {
    status: { ...job.status },
    release: [],
    delete: [],
    drop: [],
    create: [],
    againInMs: undefined,
    events: [],
  }
  const { status } = plan
  const now = formatTime(nowMs)
  if (status.startTime === undefined && !isSuspended(job)) status.startTime = now
  const counted = countPods(job, pods, status, plan)
  const active = pods.filter((pod) => isPodActive(pod))
  status.terminating = pods.filter(
    (pod) => isPodTerminating(pod) && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed',
  ).length

  const failure = conditionOf(status, 'FailureTarget') ?? failureOf(job, status, pods, counted.failed, nowMs)
  if (failure !== undefined) {
    plan.delete = active
    addCondition(status, { ...failure, type: 'FailureTarget', lastProbeTime: now, lastTransitionTime: now })
  } else if (isComplete(job, active.length, counted.succeeded)) {
    const reached = {
      reason: 'CompletionsReached',
      message: 'Reached expected number of succeeded pods',
      status: 'True',
      lastProbeTime: now,
      lastTransitionTime: now,
    }
    addCondition(status, { ...reached, type: 'SuccessCriteriaMet' })
    plan.drop = active
  } else {
    planSuspension(job, status, active, plan, nowMs)
    if (!isSuspended(job)) planReplicas(job, active, pods, counted, plan, { nowMs, backoffUntilMs })
    planDeadline(job, status, plan, nowMs)
  }
  const staying = active.filter((pod) => !plan.delete.includes(pod) && !plan.drop.includes(pod))
  status.active = staying.length
  status.ready = staying.filter(isPodReady).length
  finish(status, pods, plan, nowMs)
  if (status.active === 0) status.active = undefined
  return plan
}

interface Counted {
  succeeded: number
  failed: number
  succeededIndexes: Set<number>
}

/** Moves finished pods through the stages of being counted; returns the totals as they will be. */
function countPods(job: Job, pods: readonly Pod[], status: JobStatus, plan: JobPlan): Counted {
  const byUid = new Map(pods.map((pod) => [pod.metadata.uid ?? '', pod]))
  const succeededIndexes = parseIndexes(status.completedIndexes)
  const still = (uid: string): boolean => {
    const pod = byUid.get(uid)
    return pod !== undefined && isTracked(pod)
  }
  const settle = (uids: readonly string[] | undefined): { kept: string[]; done: number } => {
    const kept = (uids ?? []).filter(still)
    return { kept, done: (uids ?? []).length - kept.length }
  }
  const succeeded = settle(status.uncountedTerminatedPods?.succeeded)
  const failed = settle(status.uncountedTerminatedPods?.failed)
  if (!isIndexed(job)) status.succeeded = (status.succeeded ?? 0) + succeeded.done
  status.failed = (status.failed ?? 0) + failed.done
  for (const pod of pods) {
    const uid = pod.metadata.uid ?? ''
    if (!isTracked(pod)) continue
    const [done, into] = hasSucceeded(pod) ? [true, succeeded.kept] : [hasFailed(job, pod), failed.kept]
    if (!done) continue
    if (isIndexed(job) && hasSucceeded(pod)) {
      const index = indexOf(pod)
      if (index !== undefined && index < (job.spec?.completions ?? 0)) succeededIndexes.add(index)
    } else if (!into.includes(uid)) into.push(uid)
    plan.release.push(pod)
  }
  if (isIndexed(job)) {
    status.succeeded = succeededIndexes.size
    status.completedIndexes = succeededIndexes.size === 0 ? undefined : formatIndexes(succeededIndexes)
  }
  const waiting = {
    ...(succeeded.kept.length === 0 ? {} : { succeeded: succeeded.kept }),
    ...(failed.kept.length === 0 ? {} : { failed: failed.kept }),
  }
  status.uncountedTerminatedPods = waiting
  return {
    succeeded: (status.succeeded ?? 0) + succeeded.kept.length,
    failed: status.failed + failed.kept.length,
    succeededIndexes,
  }
}

function failureOf(
  job: Job,
  status: JobStatus,
  pods: readonly Pod[],
  failed: number,
  nowMs: number,
): JobCondition | undefined {
  const limit = job.spec?.backoffLimit ?? 6
  if (failed > limit || hasRestartedTooOften(job, pods, limit)) {
    return {
      type: '',
      status: 'True',
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    }
  }
  const deadline = deadlineMs(job, status)
  if (deadline !== undefined && nowMs >= deadline) {
    return {
      type: '',
      status: 'True',
      reason: 'DeadlineExceeded',
      message: 'Job was active longer than specified deadline',
    }
  }
  return undefined
}

/** Pods that restart in place (OnFailure) count by their restarts. */
function hasRestartedTooOften(job: Job, pods: readonly Pod[], limit: number): boolean {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return false
  const restarts = pods
    .filter((pod) => pod.status?.phase === 'Running' || pod.status?.phase === 'Pending')
    .reduce((sum, pod) => sum + restartsOf(pod), 0)
  return limit === 0 ? restarts > 0 : restarts >= limit
}

function deadlineMs(job: Job, status: JobStatus): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds
  if (seconds === undefined || status.startTime === undefined || isSuspended(job)) return undefined
  return Date.parse(status.startTime) + seconds * 1000
}

function planDeadline(job: Job, status: JobStatus, plan: JobPlan, nowMs: number): void {
  const deadline = deadlineMs(job, status)
  if (deadline !== undefined) again(plan, deadline - nowMs)
}

function isComplete(job: Job, active: number, succeeded: number): boolean {
  const { completions } = job.spec ?? {}
  if (completions === undefined) return succeeded > 0 && active === 0
  return succeeded >= completions
}

function planSuspension(job: Job, status: JobStatus, active: readonly Pod[], plan: JobPlan, nowMs: number): void {
  const now = formatTime(nowMs)
  const known = status.conditions?.find(({ type }) => type === 'Suspended')
  if (isSuspended(job)) {
    plan.drop = [...active]
    if (known?.status === 'True') return
    addCondition(status, {
      type: 'Suspended',
      status: 'True',
      reason: 'JobSuspended',
      message: 'Job suspended',
      lastProbeTime: now,
      lastTransitionTime: now,
    })
    plan.events.push({ type: 'Normal', reason: 'Suspended', message: 'Job suspended' })
  } else if (known?.status === 'True') {
    addCondition(status, {
      type: 'Suspended',
      status: 'False',
      reason: 'JobResumed',
      message: 'Job resumed',
      lastProbeTime: now,
      lastTransitionTime: now,
    })
    status.startTime = now
    plan.events.push({ type: 'Normal', reason: 'Resumed', message: 'Job resumed' })
  }
}

function planReplicas(
  job: Job,
  active: readonly Pod[],
  pods: readonly Pod[],
  counted: Counted,
  plan: JobPlan,
  { nowMs, backoffUntilMs }: { nowMs: number; backoffUntilMs: number },
): void {
  const { completions, parallelism = 1 } = job.spec ?? {}
  const wanted =
    completions === undefined
      ? counted.succeeded > 0
        ? Math.min(active.length, parallelism)
        : parallelism
      : Math.min(parallelism, completions - counted.succeeded)
  const deletable = active.filter((pod) => !plan.drop.includes(pod))
  const doubled = isIndexed(job) ? duplicates(deletable, counted.succeededIndexes, completions ?? 0) : []
  const useful = deletable.filter((pod) => !doubled.includes(pod))
  plan.drop.push(...doubled)
  if (useful.length > wanted) {
    plan.drop.push(...[...useful].sort(byReadiness).slice(0, useful.length - wanted))
    return
  }
  // With the policy "Failed" an ending pod keeps its place until it is gone.
  const ending =
    job.spec?.podReplacementPolicy === 'Failed'
      ? pods.filter((pod) => isPodTerminating(pod) && !hasFailed(job, pod) && !hasSucceeded(pod)).length
      : 0
  const missing = wanted - useful.length - ending
  if (missing <= 0) return
  if (nowMs < backoffUntilMs) {
    again(plan, backoffUntilMs - nowMs)
    return
  }
  if (!isIndexed(job)) {
    plan.create = new Array<undefined>(missing).fill(undefined)
    return
  }
  const taken = new Set([...counted.succeededIndexes, ...useful.map(indexOf)])
  for (let index = 0; index < (completions ?? 0) && plan.create.length < missing; index++)
    if (!taken.has(index)) plan.create.push(index)
}

/** Pods of indexes that are done, out of range, or that another pod has already. */
function duplicates(active: readonly Pod[], succeeded: ReadonlySet<number>, completions: number): Pod[] {
  const seen = new Set<number>()
  return [...active]
    .sort((a, b) => byReadiness(b, a))
    .filter((pod) => {
      const index = indexOf(pod)
      if (index === undefined || index >= completions || succeeded.has(index) || seen.has(index)) return true
      seen.add(index)
      return false
    })
}

/** Not placed, not running, not ready, young: first to go. */
function byReadiness(a: Pod, b: Pod): number {
  const rank = (pod: Pod): number =>
    ((pod.spec?.nodeName ?? '') === '' ? 0 : 1) + (pod.status?.phase === 'Running' ? 2 : 0) + (isPodReady(pod) ? 4 : 0)
  const difference = rank(a) - rank(b)
  if (difference !== 0) return difference
  return (a.metadata.creationTimestamp ?? '') > (b.metadata.creationTimestamp ?? '') ? -1 : 1
}

/** Complete and Failed are said only when every pod has ended and is counted. */
function finish(status: JobStatus, pods: readonly Pod[], plan: JobPlan, nowMs: number): void {
  const now = formatTime(nowMs)
  const target = conditionOf(status, 'FailureTarget')
  const met = conditionOf(status, 'SuccessCriteriaMet')
  if (target === undefined && met === undefined) return
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  if (
    status.active !== 0 ||
    (status.terminating ?? 0) > 0 ||
    succeeded.length > 0 ||
    failed.length > 0 ||
    pods.some(isTracked)
  )
    return
  if (target !== undefined) {
    addCondition(status, { ...target, type: 'Failed', lastProbeTime: now, lastTransitionTime: now })
    plan.events.push({ type: 'Warning', reason: target.reason ?? '', message: target.message ?? '' })
  } else if (met !== undefined) {
    addCondition(status, { ...met, type: 'Complete', lastProbeTime: now, lastTransitionTime: now })
    status.completionTime = now
    plan.events.push({ type: 'Normal', reason: 'Completed', message: 'Job completed' })
  }
}

function again(plan: JobPlan, ms: number): void {
  plan.againInMs = plan.againInMs === undefined ? ms : Math.min(plan.againInMs, ms)
}

/** Milliseconds until a finished job is removed (0: now); undefined: it stays. */
export function expiresInMs(job: Job, nowMs: number): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished
  const finished = finishedCondition(job)?.lastTransitionTime
  if (seconds === undefined || finished === undefined) return undefined
  return Math.max(0, Date.parse(finished) + seconds * 1000 - nowMs)
}

/** 10 s after the first failure in a row, doubling, at most 10 minutes. */
export function backoffMs(failuresInRow: number): number {
  return failuresInRow === 0 ? 0 : Math.min(600_000, 10_000 * 2 ** (failuresInRow - 1))
}
