// Expressions as closures: built once, run often. Every step is paid from the budget of the run.
import type { Expr } from '../syntax/ast.ts'
import { qualifiedName } from '../syntax/parser.ts'
import { type Checked, typeNames } from '../checking/checker.ts'
import { traversal } from '../library/declare.ts'
import {
  CelError,
  equal,
  JsonMap,
  LiteralMap,
  MapValue,
  none,
  numeric,
  Optional,
  TypeValue,
  typeOfValue,
  Uint,
} from '../values.ts'
import { evaluateCall } from './calls.ts'
import { type Run, ScopeFrame } from './frame.ts'
import { buildMacro } from './macros.ts'

export function build(expr: Expr, checked: Checked): Run {
  switch (expr.kind) {
    case 'literal':
      return () => expr.value
    case 'ident':
      return buildVariable(expr.name)
    case 'select':
      return buildSelect(expr, checked)
    case 'call':
      return buildCall(expr, checked)
    case 'list':
      return buildList(expr, checked)
    case 'map':
      return buildMap(expr, checked)
    case 'struct':
      return buildStruct(expr, checked)
    case 'macro':
      return buildMacro(expr, build(expr.range, checked), {
        filter: expr.filter === undefined ? undefined : build(expr.filter, checked),
        body: build(expr.body, checked),
      })
    case 'bind': {
      const value = build(expr.value, checked)
      const body = build(expr.body, checked)
      return (frame) => body(new ScopeFrame(frame, expr.name, value(frame)))
    }
  }
}

function buildVariable(name: string): Run {
  return (frame) => {
    frame.budget.spend(1)
    const value = frame.get(name)
    if (value !== undefined) return value
    if (typeNames.has(name)) return new TypeValue(name)
    throw new CelError(`no such attribute(s): ${name}`)
  }
}

function buildSelect(expr: Extract<Expr, { kind: 'select' }>, checked: Checked): Run {
  const { field, optional, test } = expr
  const name = qualifiedName(expr)
  if (name?.startsWith('google.protobuf.') === true) return () => new TypeValue(name)
  const variable = checked.qualified.get(expr)
  if (variable !== undefined) return buildVariable(variable)
  const operand = build(expr.operand, checked)
  return (frame) => {
    frame.budget.spend(1)
    let value = operand(frame)
    const lenient = optional || value instanceof Optional
    if (value instanceof Optional) value = value.value
    if (lenient && value === undefined) return test ? false : none
    if (!(value instanceof MapValue)) {
      if (test && value === null) return false
      throw new CelError(value === null ? `no such key: ${field}` : 'no such overload')
    }
    const found = value.get(field)
    // A field of a declared type that is null counts as absent.
    if (test)
      return found !== undefined && !(found === null && value instanceof JsonMap && value.objectType !== undefined)
    if (lenient) return found === undefined ? none : new Optional(found)
    if (found === undefined) throw new CelError(`no such key: ${field}`)
    return found
  }
}

function buildCall(expr: Extract<Expr, { kind: 'call' }>, checked: Checked): Run {
  const operands = [...(expr.target === undefined ? [] : [expr.target]), ...expr.args].map((arg) => build(arg, checked))
  const [first = unreachable, second = unreachable, third = unreachable] = operands
  switch (expr.name) {
    case '_&&_':
      return buildLogical(first, second, false)
    case '_||_':
      return buildLogical(first, second, true)
    case '_?_:_':
      return (frame) => {
        const condition = first(frame)
        if (typeof condition !== 'boolean') throw new CelError('no such overload')
        return condition ? second(frame) : third(frame)
      }
    case '_==_':
    case '_!=_': {
      const wanted = expr.name === '_==_'
      return (frame) => {
        const a = first(frame)
        const b = second(frame)
        frame.budget.spend(1 + Math.min(weight(a), weight(b)))
        return equal(a, b) === wanted
      }
    }
    case '_[_]':
    case '_[?_]': {
      const optional = expr.name === '_[?_]'
      return (frame) => {
        frame.budget.spend(1)
        return index(first(frame), second(frame), optional)
      }
    }
    default:
      return evaluateCall(checked.overloads.get(expr) ?? [], operands)
  }
}

