// CEL expressions in fields: what each sort of them may mention and must give.
import { invalidValue, type FieldError } from '../../../common/machinery/field-error.ts'
import type { ExpressionUse, WriteContext } from '../kind.ts'

const request = ['object', 'oldObject', 'request', 'namespaceObject']
const authorizer = ['authorizer', 'authorizer.requestResource']

const purposes = {
  matchCondition: { variables: [...request, ...authorizer], result: 'bool' },
  validation: { variables: [...request, ...authorizer, 'variables'], result: 'bool' },
  messageExpression: { variables: [...request, 'variables'], result: 'string' },
  auditAnnotation: { variables: [...request, ...authorizer, 'variables'], result: 'string-or-null' },
  variable: { variables: [...request, ...authorizer, 'variables'], result: 'any' },
  applyConfiguration: { variables: [...request, ...authorizer, 'variables'], result: 'apply-configuration' },
  jsonPatch: { variables: [...request, ...authorizer, 'variables'], result: 'json-patch' },
  deviceSelector: { variables: ['device'], result: 'bool' },
} as const satisfies Readonly<Record<string, ExpressionUse>>

export interface Expression {
  readonly purpose: keyof typeof purposes
  readonly text: string
  /** What the error shows as the field's value; the text when absent. */
  readonly value?: string
  /** `params` may be mentioned. */
  readonly hasParams?: boolean
  /** Names of composed variables that may be mentioned. */
  readonly composed?: readonly string[]
}

export function checkExpression(
  errors: FieldError[],
  path: string,
  { purpose, text, value = text, hasParams = false, composed = [] }: Expression,
  context: WriteContext,
): void {
  const { variables, result } = purposes[purpose]
  const use = { variables: hasParams ? [...variables, 'params'] : variables, result, composed }
  const problem = context.checkExpression(text, use)
  if (problem !== undefined) errors.push(invalidValue(path, value, problem))
}
