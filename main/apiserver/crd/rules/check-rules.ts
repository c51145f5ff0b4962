// Whether the rules of a definition's schema are right, when the definition is written.
import type { ValidationRule } from '../../../../common/api/generated/types.ts'
import { type FieldError, invalidValue, notSupported, required } from '../../../../common/machinery/field-error.ts'
import { CompileError } from '../../cel/compile.ts'
import type { CelType } from '../../cel/types.ts'
import type { Schema } from '../structural-schema.ts'
import { compileRule } from './compile-rules.ts'
import { CostSum } from './cost-sum.ts'
import { estimateCost } from '../../cel/checking/estimate.ts'
import { extentOf, largestOf } from './schema-sizes.ts'
import { typeOfSchema } from './schema-type.ts'

const reasons = ['FieldValueInvalid', 'FieldValueForbidden', 'FieldValueRequired', 'FieldValueDuplicate']
const maxMessageLength = 2048

/** Errors of all rules in the schema of one version; `path` is where the schema stands in the definition. */
export function checkSchemaRules(path: string, schema: Schema): FieldError[] {
  const errors: FieldError[] = []
  const costs = new CostSum()
  visit(errors, costs, { path, schema, isResource: true, uncorrelated: undefined, times: 1 })
  errors.push(...costs.errors(path))
  return errors
}

interface Place {
  readonly path: string
  readonly schema: Schema
  readonly isResource: boolean
  /** The list above this place whose items have no identity. */
  readonly uncorrelated: string | undefined
  /** How often there can be such a place in one object. */
  readonly times: number
}

function visit(errors: FieldError[], costs: CostSum, place: Place): void {
  const { path, schema, isResource, times } = place
  const rules = schema['x-kubernetes-validations'] ?? []
  if (rules.length > 0) {
    const type = typeOfSchema(schema, isResource)
    if (type !== undefined)
      rules.forEach((rule, index) => {
        checkRule(errors, costs, { ...place, path: `${path}.x-kubernetes-validations[${String(index)}]` }, rule, type)
      })
  }
  const inner = (at: string, of: Schema, change: Partial<Place> = {}): void => {
    visit(errors, costs, {
      ...place,
      path: at,
      schema: of,
      isResource: of['x-kubernetes-embedded-resource'] === true,
      ...change,
    })
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) inner(`${path}.properties[${name}]`, property)
  const largest = largestOf(schema)
  if (schema.items !== undefined) {
    const isMap = schema['x-kubernetes-list-type'] === 'map'
    inner(`${path}.items`, schema.items, {
      times: times * largest,
      uncorrelated: place.uncorrelated ?? (isMap ? undefined : path),
    })
  }
  if (typeof schema.additionalProperties === 'object')
    inner(`${path}.additionalProperties`, schema.additionalProperties, { times: times * largest })
}

function checkRule(errors: FieldError[], costs: CostSum, place: Place, rule: ValidationRule, type: CelType): void {
  const { path, schema, uncorrelated, times } = place
  const { message, messageExpression, reason, fieldPath } = rule
  if ((rule.rule ?? '').trim() === '') {
    errors.push(required(`${path}.rule`, 'rule is not specified'))
    return
  }
  checkMessage(errors, path, rule)
  if (message !== undefined && message.length > maxMessageLength)
    errors.push(
      invalidValue(
        `${path}.message`,
        `${message.slice(0, 10)}...`,
        `message must have a maximum length of ${String(maxMessageLength)} characters`,
      ),
    )
  if (messageExpression !== undefined && messageExpression.trim() === '')
    errors.push(required(`${path}.messageExpression`, 'messageExpression must be non-empty if specified'))
  if (reason !== undefined && !reasons.includes(reason)) errors.push(notSupported(`${path}.reason`, reason, reasons))
  if (fieldPath !== undefined && fieldPath !== '' && !leadsSomewhere(fieldPath, schema))
    errors.push(
      invalidValue(`${path}.fieldPath`, fieldPath, 'fieldPath must be a valid path: does not refer to a valid field'),
    )
  const compiled = compileRule(rule, type)
  if (compiled.program instanceof Error) errors.push(compileProblem(`${path}.rule`, rule.rule, compiled.program))
  else {
    if (compiled.usesOld && uncorrelated !== undefined)
      errors.push(
        invalidValue(
          `${path}.rule`,
          rule.rule,
          `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`,
        ),
      )
    const extent = extentOf(schema)
    costs.add(`${path}.rule`, estimateCost(compiled.program.checked.expr, { self: extent, oldSelf: extent }), times)
  }
  if (compiled.message instanceof Error)
    errors.push(compileProblem(`${path}.messageExpression`, messageExpression ?? '', compiled.message))
}

function checkMessage(errors: FieldError[], path: string, { rule, message }: ValidationRule): void {
  if (message !== undefined && message !== '' && message.trim() === '')
    errors.push(invalidValue(`${path}.message`, message, 'message must be non-empty if specified'))
  else if (message?.includes('\n') === true)
    errors.push(invalidValue(`${path}.message`, message, 'message must not contain line breaks'))
  else if (rule.includes('\n') && (message ?? '') === '')
    errors.push(required(`${path}.message`, 'message must be specified if rule contains line breaks'))
}

function compileProblem(path: string, source: string, error: Error): FieldError {
  if (error instanceof CompileError) return invalidValue(path, source, `compilation failed: ${error.message}`)
  const isMessage = path.endsWith('.messageExpression')
  return invalidValue(
    path,
    source,
    isMessage ? 'messageExpression must evaluate to a string' : 'cel expression must evaluate to a bool',
  )
}

/** ".spec.replicas", "['name']": a field of the schema the rule stands at. */
function leadsSomewhere(fieldPath: string, schema: Schema): boolean {
  let at: Schema | undefined = schema
  let rest = fieldPath
  while (rest !== '') {
    const match = /^(?:\.([^.[\]]+)|\['((?:[^'\\]|\\.)*)'\])/.exec(rest)
    if (match === null || at === undefined) return false
    const name = match[1] ?? (match[2] ?? '').replaceAll(/\\(.)/g, '$1')
    rest = rest.slice(match[0].length)
    if (at.properties !== undefined) at = Object.hasOwn(at.properties, name) ? at.properties[name] : undefined
    else at = typeof at.additionalProperties === 'object' ? at.additionalProperties : undefined
    if (at === undefined) return false
  }
  return true
}