const unreachable: Run = () => {
  throw new CelError('no such overload')
}

/** The cost of comparing: by size, at most what walking both would take. */
function weight(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return traversal(value)
  if (Array.isArray(value)) return value.length
  return value instanceof MapValue ? value.size : 0
}

/** Either side may fail when the other one decides. */
function buildLogical(left: Run, right: Run, decisive: boolean): Run {
  return (frame) => {
    let failure: CelError | undefined
    try {
      const value = left(frame)
      if (value === decisive) return decisive
      if (typeof value !== 'boolean') failure = new CelError('no such overload')
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      failure = error
    }
    const value = right(frame)
    if (value === decisive) return decisive
    if (failure !== undefined) throw failure
    if (typeof value !== 'boolean') throw new CelError('no such overload')
    return value
  }
}

function index(given: unknown, key: unknown, asked: boolean): unknown {
  const optional = asked || given instanceof Optional
  const operand = given instanceof Optional ? given.value : given
  if (optional && operand === undefined) return none
  let found: unknown
  if (Array.isArray(operand)) {
    const at = Number(numeric(key))
    if (!Number.isInteger(at)) throw new CelError(`unsupported index type '${typeOfValue(key)}' in list`)
    found = operand[at]
    if (found === undefined && !optional) throw new CelError(`index out of bounds: ${String(at)}`)
  } else if (operand instanceof MapValue) {
    found = operand.get(key)
    if (found === undefined && !optional) throw new CelError(`no such key: ${keyText(key)}`)
  } else throw new CelError('no such overload')
  if (!optional) return found
  return found === undefined ? none : new Optional(found)
}

const keyText = (key: unknown): string => (key instanceof Uint ? key.value.toString() : String(key))

const listCost = 10
const mapCost = 30
const structCost = 40

function buildList({ items }: Extract<Expr, { kind: 'list' }>, checked: Checked): Run {
  const runs = items.map(({ value, optional }) => ({ run: build(value, checked), optional }))
  return (frame) => {
    frame.budget.spend(listCost)
    const list: unknown[] = []
    for (const { run, optional } of runs) {
      const value = present(run(frame), optional)
      if (value !== undefined) list.push(value)
    }
    return list
  }
}

/** What an element contributes; undefined for "?none". */
function present(value: unknown, optional: boolean): unknown {
  if (!optional) return value
  if (!(value instanceof Optional)) throw new CelError('cannot initialize optional entry from non-optional value')
  return value.value
}

function buildMap({ entries }: Extract<Expr, { kind: 'map' }>, checked: Checked): Run {
  const runs = entries.map(({ key, value, optional }) => ({
    key: build(key, checked),
    value: build(value, checked),
    optional,
  }))
  return (frame) => {
    frame.budget.spend(mapCost)
    const map = new LiteralMap()
    for (const { key, value, optional } of runs) {
      const name = key(frame)
      if (map.get(name) !== undefined) throw new CelError(`Failed with repeated key ${keyText(name)}`)
      const found = present(value(frame), optional)
      if (found !== undefined) map.set(name, found)
    }
    return map
  }
}

function buildStruct({ type, fields }: Extract<Expr, { kind: 'struct' }>, checked: Checked): Run {
  const runs = fields.map(({ name, value, optional }) => ({ name, run: build(value, checked), optional }))
  return (frame) => {
    frame.budget.spend(structCost)
    const struct = new LiteralMap(type)
    for (const { name, run, optional } of runs) {
      const value = present(run(frame), optional)
      if (value !== undefined) struct.set(name, value)
    }
    return struct
  }
}
