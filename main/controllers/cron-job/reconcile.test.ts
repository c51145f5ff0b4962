import { afterEach, beforeEach, expect, it } from 'vitest'
import type { CronJob, CronJobSpec } from '../../../common/api/generated/types.ts'
import { cronJobs, events, jobs } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { ManualClock } from '../../../common/client/testing/manual-clock.ts'
import { createManualClock } from '../../../common/client/testing/manual-clock.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import type { RunningControllers } from '../index.ts'
import { startControllers } from '../index.ts'
import type { TestControlPlane } from '../testing/control-plane.ts'
import { startTestControlPlane } from '../testing/control-plane.ts'

let clock: ManualClock
let plane: TestControlPlane
let controllers: RunningControllers

beforeEach(async () => {
  clock = createManualClock(Date.UTC(2026, 0, 1, 0, 0, 30))
  plane = await startTestControlPlane(clock)
  const { client } = plane
  controllers = startControllers({
    client,
    clock,
    logger: silentLogger,
    clusterCA: '',
    controllers: ['cronjob-controller'],
  })
  await controllers.ready
})
afterEach(async () => {
  await controllers.stop()
  await plane.close()
})

const testCronJob = (spec: Partial<CronJobSpec> = {}): CronJob => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'tick', namespace: 'default' },
  spec: {
    schedule: '* * * * *',
    jobTemplate: {
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'hello' }] } } },
    },
    ...spec,
  },
})
const jobList = async () =>
  (await plane.client.list(jobs, { namespace: 'default' })).items.sort((a, b) =>
    (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1,
  )
const jobCount = (count: number) =>
  eventually(async () => {
    const found = await jobList()
    expect(found).toHaveLength(count)
    const { status } = await plane.client.get(cronJobs, 'tick', 'default')
    expect(status?.lastScheduleTime).toBeDefined()
    return { found, status }
  })
/** The controller has looked at the cron job and set its alarm. */
const armed = () => eventually(() => clock.pending > 0 && controllers.controllers.every(({ idle }) => idle))

it('starts a job each minute and follows it', async () => {
  await plane.client.create(cronJobs, testCronJob())
  await armed()
  await clock.advance(30_100)
  const { found, status } = await jobCount(1)
  expect(status).toMatchObject({
    lastScheduleTime: '2026-01-01T00:01:00Z',
    active: [{ name: found[0]?.metadata.name }],
  })
  const [job] = found
  if (job === undefined) throw new Error('no job')
  await plane.client.updateStatus(jobs, {
    ...job,
    status: {
      ...job.status,
      startTime: '2026-01-01T00:01:00Z',
      completionTime: '2026-01-01T00:01:00Z',
      succeeded: 1,
      uncountedTerminatedPods: {},
      conditions: [
        { type: 'SuccessCriteriaMet', status: 'True' },
        { type: 'Complete', status: 'True' },
      ],
    },
  })
  await eventually(async () => {
    const after = (await plane.client.get(cronJobs, 'tick', 'default')).status
    expect(after?.active).toBeUndefined()
    expect(after?.lastSuccessfulTime).toBe('2026-01-01T00:01:00Z')
  })
  await armed()
  await clock.advance(60_000)
  await jobCount(2)
  await eventually(async () => {
    const reasons = (await plane.client.list(events, { namespace: 'default' })).items.map(({ reason }) => reason)
    expect(reasons).toContain('SuccessfulCreate')
    expect(reasons).toContain('SawCompletedJob')
  })
})

it('replaces the job that still runs', async () => {
  await plane.client.create(cronJobs, testCronJob({ concurrencyPolicy: 'Replace' }))
  await armed()
  await clock.advance(30_100)
  const first = (await jobCount(1)).found[0]
  await armed()
  await clock.advance(60_000)
  await eventually(async () => {
    const running = (await jobList()).filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    expect(running).toHaveLength(1)
    expect(running[0]?.metadata.name).not.toBe(first?.metadata.name)
    const { status } = await plane.client.get(cronJobs, 'tick', 'default')
    expect(status?.active?.map(({ name }) => name)).toEqual([running[0]?.metadata.name])
  })
})
