import { describe, expect, it } from 'vitest'
import { runKindContract } from '../kind-contract.ts'
import { createObject, updateObject } from '../testing/lifecycle.ts'
import { simpleTemplate } from '../testing/pods.ts'
import { configMap } from './config-map.ts'
import { endpoints } from './endpoints.ts'
import { limitRange } from './limit-range.ts'
import { namespace } from './namespace/index.ts'
import { node } from './node/index.ts'
import { podTemplate } from './pod-template.ts'
import { resourceQuota } from './resource-quota.ts'
import { secret } from './secret/index.ts'
import { serviceAccount } from './service-account.ts'

runKindContract(configMap, { valid: [{}, { data: { a: 'b' }, binaryData: { c: 'AAEC' }, immutable: true }] })
runKindContract(secret, {
  valid: [
    { stringData: { a: 'b' } },
    { type: 'kubernetes.io/tls', data: { 'tls.crt': 'QQ==', 'tls.key': 'QQ==' } },
    { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'e30=' } },
  ],
})
runKindContract(serviceAccount, { valid: [{}, { secrets: [{ name: 'a' }], automountServiceAccountToken: false }] })
runKindContract(namespace, { valid: [{}, { metadata: { name: 'team-a', labels: { a: 'b' } } }] })
runKindContract(node, {
  valid: [
    {},
    {
      metadata: { labels: { 'node-role.kubernetes.io/worker': '' } },
      spec: { podCIDR: '10.244.1.0/24', taints: [{ key: 'a', effect: 'NoSchedule' }] },
      status: {
        capacity: { cpu: '2', memory: '1Gi', pods: '110' },
        addresses: [{ type: 'InternalIP', address: '10.77.0.11' }],
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    },
  ],
})
runKindContract(endpoints, {
  valid: [{}, { subsets: [{ addresses: [{ ip: '10.1.1.1', nodeName: 'n' }], ports: [{ port: 80 }] }] }],
})
runKindContract(podTemplate, { valid: [{ template: simpleTemplate() }] })
runKindContract(limitRange, {
  valid: [
    {
      spec: {
        limits: [
          { type: 'Container', max: { cpu: '1' }, min: { cpu: '100m' } },
          { type: 'Pod', max: { memory: '1Gi' } },
        ],
      },
    },
  ],
})
runKindContract(resourceQuota, {
  valid: [{ spec: { hard: { pods: '5', 'requests.cpu': '2', 'count/jobs.batch': '3' } } }],
})

const cell = (
  columns: readonly { name: string; cell(object: never, now: Date): unknown }[] | undefined,
  name: string,
  object: unknown,
): unknown => columns?.find((column) => column.name === name)?.cell(object as never, new Date())

describe('ConfigMap', () => {
  it('checks keys and size', () => {
    expect(createObject(configMap, { data: { 'a b': '' } }).errors[0]).toMatch(
      /^data\[a b\]: Invalid value: "a b": a valid config key must consist/,
    )
    expect(createObject(configMap, { data: { '..': '' } }).errors).toContain(
      'data[..]: Invalid value: "..": must not be \'..\'',
    )
    expect(createObject(configMap, { data: { a: 'x' }, binaryData: { a: '' } }).errors).toEqual([
      'data[a]: Invalid value: "a": duplicate of key present in binaryData',
    ])
    expect(createObject(configMap, { data: { a: 'x'.repeat(1_048_577) } }).errors).toEqual([
      '[]: Too long: may not be more than 1048576 bytes',
    ])
    expect(createObject(configMap, { data: { a: 'x'.repeat(1_048_576) } }).errors).toEqual([])
  })

  it('stays as it is when immutable', () => {
    const old = createObject(configMap, { data: { a: 'b' }, immutable: true }).object
    const { errors } = updateObject(configMap, old, (object) => {
      object.data = { a: 'c' }
      object.immutable = false
    })
    expect(errors).toEqual([
      'immutable: Forbidden: field is immutable when `immutable` is set',
      'data: Forbidden: field is immutable when `immutable` is set',
    ])
  })
})

describe('Secret', () => {
  it('turns text into data', () => {
    const { object } = createObject(secret, { data: { b: 'QQ==' }, stringData: { a: 'größe' } })
    expect(object).toMatchObject({ type: 'Opaque', data: { a: Buffer.from('größe').toString('base64'), b: 'QQ==' } })
    expect(object.stringData).toBeUndefined()
  })

  it.each([
    ['kubernetes.io/tls', ['data[tls.crt]: Required value', 'data[tls.key]: Required value']],
    ['kubernetes.io/dockerconfigjson', ['data[.dockerconfigjson]: Required value']],
    ['kubernetes.io/basic-auth', ['data[username]: Required value', 'data[password]: Required value']],
    [
      'kubernetes.io/service-account-token',
      ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
    ],
  ])('of type %s needs its data', (type, errors) => {
    expect(createObject(secret, { type }).errors).toEqual(errors)
  })

  it('keeps its type', () => {
    const old = createObject(secret, {}).object
    const { errors } = updateObject(secret, old, (object) => {
      object.type = 'kubernetes.io/tls'
      object.data = { 'tls.crt': '', 'tls.key': '' }
    })
    expect(errors).toEqual(['type: Invalid value: "kubernetes.io/tls": field is immutable'])
  })
})

describe('Namespace', () => {
  it('is born active, labelled and guarded by its finalizer', () => {
    expect(createObject(namespace, { metadata: { name: 'team' } }).object).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'team' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    })
  })

  it('turns Terminating and waits for the finalizer', () => {
    const { object } = createObject(namespace, {})
    namespace.beginDelete?.(object, undefined as never)
    expect(object.status?.phase).toBe('Terminating')
    expect(namespace.deletionBlocked?.(object)).toBe(true)
    const finalized = updateObject(namespace, object, (changed) => Object.assign(changed, { spec: {} }), {
      door: 'finalize',
    })
    expect(namespace.deletionBlocked?.(finalized.object)).toBe(false)
  })

  it('loses its finalizer through the finalize door only', () => {
    const { object } = createObject(namespace, {})
    expect(updateObject(namespace, object, (changed) => Object.assign(changed, { spec: {} })).object.spec).toEqual({
      finalizers: ['kubernetes'],
    })
  })
})

