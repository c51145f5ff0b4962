// PersistentVolume: a piece of storage that outlives pods.
import type { PersistentVolumeSpec } from '../../../common/api/generated/types.ts'
import {
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { canonicalQuantity, compareQuantities, isQuantity, zeroQuantity } from '../../../common/machinery/quantity.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { describeChange } from '../describe-change.ts'
import { semanticEqual } from '../equality.ts'
import { defineKind } from '../kind.ts'
import { mainDoor, statusDoor } from '../strategy.ts'
import { checkDriverName } from '../storage/driver-name.ts'
import { checkName, isDnsSubdomain } from '../validation/names.ts'
import { checkImmutable } from '../validation/values.ts'
import { shortAccessModes } from './access-modes.ts'
import { selectorTermWarnings } from './node-labels.ts'
import { storageClassWarnings } from './storage-class-annotation.ts'
import { checkNodeSelector } from './pod-spec/affinity.ts'
import { checkAccessModes, volumeModes } from './pod-spec/claim-spec.ts'
import { checkNoBacksteps } from './pod-spec/paths.ts'

const sources = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const satisfies readonly (keyof PersistentVolumeSpec)[]

const recycleWarning =
  'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.'

export const persistentVolume = defineKind('v1/persistentvolumes', {
  returnsDeletedObject: true,
  shortNames: ['pv'],
  tracksGeneration: false,
  prepareForCreate: (object, { now }) => {
    object.status = { phase: 'Pending', lastPhaseTransitionTime: now }
  },
  setDefaults: (object) => {
    object.status ??= {}
    object.status.phase ||= 'Pending'
    const { spec } = object
    if (spec === undefined) return
    spec.persistentVolumeReclaimPolicy ||= 'Retain'
    spec.volumeMode ??= 'Filesystem'
    if (spec.hostPath !== undefined) spec.hostPath.type ??= ''
  },
  validate: ({ spec = {} }) => checkSpec(spec),
  update: mainDoor(({ spec = {} }, { spec: old = {} }) => {
    const errors: FieldError[] = []
    const source = (value: PersistentVolumeSpec): unknown =>
      Object.fromEntries(sources.map((name) => [name, value[name]]))
    if (!semanticEqual(source(spec), source(old))) {
      const detail = `spec.persistentvolumesource is immutable after creation\n${describeChange(source(old), source(spec))}`
      errors.push(forbiddenField('spec.persistentvolumesource', detail))
    }
    checkImmutable(errors, 'spec.volumeMode', spec.volumeMode, old.volumeMode)
    if (old.nodeAffinity !== undefined && !semanticEqual(spec.nodeAffinity, old.nodeAffinity)) {
      errors.push(
        invalidValue(
          'spec.nodeAffinity',
          spec.nodeAffinity,
          'field is immutable, except for updating from beta label to GA',
        ),
      )
    }
    return errors
  }),
  status: statusDoor(),
  warnings: ({ metadata, spec }) => [
    ...storageClassWarnings(metadata),
    ...(spec?.persistentVolumeReclaimPolicy === 'Recycle' ? [recycleWarning] : []),
    ...(spec?.nodeAffinity?.required?.nodeSelectorTerms ?? []).flatMap((term, index) =>
      selectorTermWarnings(`spec.nodeAffinity.required.nodeSelectorTerms[${String(index)}]`, term),
    ),
  ],
  columns: [
    nameColumn,
    {
      name: 'Capacity',
      type: 'string',
      cell: ({ spec }) =>
        isQuantity(spec?.capacity?.storage ?? '') ? canonicalQuantity(spec?.capacity?.storage ?? '0') : '0',
    },
    { name: 'Access Modes', type: 'string', cell: ({ spec }) => shortAccessModes(spec?.accessModes) },
    { name: 'Reclaim Policy', type: 'string', cell: ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? '' },
    {
      name: 'Status',
      type: 'string',
      cell: ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    },
    {
      name: 'Claim',
      type: 'string',
      cell: ({ spec }) =>
        spec?.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`,
    },
    {
      name: 'StorageClass',
      type: 'string',
      cell: ({ metadata, spec }) =>
        metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName ?? '',
    },
    { name: 'VolumeAttributesClass', type: 'string', cell: ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>' },
    { name: 'Reason', type: 'string', cell: ({ status }) => status?.reason ?? '' },
    ageColumn,
    { name: 'VolumeMode', type: 'string', priority: 1, cell: ({ spec }) => spec?.volumeMode ?? '<unset>' },
  ],
})

function checkSpec(spec: PersistentVolumeSpec): FieldError[] {
  const errors: FieldError[] = []
  const {
    capacity = {},
    accessModes = [],
    persistentVolumeReclaimPolicy: policy,
    volumeMode,
    storageClassName,
    nodeAffinity,
  } = spec
  checkAccessModes(errors, 'spec.accessModes', accessModes)
  const resources = Object.keys(capacity)
  if (resources.length === 0) errors.push(required('spec.capacity'))
  else if (capacity.storage === undefined || resources.length > 1)
    errors.push(notSupported('spec.capacity', capacity, ['storage']))
  for (const [name, quantity] of Object.entries(capacity)) {
    if (!isQuantity(quantity) || compareQuantities(quantity, zeroQuantity) <= 0) {
      errors.push(invalidValue(`spec.capacity[${name}]`, String(quantity), 'must be greater than zero'))
    }
  }
  const policies = ['Delete', 'Recycle', 'Retain']
  if (policy && !policies.includes(policy))
    errors.push(notSupported('spec.persistentVolumeReclaimPolicy', policy, policies))
  if (nodeAffinity !== undefined) {
    if (nodeAffinity.required === undefined)
      errors.push(required('spec.nodeAffinity.required', 'must specify required node constraints'))
    else checkNodeSelector(errors, 'spec.nodeAffinity.required', nodeAffinity.required)
  }
  const present = sources.filter((source) => spec[source] !== undefined)
  if (present.length === 0) errors.push(required('spec', 'must specify a volume type'))
  for (const extra of present.slice(1))
    errors.push(forbiddenField(`spec.${extra}`, 'may not specify more than 1 volume type'))
  checkSource(errors, spec)
  if (storageClassName) checkName(errors, 'spec.storageClassName', storageClassName, isDnsSubdomain)
  if (volumeMode !== undefined && !volumeModes.includes(volumeMode))
    errors.push(notSupported('spec.volumeMode', volumeMode, volumeModes))
  return errors
}

const csiSecrets = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const

function checkSource(
  errors: FieldError[],
  { hostPath, local, nfs, csi, nodeAffinity, persistentVolumeReclaimPolicy }: PersistentVolumeSpec,
): void {
  if (hostPath !== undefined) {
    if (!hostPath.path) errors.push(required('spec.hostPath.path'))
    else checkNoBacksteps(errors, 'spec.hostPath.path', hostPath.path)
    if (hostPath.path === '/' && persistentVolumeReclaimPolicy === 'Recycle') {
      errors.push(
        forbiddenField('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"),
      )
    }
  }
  if (local !== undefined) {
    if (!local.path) errors.push(required('spec.local.path'))
    else checkNoBacksteps(errors, 'spec.local.path', local.path)
    if (nodeAffinity === undefined) errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'))
  }
  if (nfs !== undefined) {
    if (!nfs.server) errors.push(required('spec.nfs.server'))
    if (!nfs.path) errors.push(required('spec.nfs.path'))
    if (!(nfs.path || '').startsWith('/'))
      errors.push(invalidValue('spec.nfs.path', nfs.path, 'must be an absolute path'))
  }
  if (csi !== undefined) {
    checkDriverName(errors, 'spec.csi.driver', csi.driver ?? '')
    if (!csi.volumeHandle) errors.push(required('spec.csi.volumeHandle'))
    for (const field of csiSecrets) {
      const secret = csi[field]
      if (secret === undefined) continue
      if (!secret.name) errors.push(required(`spec.csi.${field}.name`))
      if (!secret.namespace) errors.push(required(`spec.csi.${field}.namespace`))
    }
  }
}
