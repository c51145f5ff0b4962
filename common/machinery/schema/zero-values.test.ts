import { describe, expect, it } from 'vitest'
import type { Facts } from '../../api/facts.ts'
import facts from '../../api/generated/facts.json' with { type: 'json' }
import { createDecoder } from './decode.ts'

const decoder = createDecoder((facts as unknown as Facts).definitions)
const decode = (kind: string, value: unknown): unknown =>
  decoder.decode(`io.k8s.api.${kind}`, value, { fill: true }).value

describe('fields that nobody set', () => {
  it('are there when Go has them always, all the way down', () => {
    expect(decode('core.v1.Pod', {})).toEqual({ spec: { containers: [] } })
    expect(decode('core.v1.Pod', { spec: { containers: [{}, null] } })).toEqual({
      spec: { containers: [{ name: '' }, { name: '' }] },
    })
    expect(decode('batch.v1.CronJob', {})).toEqual({
      spec: { jobTemplate: { spec: { template: { spec: { containers: [] } } } }, schedule: '' },
    })
  })

  it('stay away when they are pointers, times or raw values', () => {
    expect(decode('apps.v1.Deployment', {})).toEqual({ spec: { template: { spec: { containers: [] } } } })
    expect(decode('core.v1.ReplicationController', { spec: {} })).toEqual({ spec: {} })
    expect(decode('core.v1.Service', { metadata: {} })).toEqual({ metadata: {}, spec: {} })
  })

  it('are not invented for a part of an object', () => {
    expect(decoder.decode('io.k8s.api.apps.v1.Deployment', { spec: { replicas: 1 } }).value).toEqual({
      spec: { replicas: 1 },
    })
  })
})
