import { describe, expect, it } from 'vitest'
import type { Job, JobSpec, JobStatus, Pod, PodFailurePolicyRule } from '../../../common/api/generated/types.ts'
import { backoffMs, nextRecord, noBackoff, remainingMs } from './backoff.ts'
import { formatIndexes, parseIndexes } from './indexes.ts'
import { planJob } from './plan.ts'

const now = Date.parse('2026-01-01T01:00:00Z')
const jobOf = (spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'work', namespace: 'default', uid: 'job' },
  spec: {
    completions: 3,
    parallelism: 2,
    backoffLimit: 6,
    template: { spec: { containers: [], restartPolicy: 'Never' } },
    ...spec,
  },
  status: { startTime: '2026-01-01T00:00:00Z', ...status },
})

interface PodChange {
  phase?: string
  index?: number
  tracked?: boolean
  ending?: boolean
  exitCode?: number
  disrupted?: boolean
  failuresBefore?: number
  endedAt?: string
  ready?: boolean
  restarts?: number
}
const podOf = (name: string, change: PodChange = {}): Pod => {
  const { phase = 'Running', index, tracked = true, ending, exitCode, endedAt = '2026-01-01T00:30:00Z' } = change
  const state = exitCode === undefined ? {} : { terminated: { exitCode, finishedAt: endedAt } }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      creationTimestamp: '2026-01-01T00:00:00Z',
      finalizers: tracked ? ['batch.kubernetes.io/job-tracking'] : [],
      ...(ending === true ? { deletionTimestamp: '2026-01-01T00:59:00Z' } : {}),
      annotations: {
        ...(index === undefined ? {} : { 'batch.kubernetes.io/job-completion-index': String(index) }),
        ...(change.failuresBefore === undefined
          ? {}
          : { 'batch.kubernetes.io/job-index-failure-count': String(change.failuresBefore) }),
      },
    },
    status: {
      phase,
      conditions: [
        { type: 'Ready', status: change.ready === true ? 'True' : 'False', lastTransitionTime: endedAt },
        ...(change.disrupted === true ? [{ type: 'DisruptionTarget', status: 'True' }] : []),
      ],
      containerStatuses: [
        { name: 'main', state, restartCount: change.restarts ?? 0, ready: false, image: '', imageID: '' },
      ],
    },
  }
}
const failed = (name: string, change: PodChange = {}): Pod => podOf(name, { phase: 'Failed', exitCode: 1, ...change })
const succeeded = (name: string, change: PodChange = {}): Pod => podOf(name, { phase: 'Succeeded', ...change })
const plan = (job: Job, pods: Pod[] = []) => planJob({ job, pods, backoff: noBackoff, nowMs: now })
const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.name)
const conditions = ({ conditions: all = [] }: JobStatus) =>
  all.map(({ type, status, reason, message }) => [type, status, reason ?? '', message ?? ''].join('|'))
const indexed = (spec: Partial<JobSpec> = {}): Partial<JobSpec> => ({ completionMode: 'Indexed', ...spec })
const rules = (...list: PodFailurePolicyRule[]): Partial<JobSpec> => ({
  podFailurePolicy: { rules: list },
  podReplacementPolicy: 'Failed',
})

describe('pods of a job', () => {
  it.each<[string, Partial<JobSpec>, Pod[], number, string[]]>([
    ['as many as run in parallel', {}, [], 2, []],
    ['no more than are still needed', {}, [succeeded('a'), succeeded('b')], 1, []],
    ['fewer when it was scaled down', { parallelism: 1 }, [podOf('a', { ready: true }), podOf('b')], 0, ['b']],
    ['none while suspended', { suspend: true }, [podOf('a')], 0, ['a']],
    ['successors for one that is being deleted', {}, [podOf('a', { ending: true })], 2, []],
    ['no successor before it is gone', { podReplacementPolicy: 'Failed' }, [podOf('a', { ending: true })], 1, []],
    [
      'no more after a success when there is no number',
      { completions: undefined },
      [succeeded('a'), podOf('b')],
      0,
      [],
    ],
  ])('%s', (_, spec, pods, create, drop) => {
    const result = plan(jobOf(spec), pods)
    expect([result.create.length, names(result.drop)]).toEqual([create, drop])
  })

  it('waits after failures, from the time of the last', () => {
    const pods = [failed('a', { endedAt: '2026-01-01T00:59:55Z' })]
    const result = plan(jobOf(), pods)
    expect([result.create.length, result.againInMs]).toEqual([0, 5_000])
    expect(plan(jobOf(), [failed('a')]).create).toHaveLength(2)
  })

  it('gives indexes that nobody has, and takes double ones away', () => {
    const spec = indexed({ completions: 4, parallelism: 4 })
    const pods = [podOf('a', { index: 1 }), succeeded('b', { index: 0 })]
    expect(plan(jobOf(spec), pods).create.map(({ index }) => index)).toEqual([2, 3])
    const doubled = [podOf('a', { index: 1, ready: true }), podOf('b', { index: 1 }), podOf('c', { index: 9 })]
    expect(names(plan(jobOf(spec), doubled).drop).sort()).toEqual(['b', 'c'])
  })
})

