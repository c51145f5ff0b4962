import { describe, expect, it } from 'vitest'
import type { Container, Pod } from '../../../common/api/generated/types.ts'
import type { ObservedContainer, ObservedPod, ObservedSandbox } from '../runtime/observed.ts'
import { containerHash, planPod, type PlanInput } from './plan.ts'

const sandbox = (part: Partial<ObservedSandbox> = {}): ObservedSandbox => ({
  id: 'sb',
  attempt: 0,
  ready: true,
  createdAtMs: 1,
  ips: ['10.244.0.2'],
  ...part,
})
const observedContainer = (name: string, part: Partial<ObservedContainer> = {}): ObservedContainer => ({
  id: `${name}-0`,
  name,
  sandboxId: 'sb',
  attempt: 0,
  state: 'running',
  createdAtMs: 1,
  startedAtMs: 1,
  finishedAtMs: 0,
  exitCode: 0,
  reason: '',
  message: '',
  image: '',
  imageId: '',
  hash: containerHash({ name, image: 'i' }),
  logPath: '',
  terminationMessageFile: '',
  terminationMessagePolicy: 'File',
  ...part,
})
const exited = (name: string, exitCode: number, part: Partial<ObservedContainer> = {}): ObservedContainer =>
  observedContainer(name, { state: 'exited', exitCode, finishedAtMs: 2, ...part })
const container = (name: string, part: Partial<Container> = {}): Container => ({ name, image: 'i', ...part })
const pod = (spec: Partial<NonNullable<Pod['spec']>>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default', uid: 'u' },
  spec: { containers: [container('main')], ...spec },
})
const observed = (sandboxes: ObservedSandbox[], containers: ObservedContainer[] = []): ObservedPod => ({
  uid: 'u',
  name: 'p',
  namespace: 'default',
  sandboxes,
  containers,
})
const plan = (input: Partial<PlanInput> & Pick<PlanInput, 'pod' | 'observed'>): ReturnType<typeof planPod> =>
  planPod({ failedProbes: new Map(), started: () => true, ...input })
const names = (containers: readonly Container[]): string[] => containers.map(({ name }) => name)

describe('ephemeral containers', () => {
  const debugged = pod({ initContainers: [container('init')], ephemeralContainers: [{ name: 'debugger', image: 'i' }] })

  it('start once, even while the pod initializes', () => {
    const result = plan({ pod: debugged, observed: observed([sandbox()], [observedContainer('init')]) })
    expect(names(result.start)).toEqual(['debugger'])
  })

  it('are not started again when they ended, nor with a pod that is done', () => {
    const ended = observed([sandbox()], [exited('debugger', 0), observedContainer('main'), exited('init', 0)])
    expect(plan({ pod: debugged, observed: ended }).start).toEqual([])
    const done = pod({ restartPolicy: 'Never', ephemeralContainers: [{ name: 'debugger', image: 'i' }] })
    expect(plan({ pod: done, observed: observed([sandbox()], [exited('main', 0)]) })).toMatchObject({
      killPod: true,
      start: [],
    })
  })
})

describe('sandbox', () => {
  it('is made for a new pod, with all containers', () => {
    const result = plan({ pod: pod({}), observed: observed([]) })
    expect(result).toMatchObject({ createSandbox: true, attempt: 0 })
    expect(names(result.start)).toEqual(['main'])
  })

  it('is made again when it is no longer ready, and containers with it', () => {
    const result = plan({
      pod: pod({}),
      observed: observed([sandbox({ ready: false, attempt: 2 })], [observedContainer('main')]),
    })
    expect(result).toMatchObject({ killPod: true, createSandbox: true, attempt: 3 })
    expect(names(result.start)).toEqual(['main'])
  })

  it('is not made again for a pod that ran and never restarts', () => {
    const result = plan({
      pod: pod({ restartPolicy: 'Never' }),
      observed: observed([sandbox({ ready: false })], [exited('main', 0)]),
    })
    expect(result).toMatchObject({ killPod: true, createSandbox: false })
    expect(result.start).toEqual([])
  })

  it('is not made again when everything has succeeded', () => {
    const result = plan({
      pod: pod({ restartPolicy: 'OnFailure' }),
      observed: observed([sandbox({ ready: false })], [exited('main', 0)]),
    })
    expect(result.createSandbox).toBe(false)
  })

  it('without an address is replaced, unless the pod is on the host network', () => {
    expect(plan({ pod: pod({}), observed: observed([sandbox({ ips: [] })]) }).createSandbox).toBe(true)
    expect(plan({ pod: pod({ hostNetwork: true }), observed: observed([sandbox({ ips: [] })]) }).createSandbox).toBe(
      false,
    )
  })
})

