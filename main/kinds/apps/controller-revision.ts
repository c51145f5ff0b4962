// ControllerRevision: a numbered snapshot of a controller's template, for rollbacks. Its data never changes.
import { required, type FieldError } from '../../../common/machinery/field-error.ts'
import { parseApiVersion } from '../../../common/machinery/meta.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { checkImmutable, checkNonNegative } from '../validation/values.ts'

export const controllerRevision = defineKind('apps/v1/controllerrevisions', {
  tracksGeneration: false,
  setDefaults: (object) => {
    object.revision ??= 0
  },
  validate: ({ data, revision }) => {
    const errors: FieldError[] = []
    if (data === undefined || data === null) errors.push(required('data', 'data is mandatory'))
    checkNonNegative(errors, 'revision', revision)
    return errors
  },
  update: {
    validate: (object, old) => {
      const errors: FieldError[] = []
      checkImmutable(errors, 'data', object.data, old.data)
      return errors
    },
  },
  columns: [
    nameColumn,
    {
      name: 'Controller',
      type: 'string',
      description: 'Controller of the object',
      cell: ({ metadata }) => {
        const owner = metadata.ownerReferences?.find((reference) => reference.controller === true)
        if (owner === undefined) return '<none>'
        const { group } = parseApiVersion(owner.apiVersion)
        return `${(group === '' ? owner.kind : `${owner.kind}.${group}`).toLowerCase()}/${owner.name}`
      },
    },
    { name: 'Revision', type: 'string', cell: ({ revision }) => revision ?? 0 },
    ageColumn,
  ],
})
