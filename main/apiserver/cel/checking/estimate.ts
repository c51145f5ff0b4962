// What an expression can cost at most, by how large its inputs can be. In the units of the running budget.
import type { Expr } from '../syntax/ast.ts'

/** How large a value can be: characters of a text, items of a list, entries of a map; and what is in it. */
export interface Extent {
  readonly largest: number
  field(name: string): Extent | undefined
  element(): Extent | undefined
}

interface Estimate {
  readonly cost: number
  readonly extent: Extent | undefined
}

type Scope = ReadonlyMap<string, Extent | undefined>

export function estimateCost(expr: Expr, variables: Readonly<Record<string, Extent>>): number {
  return estimate(expr, new Map(Object.entries(variables))).cost
}

const ofSize = (largest: number, inner?: Extent): Extent => ({ largest, field: () => inner, element: () => inner })
const sizeOf = ({ extent }: Estimate): number => extent?.largest ?? 1
const roundCost = 3

function estimate(expr: Expr, scope: Scope): Estimate {
  switch (expr.kind) {
    case 'literal':
      return { cost: 0, extent: ofSize(typeof expr.value === 'string' ? expr.value.length : 1) }
    case 'ident':
      return { cost: 1, extent: scope.get(expr.name) }
    case 'select': {
      const { cost, extent } = estimate(expr.operand, scope)
      return { cost: cost + 1, extent: expr.test ? undefined : extent?.field(expr.field) }
    }
    case 'call':
      return call(expr, scope)
    case 'list': {
      const items = expr.items.map(({ value }) => estimate(value, scope))
      const inner = items.map(({ extent }) => extent).find((extent) => extent !== undefined)
      return { cost: 10 + sum(items), extent: ofSize(items.length, inner) }
    }
    case 'map': {
      const parts = expr.entries.flatMap(({ key, value }) => [estimate(key, scope), estimate(value, scope)])
      return { cost: 30 + sum(parts), extent: ofSize(expr.entries.length) }
    }
    case 'struct':
      return { cost: 40 + sum(expr.fields.map(({ value }) => estimate(value, scope))), extent: undefined }
    case 'macro':
      return macro(expr, scope)
    case 'bind': {
      const value = estimate(expr.value, scope)
      const body = estimate(expr.body, new Map(scope).set(expr.name, value.extent))
      return { cost: value.cost + body.cost, extent: body.extent }
    }
  }
}

const sum = (parts: readonly Estimate[]): number => parts.reduce((total, { cost }) => total + cost, 0)

function macro(expr: Extract<Expr, { kind: 'macro' }>, scope: Scope): Estimate {
  const range = estimate(expr.range, scope)
  const isOptional = expr.macro === 'optMap' || expr.macro === 'optFlatMap'
  const element = isOptional ? range.extent : range.extent?.element()
  const inner = new Map(scope)
  expr.variables.forEach((name, index) => inner.set(name, index === expr.variables.length - 1 ? element : ofSize(1)))
  const body = estimate(expr.body, inner)
  const filter = expr.filter === undefined ? 0 : estimate(expr.filter, inner).cost
  const rounds = isOptional ? 1 : sizeOf(range)
  const cost = range.cost + rounds * (body.cost + filter + roundCost)
  switch (expr.macro) {
    case 'all':
    case 'exists':
    case 'exists_one':
      return { cost, extent: ofSize(1) }
    case 'filter':
    case 'sortBy':
      return { cost, extent: range.extent }
    case 'optMap':
    case 'optFlatMap':
      return { cost, extent: body.extent }
    default:
      return { cost, extent: ofSize(rounds, body.extent) }
  }
}

const perCharacter = 0.1

function call(expr: Extract<Expr, { kind: 'call' }>, scope: Scope): Estimate {
  const operands = [...(expr.target === undefined ? [] : [expr.target]), ...expr.args].map((part) =>
    estimate(part, scope),
  )
  const [first = nothing, second = nothing, third = nothing] = operands
  const base = sum(operands)
  const walked = (...parts: readonly Estimate[]): number =>
    Math.ceil(parts.reduce((total, part) => total + sizeOf(part), 0) * perCharacter)
  switch (expr.name) {
    case '_&&_':
    case '_||_':
      return { cost: base, extent: ofSize(1) }
    case '_?_:_':
      return {
        cost: first.cost + Math.max(second.cost, third.cost),
        extent: sizeOf(second) >= sizeOf(third) ? second.extent : third.extent,
      }
    case '_==_':
    case '_!=_':
    case '_<_':
    case '_<=_':
    case '_>_':
    case '_>=_':
      return { cost: base + 1 + Math.ceil(Math.min(sizeOf(first), sizeOf(second)) * perCharacter), extent: ofSize(1) }
    case '_[_]':
    case '_[?_]':
      return { cost: base + 1, extent: first.extent?.element() }
    case '@in':
      return { cost: base + 1 + sizeOf(second), extent: ofSize(1) }
    case '_+_':
      return {
        cost: base + 1 + walked(first, second),
        extent: ofSize(sizeOf(first) + sizeOf(second), first.extent?.element()),
      }
    case 'contains':
      return { cost: base + 1 + walked(first) * Math.max(1, walked(second)), extent: ofSize(1) }
    case 'matches':
    case 'find':
    case 'findAll':
      return { cost: base + 1 + walked(first) * Math.max(1, Math.ceil(sizeOf(second) * 0.25)), extent: first.extent }
    case 'startsWith':
    case 'endsWith':
      return { cost: base + 1 + walked(second), extent: ofSize(1) }
    case 'split':
      return { cost: base + 1 + walked(first), extent: ofSize(sizeOf(first), ofSize(1)) }
    case 'replace':
      return { cost: base + 1 + walked(first), extent: ofSize(sizeOf(first) * Math.max(1, sizeOf(third))) }
    case 'orValue':
    case 'or':
      return { cost: base + 1, extent: sizeOf(first) >= sizeOf(second) ? first.extent : second.extent }
    case 'value':
    case 'optional.of':
    case 'dyn':
      return { cost: base + 1, extent: first.extent }
    case 'size':
      return { cost: base + 1, extent: ofSize(1) }
    case 'distinct':
      return { cost: base + 1 + sizeOf(first) ** 2, extent: first.extent }
    case 'isSorted':
    case 'sum':
    case 'min':
    case 'max':
    case 'sort':
    case 'reverse':
      return { cost: base + 1 + sizeOf(first), extent: first.extent }
    default:
      return { cost: base + 1 + walked(first), extent: first.extent }
  }
}

const nothing: Estimate = { cost: 0, extent: undefined }
