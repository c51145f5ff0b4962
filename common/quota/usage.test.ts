import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../machinery/meta.ts'
import { describeAmounts } from './resource-amounts.ts'
import { inScope } from './scopes.ts'
import { matchingNames, usageOf } from './usage.ts'

const pods = { group: '', resource: 'pods' }
const newObject = (fields: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Any',
  metadata: { name: 'x' },
  ...fields,
})
const used = (resource: { group: string; resource: string }, fields: object): string =>
  describeAmounts(usageOf(resource, newObject(fields), 0))

describe('usage', () => {
  it('of a pod is the larger of running and starting, with sidecars and overhead', () => {
    const cpu = (amount: string): object => ({ resources: { requests: { cpu: amount }, limits: { memory: '1Gi' } } })
    expect(
      used(pods, {
        spec: {
          containers: [
            { name: 'a', ...cpu('1') },
            { name: 'b', ...cpu('500m') },
          ],
          initContainers: [
            { name: 's', restartPolicy: 'Always', ...cpu('100m') },
            { name: 'i', ...cpu('3') },
          ],
          overhead: { cpu: '10m' },
        },
      }),
    ).toBe('count/pods=1,cpu=3110m,limits.memory=3Gi,pods=1,requests.cpu=3110m')
  })
  it('of a resource claim is its devices by class, of alternatives the most of each', () => {
    const claims = { group: 'resource.k8s.io', resource: 'resourceclaims' }
    const requests = [
      { name: 'a', exactly: { deviceClassName: 'gold', allocationMode: 'ExactCount', count: 2 } },
      { name: 'b', exactly: { deviceClassName: 'all', allocationMode: 'All' } },
      {
        name: 'c',
        firstAvailable: [
          { name: 'x', deviceClassName: 'gold', allocationMode: 'ExactCount', count: 1 },
          { name: 'y', deviceClassName: 'gold', allocationMode: 'ExactCount', count: 3 },
        ],
      },
    ]
    expect(used(claims, { spec: { devices: { requests } } })).toBe(
      'all.deviceclass.resource.k8s.io/devices=32,count/resourceclaims.resource.k8s.io=1,gold.deviceclass.resource.k8s.io/devices=5',
    )
    expect(matchingNames(claims, ['gold.deviceclass.resource.k8s.io/devices', 'pods'])).toEqual([
      'gold.deviceclass.resource.k8s.io/devices',
    ])
  })
  it('of a finished pod is its being there', () => {
    expect(used(pods, { status: { phase: 'Succeeded' } })).toBe('count/pods=1')
  })
  it('of services and claims', () => {
    expect(used({ group: '', resource: 'services' }, { spec: { type: 'LoadBalancer', ports: [{}, {}] } })).toBe(
      'count/services=1,services=1,services.loadbalancers=1,services.nodeports=2',
    )
    expect(
      used(
        { group: '', resource: 'persistentvolumeclaims' },
        { spec: { storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } } },
      ),
    ).toBe(
      'count/persistentvolumeclaims=1,fast.storageclass.storage.k8s.io/persistentvolumeclaims=1,fast.storageclass.storage.k8s.io/requests.storage=1Gi,persistentvolumeclaims=1,requests.storage=1Gi',
    )
  })
  it('of other kinds is their number', () => {
    expect(used({ group: 'apps', resource: 'deployments' }, {})).toBe('count/deployments.apps=1')
    expect(matchingNames({ group: 'apps', resource: 'deployments' }, ['pods', 'count/deployments.apps'])).toEqual([
      'count/deployments.apps',
    ])
    expect(matchingNames(pods, ['requests.example.com/gpu', 'services', 'limits.cpu'])).toEqual([
      'requests.example.com/gpu',
      'limits.cpu',
    ])
  })
})

describe('scopes', () => {
  it.each([
    [{ scopes: ['BestEffort'] }, { containers: [{ name: 'a' }] }, true],
    [{ scopes: ['NotBestEffort'] }, { containers: [{ name: 'a' }] }, false],
    [{ scopes: ['Terminating'] }, { activeDeadlineSeconds: 5 }, true],
    [
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
      { priorityClassName: 'high' },
      true,
    ],
    [
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
      {},
      false,
    ],
    [{}, {}, true],
  ])('%j on %j: %s', (spec, pod, expected) => {
    expect(inScope(spec, pods, newObject({ spec: pod }))).toBe(expected)
  })
})