describe('regular containers', () => {
  it('that run are left alone', () => {
    const result = plan({ pod: pod({}), observed: observed([sandbox()], [observedContainer('main')]) })
    expect(result).toMatchObject({ killPod: false, createSandbox: false, kill: [], start: [] })
  })

  it.each([
    ['Always', 0, ['main']],
    ['Always', 1, ['main']],
    ['OnFailure', 0, []],
    ['OnFailure', 1, ['main']],
    ['Never', 1, []],
  ] as const)('restart policy %s, exit code %i', (restartPolicy, exitCode, expected) => {
    const result = plan({ pod: pod({ restartPolicy }), observed: observed([sandbox()], [exited('main', exitCode)]) })
    expect(names(result.start)).toEqual(expected)
    expect(result.killPod).toBe(expected.length === 0)
  })

  it('that failed their liveness probe are killed and started again', () => {
    const result = plan({
      pod: pod({}),
      observed: observed([sandbox()], [observedContainer('main')]),
      failedProbes: new Map([['main-0', 'liveness']]),
    })
    expect(result.kill.map(({ message }) => message)).toEqual([
      'Container main failed liveness probe, will be restarted',
    ])
    expect(names(result.start)).toEqual(['main'])
  })

  it('that failed a probe are only killed when the pod never restarts', () => {
    const result = plan({
      pod: pod({ restartPolicy: 'Never' }),
      observed: observed([sandbox()], [observedContainer('main')]),
      failedProbes: new Map([['main-0', 'startup']]),
    })
    expect(result.kill).toHaveLength(1)
    expect(result.start).toEqual([])
  })

  it('whose image was changed are replaced', () => {
    const result = plan({
      pod: pod({ containers: [container('main', { image: 'other' })] }),
      observed: observed([sandbox()], [observedContainer('main')]),
    })
    expect(result.kill[0]?.message).toBe('Container main definition changed, will be restarted')
    expect(names(result.start)).toEqual(['main'])
  })

  it('start next to others that run', () => {
    const result = plan({
      pod: pod({ containers: [container('a'), container('b')] }),
      observed: observed([sandbox()], [observedContainer('a'), exited('b', 1)]),
    })
    expect(names(result.start)).toEqual(['b'])
    expect(result.killPod).toBe(false)
  })
})

describe('init containers', () => {
  const spec = { initContainers: [container('one'), container('two')] }

  it('run one after the other', () => {
    expect(names(plan({ pod: pod(spec), observed: observed([]) }).start)).toEqual(['one'])
    expect(names(plan({ pod: pod(spec), observed: observed([sandbox()]) }).start)).toEqual(['one'])
    expect(plan({ pod: pod(spec), observed: observed([sandbox()], [observedContainer('one')]) }).start).toEqual([])
    expect(names(plan({ pod: pod(spec), observed: observed([sandbox()], [exited('one', 0)]) }).start)).toEqual(['two'])
    expect(
      names(plan({ pod: pod(spec), observed: observed([sandbox()], [exited('two', 0), exited('one', 0)]) }).start),
    ).toEqual(['main'])
  })

  it('are tried again when they fail', () => {
    const result = plan({ pod: pod(spec), observed: observed([sandbox()], [exited('one', 1)]) })
    expect(names(result.start)).toEqual(['one'])
  })

  it('end the pod when they fail and it never restarts', () => {
    const result = plan({
      pod: pod({ ...spec, restartPolicy: 'Never' }),
      observed: observed([sandbox()], [exited('one', 1)]),
    })
    expect(result).toMatchObject({ killPod: true, start: [] })
  })

  it('run again in a new sandbox', () => {
    const result = plan({
      pod: pod(spec),
      observed: observed(
        [sandbox({ id: 'new', attempt: 1 }), sandbox({ ready: false })],
        [exited('one', 0), exited('two', 0)],
      ),
    })
    expect(names(result.start)).toEqual(['one'])
  })

  it('of a pod whose containers have started are not looked at any more', () => {
    const result = plan({ pod: pod(spec), observed: observed([sandbox()], [observedContainer('main')]) })
    expect(result.start).toEqual([])
  })
})

describe('sidecars', () => {
  const spec = { initContainers: [container('proxy', { restartPolicy: 'Always' })] }

  it('hold back what follows until they have started', () => {
    const state = observed([sandbox()], [observedContainer('proxy')])
    expect(plan({ pod: pod(spec), observed: state, started: () => false }).start).toEqual([])
    expect(names(plan({ pod: pod(spec), observed: state }).start)).toEqual(['main'])
  })

  it('are restarted while the pod runs, also after a success', () => {
    const result = plan({
      pod: pod(spec),
      observed: observed([sandbox()], [observedContainer('main'), exited('proxy', 0)]),
    })
    expect(names(result.start)).toEqual(['proxy'])
  })

  it('do not keep a finished pod alive', () => {
    const result = plan({
      pod: pod({ ...spec, restartPolicy: 'Never' }),
      observed: observed([sandbox()], [exited('main', 0), observedContainer('proxy')]),
    })
    expect(result).toMatchObject({ killPod: true, start: [] })
  })
})
