import { describe, expect, it } from 'vitest'
import type { ContainerStatus, Pod } from '../../common/api/generated/types.ts'
import { isUnschedulable, podState, readyContainers, restarts, shortPodName } from './pod-state.ts'

const status = (state: ContainerStatus['state'], more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name: 'main',
  image: 'x',
  imageID: '',
  ready: false,
  restartCount: 0,
  state,
  ...more,
})
const pod = (phase: string, containerStatuses: ContainerStatus[] = [], more: Partial<Pod> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-abc12-x7', namespace: 'default', ...more.metadata },
  spec: { nodeName: 'node-1', containers: containerStatuses.map((one) => ({ name: one.name })), ...more.spec },
  status: { phase, containerStatuses, ...more.status },
})
const ready = { type: 'Ready', status: 'True' }

describe('podState', () => {
  it.each<[string, Pod, string, string]>([
    ['pending without containers', pod('Pending'), 'Pending', 'busy'],
    [
      'running and ready',
      pod('Running', [status({ running: {} }, { ready: true })], { status: { conditions: [ready] } }),
      'Running',
      'ok',
    ],
    ['running, not ready', pod('Running', [status({ running: {} })]), 'Running', 'busy'],
    [
      'waiting reason wins over phase',
      pod('Running', [status({ waiting: { reason: 'CrashLoopBackOff' } })]),
      'CrashLoopBackOff',
      'bad',
    ],
    ['terminated without a reason', pod('Running', [status({ terminated: { exitCode: 3 } })]), 'ExitCode:3', 'bad'],
    [
      'terminated by a signal',
      pod('Running', [status({ terminated: { exitCode: 137, signal: 9 } })]),
      'Signal:9',
      'bad',
    ],
    [
      'completed',
      pod('Succeeded', [status({ terminated: { exitCode: 0, reason: 'Completed' } })]),
      'Completed',
      'done',
    ],
    ['evicted', pod('Failed', [], { status: { phase: 'Failed', reason: 'Evicted' } }), 'Evicted', 'bad'],
    [
      'being deleted',
      pod('Running', [status({ running: {} }, { ready: true })], {
        metadata: { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' },
      }),
      'Terminating',
      'idle',
    ],
  ])('%s', (_title, value, label, tone) => {
    expect(podState(value)).toEqual({ label, tone })
  })

  it('counts init containers that are done', () => {
    const value = pod('Pending', [], {
      spec: { nodeName: 'n', containers: [{ name: 'main' }], initContainers: [{ name: 'a' }, { name: 'b' }] },
      status: {
        phase: 'Pending',
        initContainerStatuses: [
          status({ terminated: { exitCode: 0 } }, { name: 'a' }),
          status({ running: {} }, { name: 'b' }),
        ],
      },
    })
    expect(podState(value).label).toBe('Init:1/2')
  })

  it('does not wait for a sidecar that has started', () => {
    const value = pod('Running', [status({ running: {} }, { ready: true })], {
      spec: {
        nodeName: 'n',
        containers: [{ name: 'main' }],
        initContainers: [{ name: 'proxy', restartPolicy: 'Always' }],
      },
      status: {
        phase: 'Running',
        conditions: [ready],
        initContainerStatuses: [status({ running: {} }, { name: 'proxy', started: true })],
        containerStatuses: [status({ running: {} }, { ready: true })],
      },
    })
    expect(podState(value)).toEqual({ label: 'Running', tone: 'ok' })
  })

  it('marks a pod without a node that was refused everywhere', () => {
    const value = pod('Pending', [], {
      spec: { containers: [] },
      status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] },
    })
    value.spec = { containers: [] }
    expect(isUnschedulable(value)).toBe(true)
    expect(podState(value).tone).toBe('warn')
  })
})

it('counts ready containers and restarts', () => {
  const value = pod('Running', [
    status({ running: {} }, { ready: true, restartCount: 2 }),
    status({ waiting: {} }, { name: 'b', restartCount: 1 }),
  ])
  expect(readyContainers(value)).toEqual({ ready: 1, total: 2 })
  expect(restarts(value)).toBe(3)
})

it('shortens names by the template hash only', () => {
  expect(
    shortPodName(pod('Running', [], { metadata: { name: 'web-abc12-x7', labels: { 'pod-template-hash': 'abc12' } } })),
  ).toBe('web-x7')
  expect(shortPodName(pod('Running', [], { metadata: { name: 'web-abc12-x7' } }))).toBe('web-abc12-x7')
})
