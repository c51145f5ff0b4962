import { describe, expect, it } from 'vitest'
import type { Pod, PodStatus } from '../../../common/api/generated/types.ts'
import type { ObservedContainer, ObservedPod } from '../runtime/observed.ts'
import { podStatus, type StatusInput } from './status.ts'

const now = Date.parse('2026-01-01T00:00:10Z')
const pod = (spec: Partial<NonNullable<Pod['spec']>> = {}, status: PodStatus = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default', uid: 'u' },
  spec: { containers: [{ name: 'main', image: 'i' }], ...spec },
  status,
})
const container = (name: string, part: Partial<ObservedContainer> = {}): ObservedContainer => ({
  id: `${name}-id`,
  name,
  sandboxId: 'sb',
  attempt: 0,
  state: 'running',
  createdAtMs: now - 5000,
  startedAtMs: now - 4000,
  finishedAtMs: 0,
  exitCode: 0,
  reason: '',
  message: '',
  image: 'docker.io/library/i:latest',
  imageId: 'sha256:1',
  hash: '',
  logPath: '',
  terminationMessageFile: '',
  terminationMessagePolicy: 'File',
  ...part,
})
const exited = (name: string, exitCode: number, part: Partial<ObservedContainer> = {}): ObservedContainer =>
  container(name, { state: 'exited', exitCode, finishedAtMs: now - 1000, ...part })
const observed = (containers: ObservedContainer[], ready = true): ObservedPod => ({
  uid: 'u',
  name: 'p',
  namespace: 'default',
  sandboxes: [{ id: 'sb', attempt: 0, ready, createdAtMs: now - 6000, ips: ready ? ['10.244.0.2'] : [] }],
  containers,
})
const status = (part: Partial<StatusInput>): PodStatus =>
  podStatus({
    pod: pod(),
    observed: observed([]),
    waiting: new Map(),
    ready: () => true,
    started: () => true,
    hostIps: ['10.77.0.11'],
    finished: false,
    now,
    ...part,
  })
const condition = (of: PodStatus, type: string): unknown[] => {
  const found = of.conditions?.find((present) => present.type === type)
  return [found?.status, found?.reason, found?.message]
}

describe('a pod that starts', () => {
  it('is pending and creating', () => {
    const result = status({ observed: { ...observed([]), sandboxes: [] } })
    expect(result).toMatchObject({
      phase: 'Pending',
      qosClass: 'BestEffort',
      startTime: '2026-01-01T00:00:10Z',
      hostIP: '10.77.0.11',
    })
    expect(result.podIP).toBeUndefined()
    expect(result.containerStatuses?.[0]).toMatchObject({
      state: { waiting: { reason: 'ContainerCreating' } },
      ready: false,
      started: false,
    })
    expect(condition(result, 'PodReadyToStartContainers')).toEqual(['False', undefined, undefined])
    expect(condition(result, 'Ready')).toEqual([
      'False',
      'ContainersNotReady',
      'containers with unready status: [main]',
    ])
  })

  it('waits for its init containers', () => {
    const initContainers = [{ name: 'init', image: 'i' }]
    const result = status({ pod: pod({ initContainers }), observed: observed([container('init')]) })
    expect(result.phase).toBe('Pending')
    expect(result.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'PodInitializing' } })
    expect(condition(result, 'Initialized')).toEqual([
      'False',
      'ContainersNotInitialized',
      'containers with incomplete status: [init]',
    ])
  })

  it('shows why a container cannot start', () => {
    const waiting = new Map([['main', { reason: 'ErrImagePull', message: 'no such image' }]])
    expect(status({ waiting }).containerStatuses?.[0]?.state).toEqual({
      waiting: { reason: 'ErrImagePull', message: 'no such image' },
    })
  })
})

