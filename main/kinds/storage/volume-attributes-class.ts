// VolumeAttributesClass: attributes of volumes that may change while they are used (speed, throughput).
import { required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { checkParameters, checkProvisioner, checkUnchanged } from './class-parameters.ts'

const isDefault = 'storageclass.alpha.kubernetes.io/is-default-class'

export const volumeAttributesClass = defineKind('storage.k8s.io/v1/volumeattributesclasses', {
  allowUnconditionalUpdate: false,
  shortNames: ['vac'],
  returnsDeletedObject: true,
  validate: ({ driverName = '', parameters = {} }) => {
    const errors: FieldError[] = []
    checkProvisioner(errors, 'driverName', driverName)
    checkParameters(errors, 'parameters', parameters)
    if (Object.keys(parameters).length === 0)
      errors.push(required('parameters', 'must contain at least one key/value pair'))
    return errors
  },
  update: {
    validate: (object, old) => {
      const errors: FieldError[] = []
      checkUnchanged(errors, object, old, ['driverName', 'parameters'])
      return errors
    },
  },
  columns: [
    {
      ...nameColumn,
      cell: ({ metadata }) =>
        (metadata.name ?? '') + (metadata.annotations?.[isDefault] === 'true' ? ' (default)' : ''),
    },
    { name: 'DriverName', type: 'string', cell: ({ driverName }) => driverName ?? '' },
    ageColumn,
  ],
})
