import { describe, expect, it } from 'vitest'
import { persistentVolumeClaim } from './core/persistent-volume-claim.ts'
import { persistentVolume } from './core/persistent-volume.ts'
import { runKindContract } from './kind-contract.ts'
import { ingressClass } from './networking/ingress-class.ts'
import { ingress } from './networking/ingress.ts'
import { networkPolicy } from './networking/network-policy.ts'
import { runtimeClass } from './node/runtime-class.ts'
import { storageClass } from './storage/storage-class.ts'
import { createObject, updateObject } from './testing/lifecycle.ts'

const backend = { service: { name: 'web', port: { number: 80 } } }
const claim = (storage: string) => ({ accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } })
const volume = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/data' } }

runKindContract(persistentVolumeClaim, { valid: [{ spec: claim('1Gi') }] })
runKindContract(persistentVolume, { valid: [{ spec: volume }] })
runKindContract(storageClass, {
  valid: [
    {
      metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'example.com/disk',
    },
  ],
})
runKindContract(ingress, {
  valid: [
    { spec: { defaultBackend: backend } },
    {
      spec: {
        rules: [{ host: '*.example.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
        tls: [{ hosts: ['example.com'] }],
      },
    },
  ],
})
runKindContract(ingressClass, {
  valid: [{ spec: { controller: 'example.com/ingress', parameters: { kind: 'Settings', name: 'a' } } }],
})
runKindContract(networkPolicy, {
  valid: [
    {
      spec: {
        podSelector: {},
        ingress: [
          { from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }], ports: [{ port: 80, endPort: 90 }] },
        ],
      },
    },
  ],
})
runKindContract(runtimeClass, { valid: [{ handler: 'crun' }] })

describe('PersistentVolumeClaim', () => {
  it('grows when bound and does not change otherwise', () => {
    const { object } = createObject(persistentVolumeClaim, { spec: claim('1Gi') })
    const resize = (storage: string, phase: string) =>
      updateObject(persistentVolumeClaim, { ...object, status: { phase, capacity: { storage: '1Gi' } } }, (changed) =>
        Object.assign(changed, { spec: { ...claim(storage), volumeMode: 'Filesystem' } }),
      ).errors
    expect(resize('2Gi', 'Bound')).toEqual([])
    expect(resize('512Mi', 'Bound')).toEqual([
      'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
    ])
    expect(resize('2Gi', 'Pending')[0]).toMatch(
      /^spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n/,
    )
  })

  it('says what is missing', () => {
    expect(createObject(persistentVolumeClaim, { spec: {} }).errors).toEqual([
      'spec.accessModes: Required value: at least 1 access mode is required',
      'spec.resources[storage]: Required value',
    ])
  })
})

describe('PersistentVolume', () => {
  it('says what is missing', () => {
    expect(createObject(persistentVolume, { spec: {} }).errors).toEqual([
      'spec.accessModes: Required value: at least 1 access mode is required',
      'spec.capacity: Required value',
      'spec: Required value: must specify a volume type',
    ])
  })

  it('keeps its source', () => {
    const { object } = createObject(persistentVolume, { spec: volume })
    const { errors } = updateObject(persistentVolume, object, ({ spec }) =>
      Object.assign(spec ?? {}, { hostPath: { path: '/other' } }),
    )
    expect(errors).toEqual([
      'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n- hostPath.path: "/data"\n+ hostPath.path: "/other"',
    ])
  })
})

describe('StorageClass', () => {
  it('shows the default one', () => {
    const { object } = createObject(storageClass, {
      metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'a.b/c',
    })
    expect((storageClass.columns ?? []).slice(0, 5).map((column) => column.cell(object, new Date()))).toEqual([
      'test (default)',
      'a.b/c',
      'Delete',
      'Immediate',
      false,
    ])
  })
})

describe('Ingress', () => {
  it.each([
    [{}, ['spec: Invalid value: []: either `defaultBackend` or `rules` must be specified']],
    [
      { rules: [{ host: '10.0.0.1' }] },
      ['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'],
    ],
    [
      { rules: [{ http: { paths: [{ backend }] } }] },
      ['spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified'],
    ],
    [
      { rules: [{ http: { paths: [{ path: 'a//b', pathType: 'Exact', backend }] } }] },
      [
        'spec.rules[0].http.paths[0].path: Invalid value: "a//b": must be an absolute path',
        'spec.rules[0].http.paths[0].path: Invalid value: "a//b": must not contain \'//\'',
      ],
    ],
    [{ defaultBackend: {} }, ['spec.defaultBackend: Invalid value: "": resource or service backend is required']],
  ])('refuses %j', (spec, errors) => {
    expect(createObject(ingress, { spec }).errors).toEqual(errors)
  })
})

describe('NetworkPolicy', () => {
  it('applies to what it names', () => {
    expect(createObject(networkPolicy, { spec: { egress: [{}] } }).object.spec?.policyTypes).toEqual([
      'Ingress',
      'Egress',
    ])
  })

  it('refuses exceptions outside their range', () => {
    const spec = { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }] }] }
    expect(createObject(networkPolicy, { spec }).errors).toEqual([
      'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
    ])
  })
})
