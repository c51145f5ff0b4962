// Pure decisions of the cron job controller: what its jobs' ends mean for the status, whether a job is due, which old ones go.
import type { CronJob, CronJobStatus, Job, ObjectReference } from '../../../common/api/generated/types.ts'
import { referenceTo } from '../../../common/client/event-recorder.ts'
import type { CronSchedule } from '../../../common/machinery/cron/schedule.ts'
import { cronSchedule } from '../../../common/machinery/cron/schedule.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { conditionOf, finishedCondition } from '../job/conditions.ts'

export interface CronEvent {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
}

export interface CronPlan {
  /** Without the job that is to be made. */
  status: CronJobStatus
  events: CronEvent[]
  /** Still running ones that the next replaces. */
  replace: ObjectReference[]
  /** Finished ones beyond the history limits. */
  expire: Job[]
  /** The time for which a job is to be made now. */
  dueMs: number | undefined
  againInMs: number | undefined
}

export interface CronFacts {
  cronJob: CronJob
  /** Owned jobs. */
  jobs: readonly Job[]
  nowMs: number
}

/** Missed starts beyond which something must be wrong. */
const tooManyMissed = 100
/** A little late rather than a little early: clocks differ. */
const marginMs = 100

export function planCronJob({ cronJob, jobs, nowMs }: CronFacts): CronPlan {
  const plan: CronPlan = {
    status: { ...cronJob.status, active: [...(cronJob.status?.active ?? [])] },
    events: [],
    replace: [],
    expire: [],
    dueMs: undefined,
    againInMs: undefined,
  }
  noteJobs(jobs, plan)
  plan.expire = expired(cronJob, jobs)
  const deleting = cronJob.metadata.deletionTimestamp !== undefined
  if (!deleting && cronJob.spec?.suspend !== true) planStart(cronJob, plan, nowMs)
  if (plan.status.active?.length === 0) delete plan.status.active
  return plan
}

/** Jobs that finished leave the list of active ones; so do those that are gone. */
function noteJobs(jobs: readonly Job[], { status, events }: CronPlan): void {
  const isActive = (job: Job): boolean => status.active?.some(({ uid }) => uid === job.metadata.uid) === true
  for (const job of jobs) {
    const name = job.metadata.name ?? ''
    const finished = finishedCondition(job)
    if (finished === undefined) {
      if (!isActive(job)) {
        const message = `Saw a job that the controller did not create or forgot: ${name}`
        events.push({ type: 'Warning', reason: 'UnexpectedJob', message })
      }
      continue
    }
    if (isActive(job)) {
      status.active = status.active?.filter(({ uid }) => uid !== job.metadata.uid)
      const message = `Saw completed job: ${name}, condition: ${finished.type}`
      events.push({ type: 'Normal', reason: 'SawCompletedJob', message })
    }
    const { completionTime } = job.status ?? {}
    if (finished.type === 'Complete' && completionTime !== undefined)
      if (status.lastSuccessfulTime === undefined || status.lastSuccessfulTime < completionTime)
        status.lastSuccessfulTime = completionTime
  }
  const known = new Set(jobs.map(({ metadata }) => metadata.uid))
  for (const { uid, name = '' } of status.active ?? []) {
    if (known.has(uid)) continue
    status.active = status.active?.filter((reference) => reference.uid !== uid)
    events.push({ type: 'Normal', reason: 'MissingJob', message: `Active job went missing: ${name}` })
  }
}

