import { describe, expect, it } from 'vitest'
import type {
  ResourceV1Device,
  ResourceV1DeviceClaim,
  ResourceV1DeviceClass,
  ResourceV1ResourceClaim,
  ResourceV1ResourceSlice,
} from '../../../common/api/generated/types.ts'
import { newDeviceSelector } from '../../apiserver/cel/device-selector.ts'
import { testNode } from '../../controllers/testing/objects.ts'
import { allocationOf } from './allocation.ts'
import { Constraint } from './constraints.ts'
import { gatherPools } from './pools.ts'
import { requestsOf } from './requests.ts'
import { searchDevices } from './search.ts'
import { usageOf } from './usage.ts'

const node = testNode('node-1', { labels: { zone: 'a' } })
const driver = 'gpu.example.com'

const gpu: ResourceV1DeviceClass = {
  apiVersion: 'resource.k8s.io/v1',
  kind: 'DeviceClass',
  metadata: { name: 'gpu' },
  spec: {
    selectors: [{ cel: { expression: `device.driver == "${driver}"` } }],
    config: [{ opaque: { driver, parameters: { mode: 'shared' } } }],
  },
}

function slice(
  devices: ResourceV1Device[],
  change: Partial<ResourceV1ResourceSlice['spec']> = {},
  name = 'slice-1',
): ResourceV1ResourceSlice {
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceSlice',
    metadata: { name },
    spec: {
      driver,
      nodeName: 'node-1',
      pool: { name: 'pool', generation: 1, resourceSliceCount: 1 },
      devices,
      ...change,
    },
  }
}

const claimOf = (
  devices: ResourceV1DeviceClaim,
  status?: ResourceV1ResourceClaim['status'],
): ResourceV1ResourceClaim => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: { name: 'c', namespace: 'default' },
  spec: { devices },
  ...(status === undefined ? {} : { status }),
})
const exactly = (name: string, change: object = {}) => ({
  name,
  exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1, ...change },
})
const where = (expression: string) => ({ selectors: [{ cel: { expression } }] })

function allocate(
  slices: ResourceV1ResourceSlice[],
  claims: ResourceV1ResourceClaim[],
  inUse: ResourceV1ResourceClaim[] = [],
) {
  return searchDevices({
    node,
    pools: gatherPools(slices),
    usage: usageOf(inUse),
    selector: newDeviceSelector(),
    claims: claims.map((claim) => ({
      key: 'default/c',
      requests: requestsOf(claim, () => gpu),
      constraints: (claim.spec.devices?.constraints ?? []).map((constraint) => new Constraint(constraint)),
    })),
  })?.map((chosen, i) => allocationOf(claims[i] ?? claimOf({}), chosen, node))
}
const got = (...args: Parameters<typeof allocate>) =>
  allocate(...args)?.map(({ devices }) => devices?.results?.map(({ request, device }) => `${request}=${device}`))

const named = (name: string, attributes: ResourceV1Device['attributes'] = {}, more: object = {}): ResourceV1Device => ({
  name,
  attributes,
  ...more,
})

