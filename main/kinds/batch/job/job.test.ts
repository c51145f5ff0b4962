import { describe, expect, it } from 'vitest'
import type { Job } from '../../../../common/api/generated/types.ts'
import { runKindContract } from '../../kind-contract.ts'
import { createObject, updateObject } from '../../testing/lifecycle.ts'
import { simpleSpec } from '../../testing/pods.ts'
import { job } from './index.ts'
import { countIndexes } from './indexes.ts'

const template = (more: Record<string, unknown> = {}) => ({
  spec: { ...simpleSpec(), restartPolicy: 'Never', ...more },
})
const indexed = { completionMode: 'Indexed', completions: 5, parallelism: 5 }

runKindContract(job, {
  valid: [
    { spec: { template: template() } },
    {
      metadata: { labels: { a: 'b' } },
      spec: {
        ...indexed,
        template: template(),
        successPolicy: { rules: [{ succeededIndexes: '0,2-3', succeededCount: 2 }] },
      },
    },
    {
      spec: {
        template: template(),
        podFailurePolicy: {
          rules: [
            { action: 'FailJob', onExitCodes: { operator: 'In', values: [3, 42] } },
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] },
          ],
        },
      },
    },
  ],
})

const newJob = (spec: Record<string, unknown> = {}): Job =>
  createObject(job, { spec: { template: template(), ...spec } }).object
const uid = '6f1a6d1c-0000-4000-8000-000000000001'

describe('defaults of a Job', () => {
  it('are those of Kubernetes, with its own selector and labels', () => {
    const { spec, metadata } = newJob()
    expect(spec).toMatchObject({
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      completions: 1,
      parallelism: 1,
      suspend: false,
      podReplacementPolicy: 'TerminatingOrFailed',
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
    })
    const labels = {
      'batch.kubernetes.io/controller-uid': uid,
      'batch.kubernetes.io/job-name': 'test',
      'controller-uid': uid,
      'job-name': 'test',
    }
    expect(spec?.template.metadata?.labels).toEqual(labels)
    expect(metadata.labels).toEqual(labels)
  })

  it('leave completions open when only parallelism is given', () => {
    expect(newJob({ parallelism: 3 }).spec?.completions).toBeUndefined()
  })
})

