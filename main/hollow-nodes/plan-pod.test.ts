import { describe, expect, it } from 'vitest'
import type { Pod } from '../../common/api/generated/types.ts'
import { formatTime } from '../../common/machinery/clock.ts'
import { planHollowPod, type PodPlan } from './plan-pod.ts'

const start = Date.UTC(2026, 0, 1)

function pod(change: { metadata?: Partial<Pod['metadata']>; spec?: Partial<NonNullable<Pod['spec']>> } = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default', uid: 'u1', ...change.metadata },
    spec: {
      nodeName: 'hollow-1',
      restartPolicy: 'Always',
      containers: [{ name: 'main', image: 'hello:1' }],
      ...change.spec,
    },
    status: { phase: 'Pending' },
  }
}

function plan(object: Pod, nowMs = start, delays: { startDelayMs?: number; stopDelayMs?: number } = {}): PodPlan {
  const { startDelayMs = 0, stopDelayMs = 0 } = delays
  return planHollowPod({
    pod: object,
    nodeAddress: '10.192.0.1',
    podAddress: '10.128.0.1',
    startDelayMs,
    stopDelayMs,
    nowMs,
  })
}

/** The pod after the API took the plan's status. */
const after = (object: Pod, done: PodPlan): Pod => ({ ...object, status: { ...object.status, ...done.status } })

