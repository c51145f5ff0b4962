// StorageClass: how volumes of a sort are made.
import type { TopologySelectorTerm } from '../../../common/api/generated/types.ts'
import { duplicate, notSupported, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn } from '../columns.ts'
import { semanticEqual } from '../equality.ts'
import { defineKind } from '../kind.ts'
import { checkName, isLabelValue, isQualifiedName } from '../validation/names.ts'
import { checkImmutable } from '../validation/values.ts'
import { checkParameters, checkProvisioner, checkUnchanged } from './class-parameters.ts'

const isDefault = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']

export const storageClass = defineKind('storage.k8s.io/v1/storageclasses', {
  returnsDeletedObject: true,
  shortNames: ['sc'],
  setDefaults: (object) => {
    object.reclaimPolicy ??= 'Delete'
    object.volumeBindingMode ??= 'Immediate'
  },
  validate: ({ provisioner = '', parameters, allowedTopologies = [], reclaimPolicy = '', volumeBindingMode }) => {
    const errors: FieldError[] = []
    checkProvisioner(errors, 'provisioner', provisioner)
    checkParameters(errors, 'parameters', parameters)
    if (reclaimPolicy !== '' && !['Delete', 'Retain'].includes(reclaimPolicy)) {
      errors.push(notSupported('reclaimPolicy', reclaimPolicy, ['Delete', 'Retain']))
    }
    const modes = ['Immediate', 'WaitForFirstConsumer']
    if (volumeBindingMode === undefined) errors.push(required('volumeBindingMode'))
    else if (!modes.includes(volumeBindingMode))
      errors.push(notSupported('volumeBindingMode', volumeBindingMode, modes))
    checkTopologies(errors, 'allowedTopologies', allowedTopologies)
    return errors
  },
  update: {
    validate: (object, old) => {
      const errors: FieldError[] = []
      checkUnchanged(errors, object, old, ['parameters', 'provisioner', 'reclaimPolicy'])
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

/** Terms of zones: each key once in a term, each value once in a key, no term twice. */
function checkTopologies(errors: FieldError[], path: string, terms: readonly TopologySelectorTerm[]): void {
  const earlier: unknown[] = []
  terms.forEach(({ matchLabelExpressions: expressions = [] }, index) => {
    const at = `${path}[${String(index)}].matchLabelExpressions`
    const values = new Map<string, string[]>()
    expressions.forEach(({ key, values: wanted = [] }, position) => {
      const expression = `${at}[${String(position)}]`
      checkName(errors, `${expression}.key`, key, isQualifiedName)
      if (wanted.length === 0) errors.push(required(`${expression}.values`))
      const seen = new Set<string>()
      wanted.forEach((value, order) => {
        const valueAt = `${expression}.values[${String(order)}]`
        if (seen.has(value)) errors.push(duplicate(valueAt, value))
        seen.add(value)
        checkName(errors, valueAt, value, isLabelValue)
      })
      if (values.has(key)) errors.push(duplicate(`${expression}.key`, key))
      values.set(key, [...seen].sort())
    })
    const term = Object.fromEntries(values)
    if (earlier.some((other) => semanticEqual(other, term))) errors.push(duplicate(at, ''))
    earlier.push(term)
  })
}