describe('validation of a Job', () => {
  const cases: [string, Record<string, unknown>, string[]][] = [
    [
      'pods that always restart',
      { template: template({ restartPolicy: undefined }) },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'an unknown restart policy',
      { template: template({ restartPolicy: 'X' }) },
      [
        'spec.template.spec.restartPolicy: Unsupported value: "X": supported values: "Always", "OnFailure", "Never"',
        'spec.template.spec.restartPolicy: Unsupported value: "X": supported values: "OnFailure", "Never"',
      ],
    ],
    [
      'an own selector',
      { selector: { matchLabels: { a: 'b' } } },
      [
        `spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"${uid}"}}: \`selector\` not auto-generated`,
        `spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":"${uid}","batch.kubernetes.io/job-name":"test","controller-uid":"${uid}","job-name":"test"}: \`selector\` does not match template \`labels\``,
      ],
    ],
    [
      'an indexed Job without end',
      { completionMode: 'Indexed', parallelism: 1 },
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    [
      'a limit per index without indexes',
      { backoffLimitPerIndex: 1 },
      ['spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
    ],
    [
      'a failure rule about nothing',
      { podFailurePolicy: { rules: [{ action: 'Count' }] } },
      ['spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required'],
    ],
    [
      'exit code 0 as failure',
      { podFailurePolicy: { rules: [{ action: 'Count', onExitCodes: { operator: 'In', values: [0] } }] } },
      ['spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator'],
    ],
    [
      'success of too many',
      { ...indexed, successPolicy: { rules: [{ succeededCount: 6 }] } },
      [
        'spec.successPolicy.rules[0].succeededCount: Invalid value: 6: must be less than or equal to 5 (the number of specified completions)',
      ],
    ],
  ]
  it.each(cases)('refuses %s', (_, spec, errors) => {
    expect(createObject(job, { spec: { template: template(), ...spec } }).errors).toEqual(errors)
  })
})

describe('updates of a Job', () => {
  it('may change how much runs', () => {
    expect(
      updateObject(job, newJob({ suspend: true }), ({ spec }) =>
        Object.assign(spec ?? {}, { parallelism: 4, suspend: false, ttlSecondsAfterFinished: 1 }),
      ).errors,
    ).toEqual([])
  })

  it('may not change what runs', () => {
    const { errors } = updateObject(job, newJob(), ({ spec }) => {
      Object.assign(spec?.template.spec?.containers[0] ?? {}, { image: 'other' })
      Object.assign(spec ?? {}, { completions: 2 })
    })
    expect(errors.map((error) => error.split(': ').slice(0, 2).join(': '))).toEqual([
      'spec.completions: Invalid value',
      'spec.template: Invalid value',
    ])
  })

  it('may move a suspended Job that has not started', () => {
    const move = ({ spec }: Job): void => {
      Object.assign(spec?.template.spec ?? {}, { nodeSelector: { a: 'b' } })
    }
    expect(updateObject(job, newJob({ suspend: true }), move).errors).toEqual([])
    expect(updateObject(job, newJob(), move).errors).toHaveLength(1)
  })

  it('may grow an indexed Job in tandem with its parallelism', () => {
    const set = (completions: number, parallelism: number) =>
      updateObject(job, newJob(indexed), ({ spec }) => Object.assign(spec ?? {}, { completions, parallelism })).errors
    expect(set(7, 7)).toEqual([])
    expect(set(7, 5)).toEqual([
      'spec.completions: Invalid value: 7: can only be modified in tandem with spec.parallelism',
    ])
  })

  it('finish a Job once and for all', () => {
    const old = newJob()
    const times = { startTime: '2030-01-01T00:00:00Z', completionTime: '2030-01-01T00:01:00Z' }
    const is = (type: string) => ({ type, status: 'True' })
    const done = updateObject(
      job,
      old,
      (object) =>
        Object.assign(object, {
          status: { ...times, succeeded: 1, conditions: [is('SuccessCriteriaMet'), is('Complete')] },
        }),
      { door: 'status' },
    )
    expect(done.errors).toEqual([])
    const reopened = updateObject(
      job,
      done.object,
      (object) => Object.assign(object, { status: { startTime: times.startTime } }),
      { door: 'status' },
    )
    expect(reopened.errors).toEqual([
      'status.conditions: Invalid value: cannot disable the terminal Complete=True condition',
      'status.succeeded: Invalid value: 0: cannot decrease the succeeded counter',
      'status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition',
    ])
  })
})

describe('kubectl get jobs', () => {
  const now = new Date('2030-01-01T00:01:30Z')
  const cells = (spec: Record<string, unknown>, status: Job['status']): unknown[] =>
    (job.columns ?? []).slice(1, 4).map((column) => column.cell({ ...newJob(spec), status }, now))

  it.each<[string, Record<string, unknown>, Job['status'], unknown[]]>([
    ['new', {}, {}, ['Running', '0/1', '']],
    ['running', { completions: 3 }, { succeeded: 1, startTime: '2030-01-01T00:00:00Z' }, ['Running', '1/3', '90s']],
    [
      'done',
      {},
      {
        succeeded: 1,
        startTime: '2030-01-01T00:00:00Z',
        completionTime: '2030-01-01T00:00:07Z',
        conditions: [{ type: 'Complete', status: 'True' }],
      },
      ['Complete', '1/1', '7s'],
    ],
    ['open', { parallelism: 2 }, {}, ['Running', '0/1 of 2', '']],
    ['suspended', {}, { conditions: [{ type: 'Suspended', status: 'True' }] }, ['Suspended', '0/1', '']],
  ])('%s', (_, spec, status, expected) => {
    expect(cells(spec, status)).toEqual(expected)
  })
})

describe('index sets', () => {
  it.each([
    ['', { total: 0 }],
    ['0', { total: 1 }],
    ['0,2-4', { total: 4 }],
    ['3,1', { problem: 'non-increasing order, previous: 3, current: 1' }],
    ['9', { problem: 'too large index: "9"' }],
    ['x', { problem: 'cannot convert string to integer for index: "x"' }],
  ])('%j of 5: %j', (text, expected) => {
    expect(countIndexes(text, 5)).toEqual(expected)
  })
})
