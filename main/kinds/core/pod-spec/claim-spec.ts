// Validation of a PersistentVolumeClaim's spec: of claims themselves, and of templates in pods and stateful sets.
import type { PersistentVolumeClaimSpec, TypedLocalObjectReference } from '../../../../common/api/generated/types.ts'
import {
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  type FieldError,
} from '../../../../common/machinery/field-error.ts'
import {
  canonicalQuantity,
  compareQuantities,
  isQuantity,
  parseQuantity,
  zeroQuantity,
} from '../../../../common/machinery/quantity.ts'
import { checkLabelSelector } from '../../validation/label-selector.ts'
import { checkName, isDnsSubdomain } from '../../validation/names.ts'

export const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const volumeModes = ['Block', 'Filesystem']

export function checkAccessModes(errors: FieldError[], path: string, modes: readonly string[]): void {
  if (modes.length === 0) errors.push(required(path, 'at least 1 access mode is required'))
  for (const mode of modes) if (!accessModes.includes(mode)) errors.push(notSupported(path, mode, accessModes))
  if (modes.includes('ReadWriteOncePod') && modes.length > 1) {
    errors.push(forbiddenField(path, 'may not use ReadWriteOncePod with other access modes'))
  }
}

export function checkClaimSpec(errors: FieldError[], path: string, spec: PersistentVolumeClaimSpec | undefined): void {
  const {
    accessModes: modes = [],
    selector,
    resources,
    storageClassName,
    volumeMode,
    dataSource,
    dataSourceRef,
  } = spec ?? {}
  checkAccessModes(errors, `${path}.accessModes`, modes)
  checkLabelSelector(errors, `${path}.selector`, selector)
  const storage = resources?.requests?.storage
  if (storage === undefined) errors.push(required(`${path}.resources[storage]`))
  else if (!isQuantity(storage) || compareQuantities(storage, zeroQuantity) <= 0) {
    errors.push(invalidValue(`${path}.resources[storage]`, String(storage), 'must be greater than zero'))
  }
  if (storageClassName !== undefined && storageClassName !== '') {
    checkName(errors, `${path}.storageClassName`, storageClassName, isDnsSubdomain)
  }
  if (volumeMode !== undefined && !volumeModes.includes(volumeMode))
    errors.push(notSupported(`${path}.volumeMode`, volumeMode, volumeModes))
  if (dataSource !== undefined) checkDataSource(errors, `${path}.dataSource`, dataSource)
  if (dataSourceRef !== undefined) checkDataSource(errors, `${path}.dataSourceRef`, dataSourceRef)
}

function checkDataSource(errors: FieldError[], path: string, source: TypedLocalObjectReference): void {
  if (!source.name) errors.push(required(`${path}.name`))
  if (!source.kind) errors.push(required(`${path}.kind`))
  if ((source.apiGroup ?? '') === '' && source.kind !== 'PersistentVolumeClaim') {
    errors.push(
      invalidValue(path, source.kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"),
    )
  }
}

/** Bytes are whole. */
export const claimSpecWarnings = (path: string, { resources }: PersistentVolumeClaimSpec): string[] =>
  (['requests', 'limits'] as const).flatMap((field) => {
    const value = resources?.[field]?.storage
    if (value === undefined || !isQuantity(value) || parseQuantity(value).nanos % 1_000_000_000n === 0n) return []
    const text = JSON.stringify(canonicalQuantity(value))
    return [`${path}.resources.${field}[storage]: fractional byte value ${text} is invalid, must be an integer`]
  })
