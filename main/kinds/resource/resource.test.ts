import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { runKindContract } from '../kind-contract.ts'
import { createObject, newTestContext, testNow, updateObject } from '../testing/lifecycle.ts'
import { deviceClass } from './device-class.ts'
import { resourceClaimTemplate } from './resource-claim-template.ts'
import { resourceClaim } from './resource-claim.ts'
import { resourceSlice } from './resource-slice.ts'

const selectors = [{ cel: { expression: 'device.driver == "gpu.example.com"' } }]
const opaque = { driver: 'gpu.example.com', parameters: { mode: 'fast' } }
const request = { name: 'gpu', exactly: { deviceClassName: 'gpu.example.com', selectors } }
const devices = {
  requests: [
    request,
    { name: 'any', firstAvailable: [{ name: 'big', deviceClassName: 'big', allocationMode: 'All' }] },
  ],
  constraints: [{ requests: ['gpu', 'any/big'], matchAttribute: 'gpu.example.com/numa' }],
  config: [{ requests: ['gpu'], opaque }],
}
const slice = {
  driver: 'gpu.example.com',
  pool: { name: 'node-1', generation: 1, resourceSliceCount: 1 },
  nodeName: 'node-1',
  devices: [
    {
      name: 'gpu-0',
      attributes: { model: { string: 'X' }, 'example.com/version': { version: '1.2.3-rc.1' }, numa: { int: 0 } },
      capacity: { memory: { value: '80Gi' } },
      taints: [{ key: 'broken', effect: 'NoExecute' }],
    },
  ],
}

runKindContract(deviceClass, {
  valid: [{ spec: { selectors, config: [{ opaque }], extendedResourceName: 'example.com/gpu' } }],
})
runKindContract(resourceClaim, { valid: [{ spec: { devices } }, { spec: {} }] })
runKindContract(resourceClaimTemplate, { valid: [{ spec: { metadata: { labels: { a: 'b' } }, spec: { devices } } }] })
runKindContract(resourceSlice, {
  valid: [
    { spec: slice },
    {
      spec: {
        driver: 'gpu.example.com',
        pool: { name: 'shared/a', generation: 0, resourceSliceCount: 2 },
        perDeviceNodeSelection: true,
        devices: [{ name: 'a', allNodes: true }],
      },
    },
  ],
})

