// Types of every part of an expression, and what is wrong with it before it runs.
import type { Expr, MacroExpr } from '../syntax/ast.ts'
import type { Issue } from '../syntax/issue.ts'
import { qualifiedName } from '../syntax/parser.ts'
import type { Functions, Overload } from '../library/declare.ts'
import {
  bool,
  bytes,
  type CelType,
  double,
  dyn,
  error,
  int,
  listOf,
  mapOf,
  nullType,
  type ObjectType,
  optionalOf,
  string,
  typeName,
  typeType,
  uint,
} from '../types.ts'
import { Uint } from '../values.ts'
import { type Bindings, fits, join, substitute } from './unify.ts'

export interface Declarations {
  readonly variables: ReadonlyMap<string, CelType>
  readonly functions: Functions
  /** Types that may be built with "Name{field: value}". */
  readonly structs?: ReadonlyMap<string, ObjectType> | ((name: string) => ObjectType | undefined)
}

export interface Checked {
  readonly expr: Expr
  readonly type: CelType
  /** For each call the overloads that can apply. */
  readonly overloads: ReadonlyMap<Expr, readonly Overload[]>
  readonly types: ReadonlyMap<Expr, CelType>
  /** Selections that are variables with a dot in their name. */
  readonly qualified: ReadonlyMap<Expr, string>
  readonly issues: readonly Issue[]
}

export const typeNames = new Set([
  'int',
  'uint',
  'double',
  'bool',
  'string',
  'bytes',
  'list',
  'map',
  'null_type',
  'type',
])

export function check(expr: Expr, declarations: Declarations): Checked {
  const checker = new Checker(declarations)
  const type = checker.of(expr, undefined)
  return {
    expr,
    type,
    overloads: checker.overloads,
    types: checker.types,
    qualified: checker.qualified,
    issues: checker.issues,
  }
}

interface Scope {
  readonly name: string
  readonly type: CelType
  readonly outer: Scope | undefined
}

class Checker {
  readonly overloads = new Map<Expr, readonly Overload[]>()
  readonly types = new Map<Expr, CelType>()
  readonly qualified = new Map<Expr, string>()
  readonly issues: Issue[] = []
  readonly #declarations: Declarations

  constructor(declarations: Declarations) {
    this.#declarations = declarations
  }

  of(expr: Expr, scope: Scope | undefined): CelType {
    const type = this.#infer(expr, scope)
    this.types.set(expr, type)
    return type
  }

