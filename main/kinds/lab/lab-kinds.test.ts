import { describe, expect, it } from 'vitest'
import { runKindContract } from '../kind-contract.ts'
import { createObject, updateObject } from '../testing/lifecycle.ts'
import { image } from './image.ts'
import { lab } from './lab.ts'
import { machine } from './machine.ts'
import { schedulingDecision } from './scheduling-decision.ts'

runKindContract(lab, {
  valid: [
    { metadata: { name: 'default' } },
    {
      metadata: { name: 'default' },
      spec: { powerState: 'Stopped', network: { lanCIDR: '10.77.0.0/16', internet: false } },
    },
  ],
})
runKindContract(machine, {
  valid: [
    { spec: { arch: 'amd64' } },
    {
      spec: {
        arch: 'arm64',
        cpus: 4,
        memoryMiB: 1024,
        labels: { a: 'b' },
        taints: [{ key: 'a', effect: 'NoSchedule' }],
      },
    },
  ],
})
runKindContract(image, {
  valid: [
    { spec: { reference: 'docker.io/library/hello:1.0' } },
    { spec: { reference: 'localhost:5000/a/b@sha256:' + 'a'.repeat(64) } },
  ],
})
runKindContract(schedulingDecision, {
  valid: [
    {
      status: {
        podUid: 'u',
        time: '2030-01-01T00:00:00.000000Z',
        attempt: 1,
        outcome: 'Scheduled',
        nodeName: 'node-1',
        message: 'it fits',
        nodes: [
          {
            node: 'node-1',
            filters: [{ plugin: 'NodeAffinity', passed: true }],
            scores: [{ plugin: 'Spread', score: 10, weight: 2 }],
            total: 20,
          },
        ],
      },
    },
  ],
})

describe('Machine', () => {
  it('has sensible defaults', () => {
    expect(createObject(machine, { spec: { arch: 'arm64' } }).object.spec).toEqual({
      arch: 'arm64',
      cpus: 1,
      memoryMiB: 512,
      diskGiB: 8,
      image: 'node',
      powerState: 'Running',
      restartPolicy: 'Always',
    })
  })

  it.each([
    [{}, 'spec.arch: Required value: one of amd64, arm64'],
    [{ arch: 'riscv64' }, 'spec.arch: Unsupported value: "riscv64": supported values: "amd64", "arm64"'],
    [
      { arch: 'amd64', memoryMiB: 64 },
      'spec.memoryMiB: Invalid value: 64: must be at least 256: below that the node cannot boot',
    ],
    [{ arch: 'amd64', cpus: 0 }, 'spec.cpus: Invalid value: 0: must be at least 1: a machine needs a CPU'],
    [
      { arch: 'amd64', powerState: 'Asleep' },
      'spec.powerState: Unsupported value: "Asleep": supported values: "Running", "Stopped"',
    ],
  ])('refuses %j', (spec, error) => {
    expect(createObject(machine, { spec }).errors).toEqual([error])
  })

  it('keeps architecture and disk', () => {
    const old = createObject(machine, { spec: { arch: 'amd64' } }).object
    expect(updateObject(machine, old, ({ spec }) => Object.assign(spec, { arch: 'arm64', diskGiB: 4 })).errors).toEqual(
      [
        'spec.arch: Invalid value: "arm64": field is immutable: its disk belongs to this architecture; make another machine',
        'spec.diskGiB: Invalid value: 4: must not be less than the previous value: a disk cannot shrink',
      ],
    )
    expect(
      updateObject(machine, old, ({ spec }) => Object.assign(spec, { powerState: 'Stopped', memoryMiB: 1024 })).errors,
    ).toEqual([])
  })

  it('shows what it is', () => {
    const { object } = createObject(machine, { metadata: { name: 'node-1' }, spec: { arch: 'arm64' } })
    object.status = { phase: 'Running', lanAddress: '10.77.0.11', reason: 'Ready' }
    const cells = (machine.columns ?? [])
      .slice(0, 8)
      .map((column) => column.cell(object, new Date('2030-01-02T03:04:50Z')))
    expect(cells).toEqual(['node-1', 'arm64', 1, '512Mi', 'Running', '10.77.0.11', '45s', 'Ready'])
  })
})

describe('Lab', () => {
  it('is one', () => {
    expect(createObject(lab, { metadata: { name: 'other' } }).errors).toEqual([
      'metadata.name: Forbidden: there is exactly one lab, named "default"',
    ])
  })

  it('keeps its addresses', () => {
    const old = createObject(lab, {
      metadata: { name: 'default' },
      spec: { network: { lanCIDR: '10.77.0.0/16' } },
    }).object
    expect(
      updateObject(lab, old, ({ spec }) => Object.assign(spec, { network: { lanCIDR: '10.78.0.0/16' } })).errors,
    ).toEqual(['spec.network.lanCIDR: Invalid value: "10.78.0.0/16": field is immutable'])
  })
})

describe('Image', () => {
  it.each([[''], ['Hello:1'], ['a b']])('refuses the reference %j', (reference) => {
    expect(createObject(image, { spec: { reference } }).errors).toHaveLength(1)
  })
})
