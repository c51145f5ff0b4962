// The validation rules of a schema, compiled, in the shape of the schema: only branches that have rules.
import type { ValidationRule } from '../../../../common/api/generated/types.ts'
import { compile, type Program } from '../../cel/compile.ts'
import { kubernetesFunctions } from '../../cel/library/index.ts'
import type { Expr } from '../../cel/syntax/ast.ts'
import { bool, type CelType, optionalOf, string } from '../../cel/types.ts'
import type { Schema } from '../structural-schema.ts'
import { typeOfSchema } from './schema-type.ts'

export interface CompiledRule {
  readonly rule: ValidationRule
  /** Or why it does not compile. */
  readonly program: Program | Error
  readonly message: Program | Error | undefined
  readonly usesOld: boolean
}

export interface RuleTree {
  readonly schema: Schema
  readonly type: CelType
  readonly rules: readonly CompiledRule[]
  readonly properties: ReadonlyMap<string, RuleTree>
  readonly items: RuleTree | undefined
  readonly values: RuleTree | undefined
}

/** Undefined when there is no rule anywhere in the schema. */
export function compileRules(schema: Schema, isResource: boolean): RuleTree | undefined {
  const nested = (of: Schema | undefined): RuleTree | undefined =>
    of === undefined ? undefined : compileRules(of, of['x-kubernetes-embedded-resource'] === true)
  const properties = new Map<string, RuleTree>()
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const tree = nested(property)
    if (tree !== undefined) properties.set(name, tree)
  }
  const items = nested(schema.items)
  const values = typeof schema.additionalProperties === 'object' ? nested(schema.additionalProperties) : undefined
  const given = schema['x-kubernetes-validations'] ?? []
  if (given.length === 0 && properties.size === 0 && items === undefined && values === undefined) return undefined
  const type = typeOfSchema(schema, isResource)
  const rules = type === undefined ? [] : given.map((rule) => compileRule(rule, type))
  return { schema, type: type ?? { kind: 'dyn' }, rules, properties, items, values }
}

export function compileRule(rule: ValidationRule, type: CelType): CompiledRule {
  const old = rule.optionalOldSelf === true ? optionalOf(type) : type
  const declarations = {
    variables: new Map([
      ['self', type],
      ['oldSelf', old],
    ]),
    functions: kubernetesFunctions,
  }
  const attempt = (source: string, result: CelType): Program | Error => {
    try {
      return compile(source, declarations, [result])
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }
  const program = attempt(rule.rule, bool)
  const { messageExpression = '' } = rule
  return {
    rule,
    program,
    message: messageExpression === '' ? undefined : attempt(messageExpression, string),
    usesOld: !(program instanceof Error) && mentions(program.checked.expr, 'oldSelf'),
  }
}

function mentions(expr: Expr, name: string): boolean {
  switch (expr.kind) {
    case 'literal':
      return false
    case 'ident':
      return expr.name === name
    case 'select':
      return mentions(expr.operand, name)
    case 'call':
      return [...(expr.target === undefined ? [] : [expr.target]), ...expr.args].some((part) => mentions(part, name))
    case 'list':
      return expr.items.some(({ value }) => mentions(value, name))
    case 'map':
      return expr.entries.some(({ key, value }) => mentions(key, name) || mentions(value, name))
    case 'struct':
      return expr.fields.some(({ value }) => mentions(value, name))
    case 'macro':
      return [expr.range, expr.body, ...(expr.filter === undefined ? [] : [expr.filter])].some((part) =>
        mentions(part, name),
      )
    case 'bind':
      return mentions(expr.value, name) || mentions(expr.body, name)
  }
}
