// PriorityClass: a name for how important pods are.
import { forbiddenField, invalidValue, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { checkImmutable, unsupported } from '../validation/values.ts'

/** Above this are the two classes of the system. */
const highestUserPriority = 1_000_000_000
export const systemPriorities: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

export const priorityClass = defineKind('scheduling.k8s.io/v1/priorityclasses', {
  shortNames: ['pc'],
  tracksGeneration: true,
  setDefaults: (object) => {
    object.value ??= 0
    object.preemptionPolicy ??= 'PreemptLowerPriority'
  },
  validate: ({ metadata: { name = '' }, value = 0, globalDefault, preemptionPolicy }) => {
    const errors: FieldError[] = []
    if (name.startsWith('system-')) {
      const known = systemPriorities[name]
      if (known === undefined || known !== value || globalDefault === true) {
        const detail = `priority class names with 'system-' prefix are reserved for system use only. error: ${name} is not a known system priority class`
        errors.push(forbiddenField('metadata.name', detail))
      }
    } else if (value > highestUserPriority) {
      errors.push(
        forbiddenField('value', `maximum allowed value of a user defined priority is ${String(highestUserPriority)}`),
      )
    }
    if (preemptionPolicy !== undefined && preemptionPolicy !== 'PreemptLowerPriority' && preemptionPolicy !== 'Never') {
      errors.push(unsupported('preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never']))
    }
    return errors
  },
  update: {
    validate: (object, old) => {
      const errors: FieldError[] = []
      if (object.value !== old.value) errors.push(invalidValue('value', object.value, 'field is immutable'))
      checkImmutable(errors, 'preemptionPolicy', object.preemptionPolicy, old.preemptionPolicy)
      return errors
    },
  },
  columns: [
    nameColumn,
    { name: 'Value', type: 'integer', cell: ({ value }) => value ?? 0 },
    { name: 'Global-Default', type: 'boolean', cell: ({ globalDefault }) => globalDefault ?? false },
    ageColumn,
    { name: 'PreemptionPolicy', type: 'string', cell: ({ preemptionPolicy }) => preemptionPolicy ?? '' },
  ],
})
