// Pure: one step of a job's life, put together from its parts: how far it is (tally), whether its end is decided (verdict), which pods
// it needs (replicas) and how ended ones are counted (tracking).
import type { Job, JobStatus, Pod } from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { isPodActive, isPodReady } from '../pods/pod-state.ts'
import type { BackoffRecord } from './backoff.ts'
import { nextRecord } from './backoff.ts'
import { addCondition, conditionOf } from './conditions.ts'
import { indexOf, isEnding, isSuspended, isTracked } from './facts.ts'
import { awaitingSuccessor, hasLimitPerIndex } from './index-failures.ts'
import type { NewPod } from './replicas.ts'
import { planReplicas } from './replicas.ts'
import { tallyJob } from './tally.ts'
import { planTracking } from './tracking.ts'
import { conditionFor, deadlineMs, planVerdict } from './verdict.ts'

export interface JobPlan {
  status: JobStatus
  /** After the status was written: these pods are noted in it and may lose their finalizer. */
  release: Pod[]
  /** Ended by the job's end. */
  delete: Pod[]
  /** Not wanted any more (suspended, fewer in parallel): they count as nothing. */
  drop: Pod[]
  create: NewPod[]
  /** To be remembered once the status is written. */
  backoff: BackoffRecord
  /** Look again after this time. */
  againInMs: number | undefined
  /** Said once, when it becomes true. */
  events: { type: 'Normal' | 'Warning'; reason: string; message: string }[]
}

export interface JobFacts {
  job: Job
  /** Owned pods, as the cache has them. */
  pods: readonly Pod[]
  backoff: BackoffRecord
  nowMs: number
}

export function planJob({ job, pods, backoff, nowMs }: JobFacts): JobPlan {
  const status: JobStatus = { ...job.status }
  if (status.startTime === undefined && !isSuspended(job)) status.startTime = formatTime(nowMs)
  const active = pods.filter(isPodActive)
  const tally = tallyJob(job, pods)
  const plan: JobPlan = {
    status,
    release: [],
    delete: [],
    drop: [],
    create: [],
    backoff: nextRecord(backoff, tally.newlySucceeded, tally.newlyFailed),
    againInMs: undefined,
    events: [],
  }
  const verdict = planVerdict({ job, status, pods, tally, nowMs })
  const isDone = (index: number): boolean =>
    tally.succeededIndexes.has(index) || tally.failedIndexes?.has(index) === true
  const awaiting = hasLimitPerIndex(job) ? awaitingSuccessor(job, pods, isDone) : new Map<number, Pod>()
  if (verdict !== undefined) {
    plan.delete = active
    addCondition(status, conditionFor(verdict.type, verdict, nowMs))
  } else {
    planSuspension(job, plan, nowMs)
    if (isSuspended(job)) plan.drop = active
    else {
      const facts = { job, pods, active, tally, awaiting, backoff: plan.backoff, nowMs }
      Object.assign(plan, planReplicas(facts))
    }
    const deadline = deadlineMs(job, status)
    if (deadline !== undefined) plan.againInMs = Math.min(plan.againInMs ?? Infinity, deadline - nowMs)
  }
  const isHeld = (pod: Pod): boolean => awaiting.get(indexOf(pod) ?? -1) === pod
  plan.release = planTracking({ job, pods, tally, verdict, isHeld }, status)
  planCounts(active, pods, plan)
  planFinish(job, pods, plan, nowMs)
  if (status.active === 0) status.active = undefined
  return plan
}

function planSuspension(job: Job, { status, events }: JobPlan, nowMs: number): void {
  const isKnown = conditionOf(status, 'Suspended') !== undefined
  // The deadline counts anew from where the job is resumed; only a suspended job may lose its start.
  if (isSuspended(job)) status.startTime = undefined
  if (isSuspended(job) === isKnown) return
  if (isKnown) {
    const resumed = conditionFor('Suspended', { reason: 'JobResumed', message: 'Job resumed' }, nowMs)
    addCondition(status, { ...resumed, status: 'False' })
    events.push({ type: 'Normal', reason: 'Resumed', message: 'Job resumed' })
    return
  }
  addCondition(status, conditionFor('Suspended', { reason: 'JobSuspended', message: 'Job suspended' }, nowMs))
  events.push({ type: 'Normal', reason: 'Suspended', message: 'Job suspended' })
}

function planCounts(active: readonly Pod[], pods: readonly Pod[], plan: JobPlan): void {
  const leaving = new Set([...plan.delete, ...plan.drop])
  const staying = active.filter((pod) => !leaving.has(pod))
  plan.status.active = staying.length
  plan.status.ready = staying.filter(isPodReady).length
  plan.status.terminating = pods.filter(isEnding).length + leaving.size
}

/** Complete and Failed are said only when every pod has ended and is counted. */
function planFinish(job: Job, pods: readonly Pod[], { status, events }: JobPlan, nowMs: number): void {
  const target = conditionOf(status, 'FailureTarget')
  const met = conditionOf(status, 'SuccessCriteriaMet')
  const decided = target ?? met
  if (decided === undefined) return
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  const isOpen = status.active !== 0 || (status.terminating ?? 0) > 0 || succeeded.length + failed.length > 0
  if (isOpen || pods.some(isTracked)) return
  // Its last pods may have ended while it was suspended.
  status.startTime ??= formatTime(nowMs)
  const { reason = '', message = '' } = decided
  if (target !== undefined) {
    addCondition(status, conditionFor('Failed', { reason, message }, nowMs))
    events.push({ type: 'Warning', reason, message })
    return
  }
  addCondition(status, conditionFor('Complete', { reason, message }, nowMs))
  status.completionTime = formatTime(nowMs)
  const { completions } = job.spec ?? {}
  if (completions !== undefined && (status.succeeded ?? 0) > completions) {
    const tooMany = 'Too many succeeded pods running after completion count reached'
    events.push({ type: 'Warning', reason: 'TooManySucceededPods', message: tooMany })
  }
  events.push({ type: 'Normal', reason: 'Completed', message: 'Job completed' })
}
