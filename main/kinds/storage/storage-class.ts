// StorageClass: how volumes of a sort are made.
import {
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { ageColumn } from '../columns.ts'
import { semanticEqual } from '../equality.ts'
import { defineKind } from '../kind.ts'
import { checkName, isQualifiedName } from '../validation/names.ts'
import { checkImmutable } from '../validation/values.ts'

const maxParameters = 512
const maxParameterBytes = 262_144
const isDefault = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']

export const storageClass = defineKind('storage.k8s.io/v1/storageclasses', {
  shortNames: ['sc'],
  setDefaults: (object) => {
    object.reclaimPolicy ??= 'Delete'
    object.volumeBindingMode ??= 'Immediate'
  },
  validate: ({ provisioner, parameters = {}, reclaimPolicy = '', volumeBindingMode }) => {
    const errors: FieldError[] = []
    if (!provisioner) errors.push(required('provisioner'))
    else checkName(errors, 'provisioner', provisioner.toLowerCase(), isQualifiedName)
    const entries = Object.entries(parameters)
    if (entries.length > maxParameters) errors.push(tooLong('parameters', maxParameters))
    if (entries.some(([key]) => key === '')) errors.push(invalidValue('parameters', '', 'field can not be empty.'))
    const bytes = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0)
    if (bytes > maxParameterBytes) errors.push(tooLong('parameters', maxParameterBytes))
    if (reclaimPolicy !== '' && !['Delete', 'Retain'].includes(reclaimPolicy)) {
      errors.push(notSupported('reclaimPolicy', reclaimPolicy, ['Delete', 'Retain']))
    }
    const modes = ['Immediate', 'WaitForFirstConsumer']
    if (volumeBindingMode === undefined) errors.push(required('volumeBindingMode'))
    else if (!modes.includes(volumeBindingMode))
      errors.push(notSupported('volumeBindingMode', volumeBindingMode, modes))
    return errors
  },
  update: {
    validate: (object, old) => {
      const errors: FieldError[] = []
      if (!semanticEqual(object.parameters, old.parameters))
        errors.push(forbiddenField('parameters', 'updates to parameters are forbidden.'))
      if (object.provisioner !== old.provisioner)
        errors.push(forbiddenField('provisioner', 'updates to provisioner are forbidden.'))
      if (object.reclaimPolicy !== old.reclaimPolicy)
        errors.push(forbiddenField('reclaimPolicy', 'updates to reclaimPolicy are forbidden.'))
      checkImmutable(errors, 'volumeBindingMode', object.volumeBindingMode, old.volumeBindingMode)
      return errors
    },
  },
  columns: [
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      cell: ({ metadata }) =>
        (metadata.name ?? '') + (isDefault.some((key) => metadata.annotations?.[key] === 'true') ? ' (default)' : ''),
    },
    { name: 'Provisioner', type: 'string', cell: ({ provisioner }) => provisioner ?? '' },
    { name: 'ReclaimPolicy', type: 'string', cell: ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete' },
    { name: 'VolumeBindingMode', type: 'string', cell: ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate' },
    { name: 'AllowVolumeExpansion', type: 'string', cell: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false },
    ageColumn,
  ],
})