function planStart(cronJob: CronJob, plan: CronPlan, nowMs: number): void {
  const schedule = scheduleOf(cronJob, plan.events)
  if (schedule === undefined) return
  const { startingDeadlineSeconds, concurrencyPolicy } = cronJob.spec ?? {}
  const last = cronJob.status?.lastScheduleTime
  const since = Date.parse(last ?? cronJob.metadata.creationTimestamp ?? '')
  plan.againInMs = nextInMs(schedule, since, nowMs)
  if (plan.againInMs === undefined) {
    // The 31st of February: upstream finds it by the distance of two such days.
    const message = `invalid schedule: ${cronJob.spec?.schedule ?? ''} : time difference between two schedules is less than 1 second`
    plan.events.push({ type: 'Warning', reason: 'InvalidSchedule', message })
    return
  }
  const from = startingDeadlineSeconds === undefined ? since : Math.max(since, nowMs - startingDeadlineSeconds * 1000)
  const { atMs, count } = schedule.latest(from, nowMs, tooManyMissed + 1)
  if (atMs === undefined) return
  if (count > tooManyMissed) {
    const message = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew'
    plan.events.push({ type: 'Warning', reason: 'TooManyMissedTimes', message })
  }
  if (startingDeadlineSeconds !== undefined && atMs + startingDeadlineSeconds * 1000 < nowMs) {
    const message = `Missed scheduled time to start a job: ${formatRfc1123(atMs)}`
    plan.events.push({ type: 'Warning', reason: 'MissSchedule', message })
    return
  }
  const active = plan.status.active ?? []
  if (active.some(({ name }) => name === jobName(cronJob, atMs)) || last === formatTime(atMs)) return
  if (concurrencyPolicy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
    plan.events.push({ type: 'Normal', reason: 'JobAlreadyActive', message })
    return
  }
  if (concurrencyPolicy === 'Replace') {
    plan.replace = active
    plan.status.active = []
  }
  plan.dueMs = atMs
}

function scheduleOf(cronJob: CronJob, events: CronEvent[]): CronSchedule | undefined {
  const { schedule = '', timeZone } = cronJob.spec ?? {}
  if (schedule.includes('TZ')) {
    const message = `CRON_TZ or TZ used in schedule ${JSON.stringify(schedule)} is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details`
    events.push({ type: 'Warning', reason: 'UnsupportedSchedule', message })
  }
  try {
    return cronSchedule(schedule, timeZone)
  } catch (error) {
    if (error instanceof RangeError) {
      const message = `invalid timeZone: ${JSON.stringify(timeZone)}: unknown time zone ${timeZone ?? ''}`
      events.push({ type: 'Warning', reason: 'UnknownTimeZone', message })
    } else if (error instanceof SyntaxError) {
      const message = `unparseable schedule: ${JSON.stringify(schedule)} : ${error.message}`
      events.push({ type: 'Warning', reason: 'UnparseableSchedule', message })
    } else throw error
    return undefined
  }
}

function nextInMs(schedule: CronSchedule, sinceMs: number, nowMs: number): number | undefined {
  // Intervals are counted from the last start, so that the time of looking does not move them.
  const { atMs = sinceMs } = schedule.latest(sinceMs, nowMs, tooManyMissed + 1)
  let next = schedule.next(atMs)
  if (next !== undefined && next <= nowMs) next = schedule.next(nowMs)
  return next === undefined ? undefined : next - nowMs + marginMs
}

/** One name per scheduled time: it is the lock that keeps a job from being made twice. */
export const jobName = (cronJob: CronJob, atMs: number): string =>
  `${cronJob.metadata.name ?? ''}-${String(Math.floor(atMs / 60_000))}`

function expired({ spec }: CronJob, jobs: readonly Job[]): Job[] {
  const beyond = (type: string, limit: number | undefined): Job[] => {
    const finished = jobs.filter((job) => conditionOf(job.status, type) !== undefined)
    if (limit === undefined || finished.length <= limit) return []
    return finished.sort(byStart).slice(0, finished.length - limit)
  }
  return [...beyond('Complete', spec?.successfulJobsHistoryLimit), ...beyond('Failed', spec?.failedJobsHistoryLimit)]
}

function byStart(a: Job, b: Job): number {
  const [left, right] = [a.status?.startTime, b.status?.startTime]
  if (left === right) return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
  if (left === undefined || right === undefined) return left === undefined ? 1 : -1
  return left < right ? -1 : 1
}

/** The status after the job was made. */
export function withStarted(status: CronJobStatus, job: Job, dueMs: number): CronJobStatus {
  return { ...status, active: [...(status.active ?? []), referenceTo(job)], lastScheduleTime: formatTime(dueMs) }
}

/** "Mon, 02 Jan 2006 15:04:05 UTC" */
const formatRfc1123 = (ms: number): string => new Date(ms).toUTCString().replace('GMT', 'UTC')
