import { describe, expect, it } from 'vitest'
import { runKindContract } from '../kind-contract.ts'
import { createObject, updateObject } from '../testing/lifecycle.ts'
import { csiDriver } from './csi-driver.ts'
import { csiNode } from './csi-node.ts'
import { csiStorageCapacity } from './csi-storage-capacity.ts'
import { storageClass } from './storage-class.ts'
import { volumeAttachment } from './volume-attachment.ts'
import { volumeAttributesClass } from './volume-attributes-class.ts'

const driver = { name: 'disk.example.com', nodeID: 'n1', topologyKeys: ['example.com/zone'], allocatable: { count: 3 } }
const attachment = { attacher: 'disk.example.com', nodeName: 'n1', source: { persistentVolumeName: 'pv-1' } }
const attributes = { driverName: 'disk.example.com', parameters: { speed: 'high' } }

runKindContract(csiDriver, {
  valid: [
    { spec: {} },
    { spec: { tokenRequests: [{ audience: 'x', expirationSeconds: 600 }], fsGroupPolicy: 'File' } },
  ],
})
runKindContract(csiNode, { valid: [{ spec: { drivers: [driver] } }] })
runKindContract(csiStorageCapacity, {
  valid: [{ storageClassName: 'fast', capacity: '10Gi', nodeTopology: { matchLabels: { zone: 'a' } } }],
})
runKindContract(volumeAttachment, { valid: [{ spec: attachment }] })
runKindContract(volumeAttributesClass, { valid: [attributes] })

describe('CSIDriver', () => {
  it('has the defaults of Kubernetes', () => {
    expect(createObject(csiDriver, { spec: {} }).object.spec).toEqual({
      attachRequired: true,
      podInfoOnMount: false,
      storageCapacity: false,
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      volumeLifecycleModes: ['Persistent'],
      requiresRepublish: false,
      seLinuxMount: false,
    })
  })

  it.each<[Record<string, unknown>, string[]]>([
    [
      { fsGroupPolicy: 'No' },
      ['spec.fsGroupPolicy: Unsupported value: "No": supported values: "File", "None", "ReadWriteOnceWithFSType"'],
    ],
    [
      { volumeLifecycleModes: ['Brief'] },
      ['spec.volumeLifecycleModes: Unsupported value: "Brief": supported values: "Persistent", "Ephemeral"'],
    ],
    [
      { tokenRequests: [{ audience: '', expirationSeconds: 5 }, { audience: '' }] },
      [
        'spec.tokenRequests[0].expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
        'spec.tokenRequests[1].audience: Duplicate value: ""',
      ],
    ],
    [
      { nodeAllocatableUpdatePeriodSeconds: 9 },
      ['spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds'],
    ],
  ])('with %j is refused', (spec, errors) => {
    expect(createObject(csiDriver, { spec }).errors).toEqual(errors)
  })

  it('keeps how it attaches', () => {
    const { object } = createObject(csiDriver, { spec: {} })
    const { errors } = updateObject(csiDriver, object, ({ spec }) => Object.assign(spec, { attachRequired: false }))
    expect(errors).toEqual(['spec.attachedRequired: Invalid value: false: field is immutable'])
  })
})

describe('CSINode', () => {
  it('names each driver once', () => {
    expect(createObject(csiNode, { spec: { drivers: [driver, { ...driver, nodeID: '' }] } }).errors).toEqual([
      'spec.drivers[1].nodeID: Required value',
      'spec.drivers[1].name: Duplicate value: "disk.example.com"',
    ])
  })

  it('lets a driver change only how much fits', () => {
    const { object } = createObject(csiNode, { spec: { drivers: [driver] } })
    const change = (changes: object) =>
      updateObject(csiNode, object, ({ spec }) => Object.assign(spec.drivers[0] ?? {}, changes)).errors
    expect(change({ allocatable: { count: 9 } })).toEqual([])
    expect(change({ nodeID: 'other' })).toHaveLength(1)
  })
})

describe('VolumeAttachment', () => {
  it.each<[Record<string, unknown>, string[]]>([
    [
      { source: {} },
      ['spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
    ],
    [
      { attacher: 'A b' },
      [
        "spec.attacher: Invalid value: \"A b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    ],
  ])('with %j is refused', (changes, errors) => {
    expect(createObject(volumeAttachment, { spec: { ...attachment, ...changes } }).errors).toEqual(errors)
  })

  it('does not change what it asks', () => {
    const { object } = createObject(volumeAttachment, { spec: attachment })
    const { errors } = updateObject(volumeAttachment, object, ({ spec }) => Object.assign(spec, { nodeName: 'n2' }))
    expect(errors).toHaveLength(1)
  })
})

describe('classes', () => {
  it('do not change their parameters', () => {
    const { object } = createObject(volumeAttributesClass, attributes)
    expect(
      updateObject(volumeAttributesClass, object, (changed) => Object.assign(changed, { parameters: { a: 'b' } }))
        .errors,
    ).toEqual(['parameters: Forbidden: updates to parameters are forbidden.'])
    expect(createObject(volumeAttributesClass, { driverName: 'd' }).errors).toEqual([
      'parameters: Required value: must contain at least one key/value pair',
    ])
  })

  it('check the zones they allow', () => {
    const term = { matchLabelExpressions: [{ key: 'zone', values: ['a', 'a'] }] }
    const { errors } = createObject(storageClass, { provisioner: 'p', allowedTopologies: [term, term] })
    expect(errors).toEqual([
      'allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "a"',
      'allowedTopologies[1].matchLabelExpressions[0].values[1]: Duplicate value: "a"',
      'allowedTopologies[1].matchLabelExpressions: Duplicate value: ""',
    ])
  })

  it.each([
    [csiStorageCapacity, { storageClassName: 'fast' }, ['test', 'fast', '<unset>']],
    [csiStorageCapacity, { storageClassName: 'fast', capacity: '1024Mi' }, ['test', 'fast', '1Gi']],
  ])('are shown (%#)', (kind, manifest, expected) => {
    const { object } = createObject(kind, manifest)
    expect((kind.columns ?? []).map((column) => column.cell(object, new Date()))).toEqual(expected)
  })
})