describe('a pod on a hollow node', () => {
  it('runs ephemeral containers that come later', () => {
    const first = after(pod(), plan(pod()))
    const spec = { ephemeralContainers: [{ name: 'debugger', image: 'shell:1' }] }
    const second = plan({ ...first, spec: { ...first.spec, containers: first.spec?.containers ?? [], ...spec } })
    expect(second.status?.ephemeralContainerStatuses).toMatchObject([{ name: 'debugger', state: { running: {} } }])
  })

  it('runs at once, with addresses, and is not written again', () => {
    const first = plan(pod())
    expect(first.status).toMatchObject({
      phase: 'Running',
      hostIP: '10.192.0.1',
      podIP: '10.128.0.1',
      startTime: formatTime(start),
      containerStatuses: [{ name: 'main', ready: true, started: true, restartCount: 0, image: 'hello:1' }],
    })
    expect(first.status?.containerStatuses?.[0]?.containerID).toMatch(/^hollow:\/\//)
    expect(first.status?.conditions?.map(({ type, status }) => `${type}=${status}`)).toContain('Ready=True')
    expect(plan(after(pod(), first), start + 60_000)).toEqual({})
  })

  it('is first created, then started when there is a delay', () => {
    const first = plan(pod(), start, { startDelayMs: 2000 })
    expect(first).toMatchObject({
      afterMs: 2000,
      status: { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }] },
    })
    const second = plan(after(pod(), first), start + 2000, { startDelayMs: 2000 })
    expect(second.status?.phase).toBe('Running')
  })

  it('has its init containers behind it and its sidecars running', () => {
    const { status } = plan(
      pod({
        spec: {
          initContainers: [
            { name: 'once', image: 'a' },
            { name: 'aside', image: 'b', restartPolicy: 'Always' },
          ],
        },
      }),
    )
    expect(status?.initContainerStatuses).toMatchObject([
      { name: 'once', ready: true, state: { terminated: { exitCode: 0 } } },
      { name: 'aside', ready: true, state: { running: {} } },
    ])
  })

  it('waits for its readiness gates', () => {
    const gated = pod({ spec: { readinessGates: [{ conditionType: 'example.com/ok' }] } })
    const first = plan(gated)
    const ready = (of: PodPlan) => of.status?.conditions?.find(({ type }) => type === 'Ready')
    expect(ready(first)).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady' })
    const shown = after(gated, first)
    shown.status?.conditions?.push({ type: 'example.com/ok', status: 'True' })
    expect(ready(plan(shown, start + 1000))?.status).toBe('True')
  })

  it.each([
    ['Never', { 'lab.orrery.dev/hollow-exit-after': '5s' }, 'Succeeded'],
    ['OnFailure', { 'lab.orrery.dev/hollow-exit-after': '5s' }, 'Succeeded'],
    ['Never', { 'lab.orrery.dev/hollow-exit-after': '5s', 'lab.orrery.dev/hollow-exit-code': '3' }, 'Failed'],
    ['Never', {}, undefined],
  ])('ends with restartPolicy %s and %o as %s', (restartPolicy, annotations, phase) => {
    const job = pod({ metadata: { annotations }, spec: { restartPolicy } })
    const running = plan(job)
    expect(running.status?.phase).toBe('Running')
    expect(running.afterMs).toBe(phase === undefined ? undefined : 5000)
    const ended = plan(after(job, running), start + 5000)
    expect(ended.status?.phase).toBe(phase)
    if (phase !== undefined) expect(plan(after(after(job, running), ended), start + 9000)).toEqual({})
  })

  /** Its states, one after the other, each when the one before said. */
  function life(object: Pod, steps: number): PodPlan[] {
    const plans: PodPlan[] = []
    let nowMs = start
    for (let step = 0; step < steps; step += 1) {
      const next = plan(object, nowMs)
      plans.push(next)
      object = after(object, next)
      nowMs += next.afterMs ?? 0
    }
    return plans
  }

  it('restarts what fails, later each time', () => {
    const failing = pod({
      spec: { restartPolicy: 'OnFailure', containers: [{ name: 'main', command: ['sh', '-c', 'sleep 2; exit 3'] }] },
    })
    const states = life(failing, 8).map(({ status, afterMs }) => {
      const { state = {}, restartCount, lastState } = status?.containerStatuses?.[0] ?? {}
      return [
        Object.keys(state)[0],
        restartCount,
        lastState?.terminated?.exitCode,
        status?.phase,
        Math.round((afterMs ?? 0) / 1000),
      ]
    })
    expect(states).toEqual([
      ['running', 0, undefined, 'Running', 2],
      ['terminated', 0, undefined, 'Running', 0],
      ['running', 1, 3, 'Running', 2],
      ['waiting', 1, 3, 'Running', 10],
      ['running', 2, 3, 'Running', 2],
      ['waiting', 2, 3, 'Running', 20],
      ['running', 3, 3, 'Running', 2],
      ['waiting', 3, 3, 'Running', 40],
    ])
  })

  it('succeeds when its command has', () => {
    const done = life(
      pod({ spec: { restartPolicy: 'Never', containers: [{ name: 'main', command: ['sleep', '1'] }] } }),
      3,
    )
    expect(done.map(({ status }) => status?.phase)).toEqual(['Running', 'Succeeded', undefined])
  })

  it.each([
    ['Never', 'Failed', undefined],
    ['Always', 'Pending', 1],
  ])('does not begin when an init container fails (%s)', (restartPolicy, phase, afterMs) => {
    const spec = { restartPolicy, initContainers: [{ name: 'first', command: ['false'] }, { name: 'second' }] }
    const failed = plan(pod({ spec }))
    expect(failed).toMatchObject({
      status: {
        phase,
        initContainerStatuses: [{ state: { terminated: { exitCode: 1 } } }, { state: { waiting: {} } }],
        containerStatuses: [{ ready: false, state: { waiting: { reason: 'PodInitializing' } } }],
      },
    })
    expect(failed.afterMs).toBe(afterMs)
  })

  it('fails when its active deadline has passed', () => {
    const short = pod({ spec: { activeDeadlineSeconds: 10 } })
    const running = plan(short)
    expect(running.afterMs).toBe(10_000)
    expect(plan(after(short, running), start + 10_000).status).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
    })
  })

  it.each([
    [0, 0],
    [5000, 5000],
    [90_000, 30_000],
  ])('stops %i ms after its deletion, at the latest with its grace period (%i ms)', (stopDelayMs, stopsAfterMs) => {
    const running = after(pod(), plan(pod()))
    running.metadata.deletionTimestamp = formatTime(start + 30_000)
    running.metadata.deletionGracePeriodSeconds = 30
    if (stopsAfterMs > 0) expect(plan(running, start, { stopDelayMs })).toEqual({ afterMs: stopsAfterMs })
    const stopped = plan(running, start + stopsAfterMs, { stopDelayMs })
    expect(stopped).toMatchObject({ remove: true, status: { phase: 'Succeeded' } })
    // A finalizer keeps the object: nothing more is written.
    expect(plan(after(running, stopped), start + 40_000)).toEqual({ remove: true })
  })
})
