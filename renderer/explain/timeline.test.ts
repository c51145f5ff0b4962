import { describe, expect, it } from 'vitest'
import type { Event } from '../../common/api/generated/types.ts'
import type { Machine } from '../../common/api/lab/v1alpha1.ts'
import { eventWords, happenings } from './timeline.ts'

const event = (reason: string, message: string, second: number): Event => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: reason, namespace: 'default', uid: reason, resourceVersion: String(second) },
  involvedObject: { kind: 'Pod', name: 'web', namespace: 'default' },
  reason,
  message,
  lastTimestamp: `2026-01-01T00:00:0${String(second)}Z`,
})

describe('happenings', () => {
  it('are newest first and leave small steps out', () => {
    const found = happenings(
      {
        events: [
          event('Scheduled', 'Successfully assigned default/web to node-1', 1),
          event('Pulling', 'Pulling image "x"', 2),
          event('Started', 'Started container main', 3),
        ],
        machines: [],
        nodes: [],
      },
      'main',
      10,
    )
    expect(found.map((one) => one.text)).toEqual(['container was started', 'was placed on node-1'])
  })
  it('tell a machine that was switched off once, not as a death', () => {
    const off: Machine = {
      apiVersion: 'lab.orrery.dev/v1alpha1',
      kind: 'Machine',
      metadata: { name: 'node-1', uid: 'm' },
      spec: { arch: 'amd64' },
      status: {
        lastExit: { at: '2026-01-01T00:00:04Z', reason: 'PoweredOff', message: 'the machine was powered off' },
      },
    }
    const recorded: Event = {
      ...event('PoweredOff', 'The machine was powered off', 4),
      involvedObject: { kind: 'Machine', name: 'node-1' },
    }
    const found = happenings({ events: [recorded], machines: [off], nodes: [] }, 'main', 10)
    expect(found.map((one) => `${one.tone} ${one.text}`)).toEqual(['idle was powered off'])
  })
  it('tell a machine that died and came back', () => {
    const machine: Machine = {
      apiVersion: 'lab.orrery.dev/v1alpha1',
      kind: 'Machine',
      metadata: { name: 'node-1', uid: 'm' },
      spec: { arch: 'amd64' },
      status: {
        boots: 2,
        startedAt: '2026-01-01T00:00:05Z',
        lastExit: { at: '2026-01-01T00:00:04Z', reason: 'Killed', message: 'QEMU was killed by signal 9' },
      },
    }
    const found = happenings({ events: [], machines: [machine], nodes: [] }, 'main', 10)
    expect(found.map((one) => `${one.tone} ${one.text}`)).toEqual([
      'busy was powered on again (boot 2)',
      'bad died: QEMU was killed by signal 9',
    ])
  })
})

it('says the same about many once', () => {
  const events = ['a', 'b', 'c'].map((name, index) => ({
    ...event('Started', 'Started container main', index),
    metadata: { name, uid: name },
    involvedObject: { kind: 'Pod', name },
  }))
  const found = happenings({ events, machines: [], nodes: [] }, 'main', 10)
  expect(found).toHaveLength(1)
  expect(found[0]?.others).toBe(2)
})

describe('eventWords', () => {
  it.each([
    ['ScalingReplicaSet', 'Scaled up replica set web-1 from 0 to 3', 'scales its ReplicaSet web-1 up from 0 to 3'],
    ['ScalingReplicaSet', 'Scaled down replica set web-1 to 2 from 3', 'scales its ReplicaSet web-1 down from 3 to 2'],
    ['Pulled', 'Successfully pulled image "a:1" in 812ms (812ms including waiting)', 'has fetched a:1 in 812ms'],
    ['Pulled', 'Container image "a:1" already present on machine', 'found a:1 on the node'],
    ['TaintManagerEviction', 'Cancelling deletion of Pod a/web', 'stays where it is: its node came back'],
    ['FailedMount', 'MountVolume.SetUp failed for volume "x"', 'MountVolume.SetUp failed for volume "x"'],
  ])('%s', (reason, message, text) => {
    expect(eventWords(reason, message, 'Pod', 'web').text).toBe(text)
  })
})