  #wrong(expr: { readonly offset: number }, message: string): CelType {
    this.issues.push({ offset: expr.offset, message })
    return error
  }

  #infer(expr: Expr, scope: Scope | undefined): CelType {
    switch (expr.kind) {
      case 'literal':
        return typeOfLiteral(expr.value)
      case 'ident':
        return this.#variable(expr.name, scope) ?? this.#wrong(expr, undeclared(expr.name))
      case 'select':
        return this.#select(expr, scope)
      case 'call':
        return this.#call(expr, scope)
      case 'list':
        return listOf(this.#joined(expr.items.map(({ value, optional }) => this.#element(value, optional, scope))))
      case 'map':
        return mapOf(
          this.#joined(expr.entries.map(({ key }) => this.of(key, scope))),
          this.#joined(expr.entries.map(({ value, optional }) => this.#element(value, optional, scope))),
        )
      case 'struct':
        return this.#struct(expr, scope)
      case 'macro':
        return this.#macro(expr, scope)
      case 'bind':
        return this.of(expr.body, { name: expr.name, type: this.of(expr.value, scope), outer: scope })
    }
  }

  #variable(name: string, scope: Scope | undefined): CelType | undefined {
    for (let at = scope; at !== undefined; at = at.outer) if (at.name === name) return at.type
    return this.#declarations.variables.get(name) ?? (typeNames.has(name) ? typeType : undefined)
  }

  #joined(types: readonly CelType[]): CelType {
    return types.length === 0 ? dyn : types.reduce(join)
  }

  /** "?value" takes an optional and gives what is in it. */
  #element(value: Expr, optional: boolean, scope: Scope | undefined): CelType {
    const type = this.of(value, scope)
    if (!optional) return type
    if (type.kind === 'optional') return type.of
    return type.kind === 'dyn' || type.kind === 'error'
      ? dyn
      : this.#wrong(value, `expected type 'optional_type(${typeName(type)})' but found '${typeName(type)}'`)
  }

  #select(expr: Extract<Expr, { kind: 'select' }>, scope: Scope | undefined): CelType {
    const name = qualifiedName(expr)
    if (name === 'google.protobuf.Timestamp' || name === 'google.protobuf.Duration') return typeType
    const variable = name === undefined ? undefined : this.#declarations.variables.get(name)
    if (name !== undefined && variable !== undefined) {
      this.qualified.set(expr, name)
      return variable
    }
    const operand = this.of(expr.operand, scope)
    const inner = operand.kind === 'optional' ? operand.of : operand
    const field = this.#field(inner, expr)
    if (expr.test) return bool
    return expr.optional || operand.kind === 'optional' ? optionalOf(field) : field
  }

  #field(type: CelType, expr: Extract<Expr, { kind: 'select' }>): CelType {
    switch (type.kind) {
      case 'dyn':
      case 'error':
        return type
      case 'map':
        return type.value
      case 'object':
        return type.fields.get(expr.field) ?? this.#wrong(expr, `undefined field '${expr.field}'`)
      default:
        return this.#wrong(expr, `type '${typeName(type)}' does not support field selection`)
    }
  }

  #call(expr: Extract<Expr, { kind: 'call' }>, scope: Scope | undefined): CelType {
    const { name, target } = expr
    const operands = [...(target === undefined ? [] : [target]), ...expr.args]
    const args = operands.map((operand) => this.of(operand, scope))
    switch (name) {
      case '_&&_':
      case '_||_':
        return this.#fixed(expr, args, [bool, bool], bool)
      case '_?_:_':
        return this.#conditional(expr, args)
      case '_==_':
      case '_!=_':
        return this.#equality(expr, args)
      case '_[_]':
      case '_[?_]':
        return this.#index(expr, args)
      default:
        return this.#function(expr, args)
    }
  }

  #fixed(
    expr: Extract<Expr, { kind: 'call' }>,
    args: readonly CelType[],
    formal: readonly CelType[],
    result: CelType,
  ): CelType {
    return args.every((arg, index) => fits(arg, formal[index] ?? dyn, new Map()))
      ? result
      : this.#noOverload(expr, args)
  }

  #noOverload({ offset, name, target }: Extract<Expr, { kind: 'call' }>, args: readonly CelType[]): CelType {
    const shown =
      target === undefined
        ? `(${args.map(typeName).join(', ')})`
        : `${typeName(args[0] ?? dyn)}.(${args.slice(1).map(typeName).join(', ')})`
    return this.#wrong({ offset }, `found no matching overload for '${name}' applied to '${shown}'`)
  }

  #conditional(expr: Extract<Expr, { kind: 'call' }>, args: readonly CelType[]): CelType {
    const [condition = dyn, yes = dyn, no = dyn] = args
    if (!fits(condition, bool, new Map()) || !(fits(yes, no, new Map()) || fits(no, yes, new Map())))
      return this.#noOverload(expr, args)
    return join(yes, no)
  }

  #equality(expr: Extract<Expr, { kind: 'call' }>, args: readonly CelType[]): CelType {
    const [a = dyn, b = dyn] = args
    // Fields that may be null are compared with null whatever their type.
    const related = a.kind === 'null' || b.kind === 'null' || fits(a, b, new Map()) || fits(b, a, new Map())
    return related ? bool : this.#noOverload(expr, args)
  }

  #index(expr: Extract<Expr, { kind: 'call' }>, args: readonly CelType[]): CelType {
    const [operand = dyn, index = dyn] = args
    const inner = operand.kind === 'optional' ? operand.of : operand
    const result = elementOf(inner, index)
    if (result === undefined) return this.#noOverload(expr, args)
    return expr.name === '_[?_]' || operand.kind === 'optional' ? optionalOf(result) : result
  }

  #function(expr: Extract<Expr, { kind: 'call' }>, args: readonly CelType[]): CelType {
    const { name, target } = expr
    const all = (this.#declarations.functions.get(name) ?? []).filter(({ method }) => method === (target !== undefined))
    if (!this.#declarations.functions.has(name)) return this.#wrong(expr, undeclared(name))
    const matching: { overload: Overload; result: CelType }[] = []
    for (const overload of all) {
      if (overload.args.length !== args.length) continue
      const bindings: Bindings = new Map()
      if (!args.every((arg, index) => fits(arg, overload.args[index] ?? dyn, bindings))) continue
      matching.push({ overload, result: substitute(overload.result, bindings) })
    }
    const [first] = matching
    if (first === undefined) return this.#noOverload(expr, args)
    this.overloads.set(
      expr,
      matching.map(({ overload }) => overload),
    )
    return matching.every(({ result }) => typeName(result) === typeName(first.result)) ? first.result : dyn
  }

  #struct(expr: Extract<Expr, { kind: 'struct' }>, scope: Scope | undefined): CelType {
    const { structs } = this.#declarations
    const type = typeof structs === 'function' ? structs(expr.type) : structs?.get(expr.type)
    if (type === undefined) return this.#wrong(expr, undeclared(expr.type))
    for (const { name, value, optional, offset } of expr.fields) {
      const actual = this.#element(value, optional, scope)
      const field = type.fields.get(name)
      if (field === undefined) this.#wrong({ offset }, `undefined field '${name}'`)
      else if (!fits(actual, field, new Map()))
        this.#wrong(
          { offset },
          `expected type of field '${name}' is '${typeName(field)}' but provided type is '${typeName(actual)}'`,
        )
    }
    return type
  }

  #macro(expr: MacroExpr, scope: Scope | undefined): CelType {
    const range = this.of(expr.range, scope)
    const variables = this.#rangeVariables(expr, range)
    let inner = scope
    expr.variables.forEach((name, index) => {
      inner = { name, type: variables[index] ?? dyn, outer: inner }
    })
    if (expr.filter !== undefined) this.#mustBeBool(expr.filter, this.of(expr.filter, inner))
    const body = this.of(expr.body, inner)
    switch (expr.macro) {
      case 'all':
      case 'exists':
      case 'exists_one':
        this.#mustBeBool(expr.body, body)
        return bool
      case 'filter':
        this.#mustBeBool(expr.body, body)
        return listOf(range.kind === 'list' ? range.of : range.kind === 'map' ? range.key : dyn)
      case 'map':
      case 'transformList':
        return listOf(body)
      case 'sortBy':
        return range
      case 'transformMap':
        return mapOf(range.kind === 'map' ? range.key : range.kind === 'list' ? int : dyn, body)
      case 'transformMapEntry':
        return body
      case 'optMap':
        return optionalOf(body)
      case 'optFlatMap':
        return body
    }
  }

  #mustBeBool(expr: Expr, type: CelType): void {
    if (!fits(type, bool, new Map())) this.#wrong(expr, `expected type 'bool' but found '${typeName(type)}'`)
  }

  #rangeVariables(expr: MacroExpr, range: CelType): readonly CelType[] {
    if (range.kind === 'dyn' || range.kind === 'error') return [range, range]
    if (expr.macro === 'optMap' || expr.macro === 'optFlatMap') {
      if (range.kind === 'optional') return [range.of]
    } else if (range.kind === 'list') return expr.variables.length === 1 ? [range.of] : [int, range.of]
    else if (range.kind === 'map') return [range.key, range.value]
    this.#wrong(
      expr.range,
      `expression of type '${typeName(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
    )
    return [error, error]
  }
}

const undeclared = (name: string): string => `undeclared reference to '${name}' (in container '')`

function elementOf(operand: CelType, index: CelType): CelType | undefined {
  switch (operand.kind) {
    case 'dyn':
    case 'error':
      return operand
    case 'list':
      return fits(index, int, new Map()) ? operand.of : undefined
    case 'map':
      return fits(index, operand.key, new Map()) ? operand.value : undefined
    default:
      return undefined
  }
}

function typeOfLiteral(value: unknown): CelType {
  switch (typeof value) {
    case 'string':
      return string
    case 'bigint':
      return int
    case 'number':
      return double
    case 'boolean':
      return bool
    default:
      break
  }
  if (value === null) return nullType
  return value instanceof Uint ? uint : bytes
}
