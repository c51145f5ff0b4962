import { describe, expect, it } from 'vitest'
import type { ResourceQuota } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { planQuota, resourcesOf, sameStatus } from './plan.ts'

const quota = (spec: NonNullable<ResourceQuota['spec']>): ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q', namespace: 'default' },
  spec,
})
const pod = (cpu: string | undefined, fields: object = {}): KubeObject =>
  Object.assign(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'default' },
      spec: { containers: [{ name: 'c', ...(cpu === undefined ? {} : { resources: { requests: { cpu } } }) }] },
    },
    fields,
  )

describe('a quota', () => {
  it('looks at the resources that its names speak of', () => {
    const hard = { pods: '1', 'requests.cpu': '1', 'count/deployments.apps': '1', 'count/secrets': '2', secrets: '2' }
    expect(resourcesOf(quota({ hard }))).toEqual([
      { group: '', resource: 'pods' },
      { group: '', resource: 'secrets' },
      { group: 'apps', resource: 'deployments' },
    ])
  })

  it('adds up, and leaves out what has ended', () => {
    const ended = pod('5', { status: { phase: 'Succeeded' } })
    const status = planQuota(
      quota({ hard: { pods: '10', 'requests.cpu': '4', 'count/pods': '20' } }),
      () => [pod('500m'), pod('1'), ended],
      0,
    )
    expect(status).toEqual({
      hard: { pods: '10', 'requests.cpu': '4', 'count/pods': '20' },
      used: { pods: '2', 'requests.cpu': '1500m', 'count/pods': '3' },
    })
  })

  it('says zero for nothing, and nothing of what the server does not have', () => {
    const status = planQuota(
      quota({ hard: { services: '1', 'count/widgets.example.com': '1' } }),
      ({ group }) => (group === '' ? [] : undefined),
      0,
    )
    expect(status.used).toEqual({ services: '0' })
  })

  it('counts only what is in its scopes', () => {
    const objects = () => [pod(undefined), pod('1')]
    expect(planQuota(quota({ hard: { pods: '5' }, scopes: ['BestEffort'] }), objects, 0).used).toEqual({ pods: '1' })
    expect(planQuota(quota({ hard: { pods: '5' }, scopes: ['NotBestEffort'] }), objects, 0).used).toEqual({ pods: '1' })
  })

  it('is not written again for another spelling', () => {
    expect(
      sameStatus({ hard: { cpu: '1' }, used: { cpu: '0.5' } }, { hard: { cpu: '1000m' }, used: { cpu: '500m' } }),
    ).toBe(true)
    expect(sameStatus({ hard: { cpu: '1' } }, { hard: { cpu: '1' }, used: { cpu: '0' } })).toBe(false)
  })
})
