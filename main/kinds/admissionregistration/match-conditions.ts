// Expressions that must all be true before a webhook or policy is asked.
import type { AdmissionregistrationV1MatchCondition } from '../../../common/api/generated/types.ts'
import { duplicate, required, tooMany, type FieldError } from '../../../common/machinery/field-error.ts'
import type { WriteContext } from '../kind.ts'
import { checkExpression } from '../validation/expressions.ts'
import { checkName, isQualifiedName } from '../validation/names.ts'

const maxConditions = 64

export function checkMatchConditions(
  errors: FieldError[],
  path: string,
  conditions: readonly AdmissionregistrationV1MatchCondition[],
  { hasParams, context }: { readonly hasParams: boolean; readonly context: WriteContext },
): void {
  if (conditions.length > maxConditions) errors.push(tooMany(path, conditions.length, maxConditions))
  const seen = new Set<string>()
  conditions.forEach(({ name, expression = '' }, index) => {
    const at = `${path}[${String(index)}]`
    const text = expression.trim()
    if (text === '') errors.push(required(`${at}.expression`))
    else checkExpression(errors, `${at}.expression`, { purpose: 'matchCondition', text, hasParams }, context)
    if (!name) {
      errors.push(required(`${at}.name`))
      return
    }
    checkName(errors, `${at}.name`, name, isQualifiedName)
    if (seen.has(name)) errors.push(duplicate(`${at}.name`, name))
    seen.add(name)
  })
}