describe('counting', () => {
  it('notes ended pods first, releases them, and counts them when they are released', () => {
    const first = plan(jobOf(), [succeeded('a'), failed('b'), podOf('c')])
    expect(first.status).toMatchObject({
      uncountedTerminatedPods: { succeeded: ['a'], failed: ['b'] },
      succeeded: 0,
      failed: 0,
      active: 1,
    })
    expect(names(first.release)).toEqual(['a', 'b'])
    const second = plan(jobOf({}, first.status), [succeeded('a', { tracked: false }), failed('b'), podOf('c')])
    expect(second.status).toMatchObject({ uncountedTerminatedPods: { failed: ['b'] }, succeeded: 1, failed: 0 })
    const third = plan(jobOf({}, second.status), [podOf('c')])
    expect(third.status).toMatchObject({ uncountedTerminatedPods: {}, succeeded: 1, failed: 1 })
  })

  it('counts indexes, not pods', () => {
    const pods = [succeeded('a', { index: 0 }), succeeded('b', { index: 0 }), succeeded('c', { index: 7 })]
    expect(plan(jobOf(indexed()), pods).status).toMatchObject({ succeeded: 1, completedIndexes: '0' })
  })

  it('forgets indexes beyond a job that was made smaller', () => {
    const job = jobOf(indexed({ completions: 2, parallelism: 2 }), { completedIndexes: '0,3-5', succeeded: 4 })
    expect(plan(job).status).toMatchObject({ succeeded: 1, completedIndexes: '0' })
  })
})

