// Conditions of flow schemas and priority levels: each type once, none without one.
import type { FlowSchemaCondition } from '../../../common/api/generated/types.ts'
import { duplicate, required, type FieldError } from '../../../common/machinery/field-error.ts'

export function checkFlowConditions(conditions: readonly FlowSchemaCondition[]): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  conditions.forEach(({ type = '' }, index) => {
    const at = `status.conditions[${String(index)}].type`
    if (seen.has(type)) errors.push(duplicate(at, type))
    seen.add(type)
    if (type === '') errors.push(required(at, 'must not be empty'))
  })
  return errors
}
