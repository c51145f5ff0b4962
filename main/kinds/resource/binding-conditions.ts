// Conditions that must hold (or must not) before a pod is bound to a device that gets ready late.
import { duplicate, invalidValue, type FieldError } from '../../../common/machinery/field-error.ts'
import { checkList } from '../validation/collections.ts'
import { checkName, isQualifiedName } from '../validation/names.ts'

const maxConditions = 4

interface BindingConditions {
  readonly bindingConditions?: readonly string[]
  readonly bindingFailureConditions?: readonly string[]
}

export function checkBindingConditions(errors: FieldError[], path: string, conditions: BindingConditions): void {
  const { bindingConditions: wanted = [], bindingFailureConditions: failures = [] } = conditions
  for (const field of ['bindingConditions', 'bindingFailureConditions'] as const) {
    checkList(errors, `${path}.${field}`, { items: conditions[field], max: maxConditions }, (type, at) => {
      checkName(errors, at, type, isQualifiedName)
    })
  }
  for (const field of ['bindingConditions', 'bindingFailureConditions'] as const) {
    const seen = new Set<string>()
    conditions[field]?.forEach((type, index) => {
      const at = `${path}.${field}[${String(index)}]`
      if (seen.has(type)) errors.push(duplicate(at, type))
      seen.add(type)
      if (field === 'bindingFailureConditions' && wanted.includes(type)) {
        const detail = 'bindingFailureConditions must not overlap with bindingConditions'
        errors.push(invalidValue(at, type, detail))
      }
    })
  }
  if (wanted.length === 0 && failures.length > 0) {
    const detail = 'bindingConditions are required to use bindingFailureConditions'
    errors.push(invalidValue(`${path}.bindingConditions`, wanted, detail))
  }
  if (failures.length === 0 && wanted.length > 0) {
    const detail = 'bindingFailureConditions are required to use bindingConditions'
    errors.push(invalidValue(`${path}.bindingFailureConditions`, failures, detail))
  }
}
