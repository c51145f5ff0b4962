import { describe, expect, it } from 'vitest'
import type { Event } from '../../../../common/api/generated/types.ts'
import { eventsEvent } from '../../events/event.ts'
import { runKindContract } from '../../kind-contract.ts'
import { createObject } from '../../testing/lifecycle.ts'
import { event } from './index.ts'

const involvedObject = { kind: 'Pod', name: 'web', namespace: 'default', fieldPath: 'spec.containers{main}' }
const older = {
  involvedObject,
  reason: 'Started',
  message: ' Started it ',
  type: 'Normal',
  count: 3,
  source: { component: 'kubelet', host: 'node-1' },
  firstTimestamp: '2030-01-01T00:00:00Z',
  lastTimestamp: '2030-01-01T00:50:00Z',
}
const newer = {
  eventTime: '2030-01-01T00:00:00.000000Z',
  regarding: involvedObject,
  reason: 'Scheduled',
  note: 'it fits',
  action: 'Binding',
  type: 'Normal',
  reportingController: 'default-scheduler',
  reportingInstance: 'engine',
}

runKindContract(event, { valid: [older] })
runKindContract(eventsEvent, { valid: [newer] })

describe('events', () => {
  const now = new Date('2030-01-01T01:00:00Z')
  const cells = (object: Event): Record<string, unknown> =>
    Object.fromEntries((event.columns ?? []).map((column) => [column.name, column.cell(object, now)]))

  it('show when, what, where and how often', () => {
    expect(cells(createObject(event, older).object)).toEqual({
      'Last Seen': '10m',
      Type: 'Normal',
      Reason: 'Started',
      Object: 'pod/web',
      Subobject: 'spec.containers{main}',
      Source: 'kubelet, node-1',
      Message: 'Started it',
      'First Seen': '60m',
      Count: 3,
      Name: 'test',
    })
  })

  it('of the newer API read the same through the older one', () => {
    const stored = eventsEvent.storedAs?.toStored(createObject(eventsEvent, newer).object) as Event
    expect(stored).toMatchObject({
      apiVersion: 'v1',
      involvedObject: { name: 'web' },
      message: 'it fits',
      reportingComponent: 'default-scheduler',
    })
    expect(cells(stored)).toMatchObject({ 'Last Seen': '60m', Source: 'default-scheduler, engine', Count: 1 })
  })

  it('live in the namespace of their object', () => {
    expect(
      createObject(event, { ...older, involvedObject: { kind: 'Pod', name: 'a', namespace: 'other' } }).errors,
    ).toEqual(['involvedObject.namespace: Invalid value: "other": does not match event.namespace'])
    expect(createObject(event, { ...older, involvedObject: { kind: 'Node', name: 'a' } }).errors).toEqual([])
  })

  it('of the newer API must say who and what', () => {
    expect(createObject(eventsEvent, { regarding: involvedObject }).errors).toEqual([
      'eventTime: Required value',
      'reportingController: Required value',
      'reportingInstance: Required value',
      'action: Required value',
      'reason: Required value',
      'type: Invalid value: "": has invalid value: ',
    ])
  })

  it('are found by their object', () => {
    expect(event.selectableFields?.(createObject(event, older).object)).toMatchObject({
      'involvedObject.name': 'web',
      source: 'kubelet',
      reason: 'Started',
    })
  })
})
