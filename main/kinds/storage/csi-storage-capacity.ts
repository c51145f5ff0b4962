// CSIStorageCapacity: how much room a driver has for a class in a part of the cluster.
import { invalidValue, type FieldError } from '../../../common/machinery/field-error.ts'
import { canonicalQuantity, isQuantity } from '../../../common/machinery/quantity.ts'
import { validateLabelSelector } from '../../../common/machinery/object-meta-validation.ts'
import { nameColumn } from '../columns.ts'
import { semanticEqual } from '../equality.ts'
import { defineKind } from '../kind.ts'
import { checkName, isDnsSubdomain } from '../validation/names.ts'
import { checkQuantity } from '../validation/quantity.ts'

export const csiStorageCapacity = defineKind('storage.k8s.io/v1/csistoragecapacities', {
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  validate: ({ nodeTopology, storageClassName = '', capacity, maximumVolumeSize }, _context, old) => {
    const errors: FieldError[] = []
    if (old === undefined) {
      errors.push(...validateLabelSelector(nodeTopology, 'nodeTopology'))
      checkName(errors, 'storageClassName', storageClassName, isDnsSubdomain)
    }
    if (capacity !== undefined) checkQuantity(errors, 'capacity', capacity)
    if (maximumVolumeSize !== undefined) checkQuantity(errors, 'maximumVolumeSize', maximumVolumeSize)
    return errors
  },
  update: {
    validate: (object, old) => {
      const errors: FieldError[] = []
      for (const field of ['nodeTopology', 'storageClassName'] as const) {
        if (!semanticEqual(object[field], old[field]))
          errors.push(invalidValue(field, object[field], 'field is immutable'))
      }
      return errors
    },
  },
  columns: [
    nameColumn,
    { name: 'StorageClassName', type: 'string', cell: ({ storageClassName }) => storageClassName ?? '' },
    {
      name: 'Capacity',
      type: 'string',
      cell: ({ capacity }) =>
        capacity === undefined ? '<unset>' : isQuantity(capacity) ? canonicalQuantity(capacity) : String(capacity),
    },
  ],
})
