// PersistentVolumeClaim: asks for storage; gets bound to a PersistentVolume.
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../../common/api/generated/types.ts'
import { forbiddenField, type FieldError } from '../../../common/machinery/field-error.ts'
import { canonicalQuantity, compareQuantities, isQuantity } from '../../../common/machinery/quantity.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { describeChange } from '../describe-change.ts'
import { semanticEqual } from '../equality.ts'
import { defineKind } from '../kind.ts'
import { mainDoor, statusDoor } from '../strategy.ts'
import { storageClassWarnings } from './storage-class-annotation.ts'
import { checkClaimSpec, claimSpecWarnings } from './pod-spec/claim-spec.ts'
import { shortAccessModes } from './access-modes.ts'

const betaClass = 'volume.beta.kubernetes.io/storage-class'

export const persistentVolumeClaim = defineKind('v1/persistentvolumeclaims', {
  returnsDeletedObject: true,
  shortNames: ['pvc'],
  tracksGeneration: false,
  prepareForCreate: (object) => {
    object.status = { phase: 'Pending' }
  },
  setDefaults: (object) => {
    object.status ??= {}
    object.status.phase ||= 'Pending'
    if (object.spec !== undefined) object.spec.volumeMode ??= 'Filesystem'
  },
  validate: ({ spec }) => {
    const errors: FieldError[] = []
    checkClaimSpec(errors, 'spec', spec)
    return errors
  },
  update: mainDoor(validateUpdate),
  status: statusDoor(),
  warnings: ({ metadata, spec }) => [
    ...storageClassWarnings(metadata),
    ...(spec === undefined ? [] : claimSpecWarnings('spec', spec)),
  ],
  columns: [
    nameColumn,
    {
      name: 'Status',
      type: 'string',
      cell: ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    },
    { name: 'Volume', type: 'string', cell: ({ spec }) => spec?.volumeName ?? '' },
    {
      name: 'Capacity',
      type: 'string',
      cell: ({ spec, status }) => {
        const capacity = status?.capacity?.storage
        return spec?.volumeName && capacity !== undefined && isQuantity(capacity)
          ? canonicalQuantity(capacity)
          : spec?.volumeName
            ? '0'
            : ''
      },
    },
    {
      name: 'Access Modes',
      type: 'string',
      cell: ({ spec, status }) => (spec?.volumeName ? shortAccessModes(status?.accessModes) : ''),
    },
    {
      name: 'StorageClass',
      type: 'string',
      cell: ({ metadata, spec }) => metadata.annotations?.[betaClass] ?? spec?.storageClassName ?? '',
    },
    { name: 'VolumeAttributesClass', type: 'string', cell: ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>' },
    ageColumn,
    { name: 'VolumeMode', type: 'string', priority: 1, cell: ({ spec }) => spec?.volumeMode ?? '<unset>' },
  ],
})

/** A claim may be bound, and a bound one may grow; nothing else changes. */
function validateUpdate({ spec, status }: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = []
  const before = old.spec ?? {}
  const rest: PersistentVolumeClaimSpec = { ...spec }
  if (!before.volumeName) rest.volumeName = before.volumeName
  // A claim that asked for no class in particular gets the default one when there is one.
  if (before.storageClassName === undefined && old.metadata.annotations?.[betaClass] === undefined)
    delete rest.storageClassName
  if (old.status?.phase === 'Bound') {
    rest.resources = { ...rest.resources, requests: before.resources?.requests }
    rest.volumeAttributesClassName = before.volumeAttributesClassName
    const [size, was] = [spec?.resources?.requests?.storage, before.resources?.requests?.storage]
    if (size !== undefined && was !== undefined && isQuantity(size) && compareQuantities(size, was) < 0) {
      const capacity = status?.capacity?.storage
      if (capacity === undefined || compareQuantities(size, capacity) < 0) {
        errors.push(forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity'))
      }
    }
  }
  if (!semanticEqual(rest, before)) {
    const detail =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
    errors.push(forbiddenField('spec', `${detail}\n${describeChange(before, rest)}`))
  }
  return errors
}