describe('devices of a claim', () => {
  const two = slice([
    named('small', { memory: { int: 8 }, numa: { int: 0 }, version: { version: '1.2.0' } }),
    named('large', { memory: { int: 80 }, numa: { int: 1 }, version: { version: '1.10.0' } }),
  ])
  const taken = claimOf(
    {},
    {
      allocation: { devices: { results: [{ request: 'r', driver, pool: 'pool', device: 'small' }] } },
    },
  )

  it.each<[string, ResourceV1DeviceClaim, string[] | undefined]>([
    ['any', { requests: [exactly('a')] }, ['a=small']],
    ['by an attribute', { requests: [exactly('a', where(`device.attributes["${driver}"].memory > 10`))] }, ['a=large']],
    ['by a version', { requests: [exactly('a', where(`device.attributes["${driver}"].version.isGreaterThan(semver("1.9.0"))`))] }, ['a=large']],
    ['of which a domain knows nothing', { requests: [exactly('a', where('has(device.attributes["other"].x)'))] }, undefined],
    ['several', { requests: [exactly('a', { count: 2 })] }, ['a=small', 'a=large']],
    ['too many', { requests: [exactly('a', { count: 3 })] }, undefined],
    ['all', { requests: [exactly('a', { allocationMode: 'All', count: undefined })] }, ['a=small', 'a=large']],
    ['for two requests, whatever their order', { requests: [exactly('a'), exactly('b', where(`device.attributes["${driver}"].memory < 10`))] }, ['a=large', 'b=small']],
    ['the first alternative there is', { requests: [{ name: 'a', firstAvailable: [{ name: 'huge', deviceClassName: 'gpu', count: 1, ...where(`device.attributes["${driver}"].memory > 100`) }, { name: 'any', deviceClassName: 'gpu', count: 1 }] }] }, ['a/any=small']],
    ['alike', { requests: [exactly('a', { count: 2 })], constraints: [{ matchAttribute: `${driver}/numa` }] }, undefined],
    ['unlike', { requests: [exactly('a', { count: 2 })], constraints: [{ distinctAttribute: `${driver}/numa` }] }, ['a=small', 'a=large']],
  ])('%s', (_, claim, expected) => {
    expect(got([two], [claimOf(claim)])?.[0]).toEqual(expected)
  }) // prettier-ignore

  it('are not given twice, but administrators see them all the same', () => {
    expect(got([two], [claimOf({ requests: [exactly('a')] })], [taken])).toEqual([['a=large']])
    expect(got([two], [claimOf({ requests: [exactly('a', { adminAccess: true })] })], [taken])).toEqual([['a=small']])
    expect(got([two], [claimOf({ requests: [exactly('a')] }), claimOf({ requests: [exactly('a')] })])).toEqual([
      ['a=small'],
      ['a=large'],
    ])
  })

  it('say where they can be used, and with what configuration', () => {
    const config = [{ requests: ['a'], opaque: { driver, parameters: { x: 1 } } }]
    const [allocation] = allocate([two], [claimOf({ requests: [exactly('a')], config })]) ?? []
    expect(allocation?.nodeSelector).toEqual({
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-1'] }] }],
    })
    expect(allocation?.devices?.config).toEqual([
      { source: 'FromClass', opaque: { driver, parameters: { mode: 'shared' } } },
      { source: 'FromClaim', opaque: { driver, parameters: { x: 1 } } },
    ])
    const zone = { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }] }
    const zonal = slice([named('one')], { nodeName: undefined, nodeSelector: zone })
    expect(allocate([zonal], [claimOf({ requests: [exactly('a')] })])?.[0]?.nodeSelector).toEqual(zone)
    const everywhere = slice([named('one')], { nodeName: undefined, allNodes: true })
    expect(allocate([everywhere], [claimOf({ requests: [exactly('a')] })])?.[0]?.nodeSelector).toBeUndefined()
  })

  it('are only those of complete pools, in their newest generation', () => {
    const any = [claimOf({ requests: [exactly('a')] })]
    const half = slice([named('one')], { pool: { name: 'pool', generation: 1, resourceSliceCount: 2 } })
    expect(got([half], any)).toBeUndefined()
    const newer = slice([named('new')], { pool: { name: 'pool', generation: 2, resourceSliceCount: 1 } }, 'slice-2')
    expect(got([two, newer], any)).toEqual([['a=new']])
    expect(got([slice([named('x')], { nodeName: 'node-2' })], any)).toBeUndefined()
    expect(() => got([slice([named('x'), named('x')])], any)).toThrow('invalid resource pools were encountered')
    const all = [claimOf({ requests: [exactly('a', { allocationMode: 'All', count: undefined })] })]
    expect(() => got([half], all)).toThrow(
      `claim default/c, request a: asks for all devices, but resource pool ${driver}/pool is currently being updated`,
    )
  })

  it('that are tainted need a toleration', () => {
    const tainted = slice([named('one', {}, { taints: [{ key: 'broken', effect: 'NoSchedule' }] })])
    expect(got([tainted], [claimOf({ requests: [exactly('a')] })])).toBeUndefined()
    const tolerations = [{ key: 'broken', operator: 'Exists' }]
    const [allocation] = allocate([tainted], [claimOf({ requests: [exactly('a', { tolerations })] })]) ?? []
    expect(allocation?.devices?.results?.[0]?.tolerations).toEqual(tolerations)
  })

  it('that are parts of one another are not in use together', () => {
    const consumes = (value: string) => ({
      consumesCounters: [{ counterSet: 'card', counters: { memory: { value } } }],
    })
    const partitions = [
      slice([], { sharedCounters: [{ name: 'card', counters: { memory: { value: '40Gi' } } }], pool: { name: 'pool', generation: 1, resourceSliceCount: 2 } }),
      slice([named('whole', {}, consumes('40Gi')), named('half-1', {}, consumes('20Gi')), named('half-2', {}, consumes('20Gi'))], { pool: { name: 'pool', generation: 1, resourceSliceCount: 2 } }, 'slice-2'),
    ] // prettier-ignore
    expect(got(partitions, [claimOf({ requests: [exactly('a', { count: 2 })] })])).toEqual([['a=half-1', 'a=half-2']])
    expect(got(partitions, [claimOf({ requests: [exactly('a', { count: 3 })] })])).toBeUndefined()
    const half = { request: 'r', driver, pool: 'pool', device: 'half-1' }
    const inUse = claimOf({}, { allocation: { devices: { results: [half] } } })
    expect(got(partitions, [claimOf({ requests: [exactly('a')] })], [inUse])).toEqual([['a=half-2']])
  })

  it('that may be shared are shared as far as their capacity goes', () => {
    const requestPolicy = { default: '1Gi', validRange: { min: '1Gi', step: '1Gi' } }
    const capacity = { bandwidth: { value: '4Gi', requestPolicy } }
    const card = slice([named('card', {}, { allowMultipleAllocations: true, capacity })])
    const wants = (bandwidth: string) =>
      claimOf({ requests: [exactly('a', { capacity: { requests: { bandwidth } } })] })
    const [allocation] = allocate([card], [wants('2500Mi')]) ?? []
    const [result] = allocation?.devices?.results ?? []
    expect(result).toMatchObject({ device: 'card', consumedCapacity: { bandwidth: '3Gi' } })
    expect(result?.shareID).toMatch(/^[0-9a-f-]{36}$/)
    const inUse = claimOf({}, { allocation })
    expect(got([card], [wants('1Gi')], [inUse])).toEqual([['a=card']])
    expect(got([card], [wants('2Gi')], [inUse])).toBeUndefined()
    expect(got([card], [wants('1Gi'), wants('1Gi')], [inUse])).toBeUndefined()
  })

  it('are not searched for ever', () => {
    const many = slice(Array.from({ length: 40 }, (_, i) => named(`d${String(i)}`, { numa: { int: i } })))
    const constraints = [{ requests: ['b'], matchAttribute: `${driver}/numa` }]
    const claim = claimOf({ requests: [exactly('a', { count: 16 }), exactly('b', { count: 2 })], constraints })
    expect(() => got([many], [claim])).toThrow('timed out trying to allocate devices')
    expect(() => got([many], [claimOf({ requests: [exactly('a', { count: 33 })] })])).toThrow(
      'claim default/c: number of requested devices 33 exceeds the claim limit of 32',
    )
  })
})