describe('a pod that runs', () => {
  it('is ready with its address', () => {
    const result = status({ observed: observed([container('main')]) })
    expect(result).toMatchObject({ phase: 'Running', podIP: '10.244.0.2', podIPs: [{ ip: '10.244.0.2' }] })
    expect(result.containerStatuses?.[0]).toMatchObject({
      ready: true,
      started: true,
      restartCount: 0,
      containerID: 'containerd://main-id',
      imageID: 'sha256:1',
      state: { running: { startedAt: '2026-01-01T00:00:06Z' } },
    })
    expect(condition(result, 'Ready')).toEqual(['True', undefined, undefined])
  })

  it('is not ready while a probe says so', () => {
    const result = status({ observed: observed([container('main')]), ready: () => false })
    expect(result.phase).toBe('Running')
    expect(condition(result, 'ContainersReady')[0]).toBe('False')
  })

  it('keeps transition times while nothing changes', () => {
    const first = status({ observed: observed([container('main')]) })
    const later = status({ pod: pod({}, first), observed: observed([container('main')]), now: now + 60_000 })
    expect(later).toEqual(first)
  })

  it('crash-looping shows the wait and how the last run ended', () => {
    const waiting = new Map([['main', { reason: 'CrashLoopBackOff', message: 'back-off 10s' }]])
    const result = status({ observed: observed([exited('main', 7, { attempt: 2, message: 'bye' })]), waiting })
    expect(result.phase).toBe('Running')
    expect(result.containerStatuses?.[0]).toMatchObject({
      restartCount: 2,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 7, reason: 'Error', message: 'bye' } },
    })
  })

  it('restarted shows the run before as last state', () => {
    const result = status({ observed: observed([container('main', { attempt: 1 }), exited('main', 1, { id: 'old' })]) })
    expect(result.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { containerID: 'containerd://old' } },
    })
  })
})

describe('a pod that ended', () => {
  it.each([
    ['Never', 0, 'Succeeded'],
    ['Never', 1, 'Failed'],
    ['OnFailure', 0, 'Succeeded'],
    ['OnFailure', 1, 'Running'],
    ['Always', 0, 'Running'],
  ])('restart policy %s, exit code %i: %s', (restartPolicy, code, phase) => {
    expect(status({ pod: pod({ restartPolicy }), observed: observed([exited('main', code)]) }).phase).toBe(phase)
  })

  it('successfully is completed, not ready, without address when all is stopped', () => {
    const result = status({
      pod: pod({ restartPolicy: 'Never' }),
      observed: observed([exited('main', 0)], false),
      finished: true,
    })
    expect(result.phase).toBe('Succeeded')
    expect(condition(result, 'Ready')).toEqual(['False', 'PodCompleted', undefined])
    expect(condition(result, 'Initialized')).toEqual(['True', 'PodCompleted', undefined])
  })

  it('fails with its init container when it never restarts', () => {
    const initContainers = [{ name: 'init', image: 'i' }]
    const result = status({
      pod: pod({ initContainers, restartPolicy: 'Never' }),
      observed: observed([exited('init', 1)]),
    })
    expect(result.phase).toBe('Failed')
  })

  it('by the node carries the reason', () => {
    const result = status({
      observed: observed([exited('main', 143)]),
      finished: true,
      ended: { phase: 'Failed', reason: 'DeadlineExceeded', message: 'too long' },
    })
    expect(result).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded', message: 'too long' })
    expect(condition(result, 'Ready')).toEqual(['False', 'PodFailed', undefined])
  })

  it('and is deleted is failed unless everything succeeded', () => {
    expect(status({ observed: observed([exited('main', 143)]), finished: true }).phase).toBe('Failed')
    expect(status({ observed: observed([exited('main', 0)]), finished: true }).phase).toBe('Succeeded')
  })
})

it('readiness gates hold back readiness', () => {
  const readinessGates = [{ conditionType: 'example.com/gate' }]
  const closed = status({ pod: pod({ readinessGates }), observed: observed([container('main')]) })
  expect(condition(closed, 'Ready').slice(0, 2)).toEqual(['False', 'ReadinessGatesNotReady'])
  const open = pod({ readinessGates }, { conditions: [{ type: 'example.com/gate', status: 'True' }] })
  expect(condition(status({ pod: open, observed: observed([container('main')]) }), 'Ready')[0]).toBe('True')
})

it('a sidecar counts for readiness and is initialized once started', () => {
  const initContainers = [{ name: 'proxy', image: 'i', restartPolicy: 'Always' }]
  const result = status({ pod: pod({ initContainers }), observed: observed([container('main'), container('proxy')]) })
  expect(condition(result, 'Initialized')[0]).toBe('True')
  expect(condition(result, 'Ready')[0]).toBe('True')
})
