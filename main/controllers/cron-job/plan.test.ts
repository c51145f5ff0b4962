import { describe, expect, it } from 'vitest'
import type { CronJob, CronJobSpec, CronJobStatus, Job } from '../../../common/api/generated/types.ts'
import { jobFor } from './job-for.ts'
import { planCronJob, withStarted } from './plan.ts'

const at = (time: string): number => Date.parse(`2026-01-01T${time}Z`)
const cronJobOf = (spec: Partial<CronJobSpec> = {}, status: CronJobStatus = {}): CronJob => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'backup', namespace: 'default', uid: 'cron', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: {
    schedule: '*/10 * * * *',
    concurrencyPolicy: 'Allow',
    successfulJobsHistoryLimit: 2,
    failedJobsHistoryLimit: 1,
    jobTemplate: {},
    ...spec,
  },
  status,
})
const jobOf = (name: string, end?: 'Complete' | 'Failed', minute = '00'): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, uid: name },
  status: {
    startTime: `2026-01-01T00:${minute}:00Z`,
    ...(end === 'Complete' ? { completionTime: `2026-01-01T00:${minute}:30Z` } : {}),
    conditions: end === undefined ? [] : [{ type: end, status: 'True' }],
  },
})
const active = (...names: string[]) => names.map((name) => ({ name, uid: name, kind: 'Job' }))
const summary = (cronJob: CronJob, now: string, jobs: Job[] = []) => {
  const { dueMs, againInMs, events, replace } = planCronJob({ cronJob, jobs, nowMs: at(now) })
  return {
    due: dueMs === undefined ? undefined : new Date(dueMs).toISOString().slice(11, 19),
    again: againInMs,
    events: events.map(({ reason }) => reason),
    ...(replace.length === 0 ? {} : { replace: replace.map(({ name }) => name) }),
  }
}

describe('starting jobs', () => {
  it.each<[string, CronJob, string, Job[], object]>([
    ['waits for the first time', cronJobOf(), '00:09:00', [], { due: undefined, again: 60_100, events: [] }],
    ['starts on time', cronJobOf(), '00:10:00', [], { due: '00:10:00', again: 600_100, events: [] }],
    ['starts the latest of some missed', cronJobOf(), '00:35:00', [], { due: '00:30:00', again: 300_100, events: [] }],
    [
      'starts each time once',
      cronJobOf({}, { lastScheduleTime: '2026-01-01T00:10:00Z' }),
      '00:10:05',
      [],
      { due: undefined, again: 595_100, events: [] },
    ],
    ['is suspended', cronJobOf({ suspend: true }), '00:10:00', [], { due: undefined, again: undefined, events: [] }],
    [
      'is too late',
      cronJobOf({ startingDeadlineSeconds: 60 }),
      '00:12:00',
      [],
      { due: undefined, again: 480_100, events: [] },
    ],
    [
      'is late, but not too late',
      cronJobOf({ startingDeadlineSeconds: 200 }),
      '00:12:00',
      [],
      { due: '00:10:00', again: 480_100, events: [] },
    ],
    [
      'says when too many were missed, and starts one',
      cronJobOf({ schedule: '* * * * *' }),
      '03:00:00',
      [],
      { due: '03:00:00', again: 60_100, events: ['TooManyMissedTimes'] },
    ],
    [
      'counts intervals from the last start',
      cronJobOf({ schedule: '@every 7m' }, { lastScheduleTime: '2026-01-01T00:07:00Z' }),
      '00:13:00',
      [],
      { due: undefined, again: 60_100, events: [] },
    ],
    [
      'forbids two at a time',
      cronJobOf({ concurrencyPolicy: 'Forbid' }, { active: active('a') }),
      '00:10:00',
      [jobOf('a')],
      { due: undefined, again: 600_100, events: ['JobAlreadyActive'] },
    ],
    [
      'replaces the one that runs',
      cronJobOf({ concurrencyPolicy: 'Replace' }, { active: active('a') }),
      '00:10:00',
      [jobOf('a')],
      { due: '00:10:00', again: 600_100, events: [], replace: ['a'] },
    ],
    [
      'has a schedule that cannot be read',
      cronJobOf({ schedule: 'often' }),
      '00:10:00',
      [],
      { due: undefined, again: undefined, events: ['UnparseableSchedule'] },
    ],
    [
      'has a schedule that never comes',
      cronJobOf({ schedule: '59 23 31 2 *' }),
      '00:10:00',
      [],
      { due: undefined, again: undefined, events: ['InvalidSchedule'] },
    ],
    [
      'has a time zone that does not exist',
      cronJobOf({ timeZone: 'Middle/Earth' }),
      '00:10:00',
      [],
      { due: undefined, again: undefined, events: ['UnknownTimeZone'] },
    ],
  ])('%s', (_, cronJob, now, jobs, expected) => {
    expect(summary(cronJob, now, jobs)).toEqual(expected)
  })

  it('makes a job whose name stands for its time', () => {
    const cronJob = cronJobOf({
      timeZone: 'Europe/Berlin',
      jobTemplate: { metadata: { labels: { a: 'b' } }, spec: { parallelism: 2, template: {} } },
    })
    const job = jobFor(cronJob, at('00:10:00'))
    expect(job.metadata).toMatchObject({
      name: 'backup-29453770',
      labels: { a: 'b' },
      annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T01:10:00+01:00' },
      ownerReferences: [{ kind: 'CronJob', name: 'backup', controller: true }],
    })
    expect(job.spec?.parallelism).toBe(2)
    expect(withStarted({}, { ...job, metadata: { ...job.metadata, uid: 'u' } }, at('00:10:00'))).toMatchObject({
      active: [{ kind: 'Job', apiVersion: 'batch/v1', name: 'backup-29453770', uid: 'u' }],
      lastScheduleTime: '2026-01-01T00:10:00Z',
    })
  })
})

describe('following jobs', () => {
  it('notes what finished, went missing or appeared', () => {
    const jobs = [jobOf('done', 'Complete', '05'), jobOf('failed', 'Failed'), jobOf('stranger')]
    const cronJob = cronJobOf({ suspend: true }, { active: active('done', 'failed', 'gone') })
    const { status, events } = planCronJob({ cronJob, jobs, nowMs: at('00:06:00') })
    expect(status).toEqual({ lastSuccessfulTime: '2026-01-01T00:05:30Z' })
    expect(events.map(({ message }) => message)).toEqual([
      'Saw completed job: done, condition: Complete',
      'Saw completed job: failed, condition: Failed',
      'Saw a job that the controller did not create or forgot: stranger',
      'Active job went missing: gone',
    ])
  })

  it('keeps as many finished jobs as its limits say, the newest', () => {
    const jobs = [
      jobOf('c', 'Complete', '03'),
      jobOf('a', 'Complete', '01'),
      jobOf('b', 'Complete', '02'),
      jobOf('y', 'Failed', '05'),
      jobOf('x', 'Failed', '04'),
      jobOf('running'),
    ]
    const { expire } = planCronJob({ cronJob: cronJobOf(), jobs, nowMs: at('00:06:00') })
    expect(expire.map(({ metadata }) => metadata.name)).toEqual(['a', 'x'])
  })
})