describe('Node', () => {
  it('keeps its pod range', () => {
    const old = createObject(node, { spec: { podCIDR: '10.244.1.0/24' } }).object
    expect(old.spec?.podCIDRs).toEqual(['10.244.1.0/24'])
    const { errors } = updateObject(node, old, (object) =>
      Object.assign(object, { spec: { podCIDR: '10.244.2.0/24' } }),
    )
    expect(errors).toEqual(['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'])
  })

  it('refuses a taint twice', () => {
    const taint = { key: 'a', effect: 'NoSchedule' }
    expect(createObject(node, { spec: { taints: [taint, taint] } }).errors).toEqual([
      'metadata.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}: taints must be unique by key and effect pair',
    ])
  })

  it.each([
    [{ status: { conditions: [{ type: 'Ready', status: 'True' }] } }, 'Ready'],
    [{ status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }, 'NotReady'],
    [{}, 'Unknown'],
    [
      { spec: { unschedulable: true }, status: { conditions: [{ type: 'Ready', status: 'True' }] } },
      'Ready,SchedulingDisabled',
    ],
  ])('shows %j as %s', (body, text) => {
    expect(cell(node.columns, 'Status', { metadata: {}, ...body })).toBe(text)
  })
})

describe('LimitRange', () => {
  it('derives what is not said', () => {
    const { object } = createObject(limitRange, {
      spec: { limits: [{ type: 'Container', max: { cpu: '1' }, min: { memory: '1Mi' } }] },
    })
    expect(object.spec?.limits[0]).toMatchObject({ default: { cpu: '1' }, defaultRequest: { cpu: '1', memory: '1Mi' } })
  })

  it('refuses bounds that contradict each other', () => {
    const limits = [
      { type: 'Container', min: { cpu: '2' }, max: { cpu: '1' }, default: { cpu: '1' }, defaultRequest: { cpu: '1' } },
    ]
    expect(createObject(limitRange, { spec: { limits } }).errors).toContain(
      'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
    )
  })
})

describe('ResourceQuota', () => {
  it('checks names and scopes', () => {
    expect(createObject(resourceQuota, { spec: { hard: { nonsense: '1' } } }).errors).toEqual([
      'spec.hard[nonsense]: Invalid value: "nonsense": must be a standard resource type or fully qualified',
      'spec.hard[nonsense]: Invalid value: "nonsense": must be a standard resource for quota',
    ])
    expect(
      createObject(resourceQuota, { spec: { hard: { pods: '1' }, scopes: ['BestEffort', 'NotBestEffort'] } }).errors,
    ).toEqual(['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes'])
  })

  it('shows use against the bounds', () => {
    const object = { metadata: {}, status: { hard: { pods: '5', 'limits.cpu': '2' }, used: { pods: '1' } } }
    expect(cell(resourceQuota.columns, 'Request', object)).toBe('pods: 1/5')
    expect(cell(resourceQuota.columns, 'Limit', object)).toBe('limits.cpu: 0/2')
  })
})

describe('Endpoints', () => {
  it('shows the first three addresses', () => {
    const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map((ip) => ({ ip }))
    expect(cell(endpoints.columns, 'Endpoints', { subsets: [{ addresses, ports: [{ port: 80 }] }] })).toBe(
      '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...',
    )
    expect(cell(endpoints.columns, 'Endpoints', {})).toBe('<none>')
  })
})
