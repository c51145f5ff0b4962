import { expect, it } from 'vitest'
import type { ContainerStatus, Pod } from '../../common/api/generated/types.ts'
import { kubeletEvents } from './kubelet-events.ts'

const container = (state: ContainerStatus['state'], containerID?: string): ContainerStatus => ({
  name: 'main',
  image: 'i',
  imageID: '',
  ready: false,
  restartCount: 0,
  state,
  ...(containerID === undefined ? {} : { containerID }),
})
const pod = (...containerStatuses: ContainerStatus[]): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', uid: 'u' },
  status: { containerStatuses },
})
const running = container({ running: {} }, 'hollow://1')
const waiting = container({ waiting: { reason: 'ContainerCreating' } })
const backOff = container({ waiting: { reason: 'CrashLoopBackOff' } }, 'hollow://1')

it.each([
  [waiting, running, false, ['Created', 'Started']],
  [undefined, container({ terminated: { exitCode: 0 } }, 'hollow://1'), false, ['Created', 'Started']],
  [running, running, false, []],
  [running, backOff, false, ['BackOff']],
  [backOff, backOff, false, []],
  [backOff, container({ running: {} }, 'hollow://2'), false, ['Created', 'Started']],
  [running, running, true, ['Killing']],
  [backOff, backOff, true, []],
])('%#', (before, after, stopping, reasons) => {
  const events = kubeletEvents(pod(...(before === undefined ? [] : [before])), { containerStatuses: [after] }, stopping)
  expect(events.map(({ reason }) => reason)).toEqual(reasons)
  for (const { fieldPath } of events) expect(fieldPath).toBe('spec.containers{main}')
})