describe('the end of a job', () => {
  it.each<[string, Partial<JobSpec>, Pod[], string]>([
    [
      'enough have succeeded',
      {},
      [succeeded('a'), succeeded('b'), succeeded('c'), podOf('d')],
      'SuccessCriteriaMet|True|CompletionsReached|Reached expected number of succeeded pods',
    ],
    [
      'any has succeeded and none runs',
      { completions: undefined },
      [succeeded('a')],
      'SuccessCriteriaMet|True|CompletionsReached|Reached expected number of succeeded pods',
    ],
    [
      'too many have failed',
      { backoffLimit: 1 },
      [failed('a'), failed('b'), podOf('c')],
      'FailureTarget|True|BackoffLimitExceeded|Job has reached the specified backoff limit',
    ],
    [
      'one has restarted too often',
      { backoffLimit: 2, template: { spec: { containers: [], restartPolicy: 'OnFailure' } } },
      [podOf('a', { restarts: 2 })],
      'FailureTarget|True|BackoffLimitExceeded|Job has reached the specified backoff limit',
    ],
    [
      'time is up',
      { activeDeadlineSeconds: 3600 },
      [podOf('a')],
      'FailureTarget|True|DeadlineExceeded|Job was active longer than specified deadline',
    ],
    [
      'an exit code is fatal',
      rules({ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }),
      [failed('a', { exitCode: 42 }), podOf('b')],
      'FailureTarget|True|PodFailurePolicy|Container main for pod default/a failed with exit code 42 matching FailJob rule at index 0',
    ],
    [
      'a condition is fatal',
      rules(
        { action: 'Count', onExitCodes: { operator: 'In', values: [42] } },
        { action: 'FailJob', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
      ),
      [failed('a', { disrupted: true })],
      'FailureTarget|True|PodFailurePolicy|Pod default/a has condition DisruptionTarget matching FailJob rule at index 1',
    ],
    [
      'too many indexes have failed',
      indexed({ backoffLimitPerIndex: 0, maxFailedIndexes: 0, backoffLimit: 100 }),
      [failed('a', { index: 1 })],
      'FailureTarget|True|MaxFailedIndexesExceeded|Job has exceeded the specified maximal number of failed indexes',
    ],
    [
      'all indexes are done, some failed',
      indexed({ backoffLimitPerIndex: 0, backoffLimit: 100 }),
      [succeeded('a', { index: 0 }), succeeded('b', { index: 1 }), failed('c', { index: 2 })],
      'FailureTarget|True|FailedIndexes|Job has failed indexes',
    ],
    [
      'the leader has succeeded',
      indexed({ successPolicy: { rules: [{ succeededIndexes: '2', succeededCount: 1 }] } }),
      [succeeded('a', { index: 2 }), podOf('b', { index: 0 })],
      'SuccessCriteriaMet|True|SuccessPolicy|Matched rules at index 0',
    ],
  ])('%s', (_, spec, pods, condition) => {
    const { status, delete: doomed, create } = plan(jobOf(spec), pods)
    expect(conditions(status)).toEqual([condition])
    expect(names(doomed)).toEqual(names(pods.filter(({ status: of }) => of?.phase === 'Running')))
    expect(create).toEqual([])
  })

  it('comes when all pods have ended and are counted', () => {
    const target = { type: 'FailureTarget', status: 'True', reason: 'DeadlineExceeded', message: 'late' }
    const going = plan(jobOf({}, { conditions: [target] }), [podOf('a', { tracked: false, ending: true })])
    expect([conditions(going.status), going.status.terminating]).toEqual([
      ['FailureTarget|True|DeadlineExceeded|late'],
      1,
    ])
    const done = plan(jobOf({}, { conditions: [target] }))
    expect(conditions(done.status)[1]).toBe('Failed|True|DeadlineExceeded|late')
    expect(done.events).toEqual([{ type: 'Warning', reason: 'DeadlineExceeded', message: 'late' }])
    const met = { type: 'SuccessCriteriaMet', status: 'True', reason: 'CompletionsReached', message: 'enough' }
    const complete = plan(jobOf({}, { conditions: [met], succeeded: 3 }))
    expect(conditions(complete.status)[1]).toBe('Complete|True|CompletionsReached|enough')
    expect(complete.status.completionTime).toBe('2026-01-01T01:00:00Z')
  })

  it('counts what still ran when it failed as failed, and what ran when it succeeded as nothing', () => {
    const lost = plan(jobOf({ backoffLimit: 0 }), [failed('a'), podOf('b')])
    expect(lost.status.uncountedTerminatedPods).toEqual({ failed: ['a', 'b'] })
    const won = plan(jobOf({ completions: 1 }), [succeeded('a'), podOf('b')])
    expect(won.status.uncountedTerminatedPods).toEqual({ succeeded: ['a'] })
  })

  it('ignores failures that its policy ignores', () => {
    const spec = { backoffLimit: 0, ...rules({ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }) }
    const { status, release } = plan(jobOf(spec), [failed('a', { disrupted: true })])
    expect([conditions(status), names(release), status.uncountedTerminatedPods]).toEqual([[], ['a'], {}])
  })
})

describe('a limit for each index', () => {
  const spec = indexed({ backoffLimitPerIndex: 1, backoffLimit: 2_147_483_647, completions: 2, parallelism: 2 })

  it('keeps the failed pod until its successor, which carries the count on, is there', () => {
    const first = plan(jobOf(spec), [failed('a', { index: 0 }), podOf('b', { index: 1 })])
    expect(names(first.release)).toEqual([])
    expect(first.create).toEqual([{ index: 0, annotations: { 'batch.kubernetes.io/job-index-failure-count': '1' } }])
    const second = plan(jobOf(spec, first.status), [
      failed('a', { index: 0 }),
      podOf('a2', { index: 0, failuresBefore: 1 }),
      podOf('b', { index: 1 }),
    ])
    expect(names(second.release)).toEqual(['a'])
  })

  it('gives an index up after its last try, and goes on with the others', () => {
    const pods = [failed('a2', { index: 0, failuresBefore: 1 }), podOf('b', { index: 1 })]
    const { status, release, create } = plan(jobOf(spec), pods)
    expect([status.failedIndexes, names(release), create]).toEqual(['0', ['a2'], []])
  })

  it('gives an index up at once when the policy says so', () => {
    const policy = rules({ action: 'FailIndex', onExitCodes: { operator: 'NotIn', values: [2] } })
    const pods = [failed('a', { index: 0 }), podOf('b', { index: 1 })]
    expect(plan(jobOf({ ...spec, ...policy }), pods).status.failedIndexes).toBe('0')
  })
})

describe('suspension', () => {
  it('is said once, and lifted', () => {
    const suspended = plan(jobOf({ suspend: true }))
    expect(conditions(suspended.status)).toEqual(['Suspended|True|JobSuspended|Job suspended'])
    expect(suspended.status.startTime).toBeUndefined()
    const resumed = plan(jobOf({}, { ...suspended.status, startTime: undefined }))
    expect(conditions(resumed.status)).toEqual(['Suspended|False|JobResumed|Job resumed'])
    expect(resumed.status.startTime).toBe('2026-01-01T01:00:00Z')
    expect(resumed.events.map(({ reason }) => reason)).toEqual(['Resumed'])
  })
})

describe('back-off', () => {
  it('doubles, and ends with a success', () => {
    expect([0, 1, 2, 3, 7, 40].map(backoffMs)).toEqual([0, 10_000, 20_000, 40_000, 600_000, 600_000])
    const at = (time: string) => ({ endedAt: `2026-01-01T00:${time}Z` })
    const twice = nextRecord(noBackoff, [], [failed('a', at('10:00')), failed('b', at('20:00'))])
    expect(twice.failuresInRow).toBe(2)
    expect(remainingMs(twice, Date.parse('2026-01-01T00:20:05Z'))).toBe(15_000)
    expect(nextRecord(twice, [succeeded('c', at('21:00'))], [failed('d', at('20:30'))]).failuresInRow).toBe(0)
    expect(nextRecord(twice, [succeeded('c', at('21:00'))], [failed('d', at('22:00'))]).failuresInRow).toBe(1)
  })
})

it('writes indexes as ranges', () => {
  expect(formatIndexes([5, 0, 1, 2, 6])).toBe('0-2,5,6')
  expect([...parseIndexes('0-2,5,6', 6)]).toEqual([0, 1, 2, 5])
})