describe('ResourceClaim', () => {
  it('asks for one device when it does not say how many', () => {
    const { object } = createObject(resourceClaim, { spec: { devices } })
    expect(object.spec.devices?.requests?.map(({ exactly }) => exactly?.allocationMode)).toEqual([
      'ExactCount',
      undefined,
    ])
    expect(object.spec.devices?.requests?.[0]?.exactly?.count).toBe(1)
  })

  const reference =
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
  it.each<[Record<string, unknown>, string[]]>([
    [
      { requests: [{ name: 'x' }] },
      ['requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required'],
    ],
    [{ requests: [request, request] }, ['requests[1]: Duplicate value: "gpu"']],
    [{ requests: [{ name: 'x', exactly: {} }] }, ['requests[0].exactly.deviceClassName: Required value']],
    [
      { requests: [{ name: 'x', exactly: { deviceClassName: 'c', allocationMode: 'All', count: 2 } }] },
      ["requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'"],
    ],
    [
      {
        requests: [{ name: 'x', exactly: { deviceClassName: 'c', selectors: [{}, { cel: { expression: 'wrong' } }] } }],
      },
      [
        'requests[0].exactly.selectors[0].cel: Required value',
        'requests[0].exactly.selectors[1].cel.expression: Invalid value: "wrong": compilation failed: wrong',
      ],
    ],
    [
      { requests: [request], constraints: [{ requests: ['other'], matchAttribute: 'plain' }] },
      [
        `constraints[0].requests[0]: Invalid value: "other": ${reference}`,
        'constraints[0].matchAttribute: Invalid value: "plain": a fully qualified name must be a domain and a name separated by a slash',
      ],
    ],
    [
      { requests: [request], config: [{}, { opaque: { driver: 'd', parameters: [1] } }] },
      [
        'config[0].opaque: Required value',
        'config[1].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
      ],
    ],
    [
      { requests: Array.from({ length: 33 }, (_, index) => ({ name: `r${String(index)}` })) },
      ['requests: Too many: 33: must have at most 32 items'],
    ],
  ])('with %j is refused', (claim, errors) => {
    expect(createObject(resourceClaim, { spec: { devices: claim } }).errors).toEqual(
      errors.map((error) => `spec.devices.${error}`),
    )
  })

  it('looks into used devices only where that is allowed', () => {
    const spec = { devices: { requests: [{ name: 'x', exactly: { deviceClassName: 'c', adminAccess: true } }] } }
    expect(createObject(resourceClaim, { spec }).errors).toEqual([
      'spec.devices.requests[0].exactly.adminAccess: Forbidden: admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace',
    ])
    const labels = { 'resource.kubernetes.io/admin-access': 'true' }
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default', labels } } as KubeObject
    expect(createObject(resourceClaim, { spec }, newTestContext({ stored: [namespace] })).errors).toEqual([])
  })

  it('does not change', () => {
    const { object } = createObject(resourceClaim, { spec: { devices } })
    const { errors } = updateObject(resourceClaim, object, (changed) => Object.assign(changed, { spec: {} }))
    expect(errors).toEqual(['spec: Invalid value: {}: field is immutable'])
  })

  it('is reserved after it was allocated, and allocated once', () => {
    const { object } = createObject(resourceClaim, { spec: { devices } })
    const consumer = { resource: 'pods', name: 'p', uid: '1' }
    const result = { request: 'gpu', driver: 'gpu.example.com', pool: 'node-1', device: 'gpu-0' }
    const allocation = { devices: { results: [result] } }
    const write = (old: typeof object, status: object) =>
      updateObject(resourceClaim, old, (changed) => Object.assign(changed, { status }), { door: 'status' })
    expect(write(object, { reservedFor: [consumer] }).errors).toEqual([
      'status.reservedFor: Forbidden: may not be specified when `allocated` is not set',
    ])
    const { object: allocated, errors } = write(object, { allocation, reservedFor: [consumer] })
    expect(errors).toEqual([])
    const cells = (resourceClaim.columns ?? []).map((column) => column.cell(allocated, new Date(testNow)))
    expect(cells).toEqual(['test', 'allocated,reserved', '0s'])
    expect(write(allocated, { allocation: { devices: {} } }).errors).toEqual([
      'status.allocation: Invalid value: {"devices":{}}: field is immutable',
    ])
    expect(write(object, { allocation, devices: [{ driver: 'd', pool: 'p', device: 'x' }] }).errors).toEqual([
      'status.devices[0]: Invalid value: "d/p/x": must be an allocated device in the claim',
    ])
  })
})

describe('ResourceSlice', () => {
  it.each<[Record<string, unknown>, string[]]>([
    [
      { nodeName: undefined },
      [
        'spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
      ],
    ],
    [
      { allNodes: true },
      [
        'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
      ],
    ],
    [
      { pool: { name: '', generation: -1 } },
      [
        'spec.pool.name: Required value',
        'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
        'spec.pool.generation: Invalid value: -1: must be greater than or equal to zero',
      ],
    ],
    [
      { devices: [{ name: 'a', attributes: { 'a/b/c': { string: 'x' } } }] },
      ['spec.devices[0].attributes: Invalid value: "a/b/c": must not contain more than one slash'],
    ],
    [
      { devices: [{ name: 'a', attributes: { v: { version: '1' }, none: {} } }] },
      [
        'spec.devices[0].attributes[v].version: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0',
        'spec.devices[0].attributes[none]: Invalid value: "": exactly one value must be specified',
      ],
    ],
    [
      { devices: [{ name: 'a', capacity: { m: { value: '1', requestPolicy: { default: '1' } } } }] },
      ['spec.devices[0].capacity[m].requestPolicy: Forbidden: allowMultipleAllocations must be true'],
    ],
    [
      {
        devices: [
          {
            name: 'a',
            allowMultipleAllocations: true,
            capacity: { m: { value: '10', requestPolicy: { default: '3', validRange: { min: '2', step: '4' } } } },
          },
        ],
      },
      [
        'spec.devices[0].capacity[m].requestPolicy.validRange.step: Invalid value: "3": value is not a multiple of a given step (4) from (2)',
      ],
    ],
    [
      { devices: [{ name: 'a', nodeName: 'b' }] },
      [
        'spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
      ],
    ],
  ])('with %j is refused', (changes, errors) => {
    expect(createObject(resourceSlice, { spec: { ...slice, ...changes } }).errors).toEqual(errors)
  })
})
