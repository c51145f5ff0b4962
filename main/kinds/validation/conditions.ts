// metav1.Condition lists of a status.
import type { Condition } from '../../../common/api/generated/types.ts'
import { duplicate, invalidValue, required, tooLong, type FieldError } from '../../../common/machinery/field-error.ts'
import { byteLength, patternMessage } from '../../../common/machinery/names.ts'
import { checkName, isQualifiedName } from './names.ts'
import { checkOneOf } from './values.ts'

const maxReasonBytes = 1024
const maxMessageBytes = 32 * 1024
const reasonPattern = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?'
const reasonExpression = new RegExp(`^${reasonPattern}$`)
const reasonMessage = patternMessage(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  reasonPattern,
  'my_name',
  'MY_NAME',
  'MyName',
  'ReasonA,ReasonB',
  'ReasonA:ReasonB',
)
const statuses = ['False', 'True', 'Unknown']

export function checkConditions(errors: FieldError[], path: string, conditions: readonly Condition[]): void {
  const seen = new Set<string>()
  conditions.forEach((condition, index) => {
    const at = `${path}[${String(index)}]`
    const { type = '' } = condition
    if (seen.has(type)) errors.push(duplicate(`${at}.type`, type))
    seen.add(type)
    checkCondition(errors, at, condition)
  })
}

function checkCondition(errors: FieldError[], path: string, condition: Partial<Condition>): void {
  const { type = '', status = '', observedGeneration = 0, lastTransitionTime, reason = '', message = '' } = condition
  checkName(errors, `${path}.type`, type, isQualifiedName)
  checkOneOf(errors, `${path}.status`, status, statuses)
  if (observedGeneration < 0) {
    errors.push(invalidValue(`${path}.observedGeneration`, observedGeneration, 'must be greater than or equal to zero'))
  }
  if (!lastTransitionTime) errors.push(required(`${path}.lastTransitionTime`, 'must be set'))
  if (reason === '') errors.push(required(`${path}.reason`, 'must be set'))
  else {
    if (!reasonExpression.test(reason)) errors.push(invalidValue(`${path}.reason`, reason, reasonMessage))
    if (byteLength(reason) > maxReasonBytes) errors.push(tooLong(`${path}.reason`, maxReasonBytes))
  }
  if (byteLength(message) > maxMessageBytes) errors.push(tooLong(`${path}.message`, maxMessageBytes))
}
