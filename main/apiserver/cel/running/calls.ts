// Calls of declared functions: the overload is picked by the values when the types alone did not decide.
import type { Overload } from '../library/declare.ts'
import type { CelType } from '../types.ts'
import {
  CelError,
  CostExceeded,
  Duration,
  MapValue,
  Opaque,
  Optional,
  Timestamp,
  TypeValue,
  typeOfValue,
  Uint,
} from '../values.ts'
import type { Run } from './frame.ts'

export function evaluateCall(overloads: readonly Overload[], operands: readonly Run[]): Run {
  const [only] = overloads
  return (frame) => {
    const args = operands.map((operand) => operand(frame))
    const overload =
      overloads.length === 1 && only !== undefined && only.args.every((type, at) => accepts(type, args[at]))
        ? only
        : pick(overloads, args)
    frame.budget.spend(1 + (overload.cost?.(...args) ?? 0))
    try {
      return overload.run(...args)
    } catch (error) {
      if (error instanceof CelError || error instanceof CostExceeded) throw error
      // A library function's own limits (lengths, ranges of numbers) are errors of the expression.
      throw new CelError(error instanceof Error ? error.message : String(error))
    }
  }
}

function pick(overloads: readonly Overload[], args: readonly unknown[]): Overload {
  for (const overload of overloads) if (overload.args.every((type, at) => accepts(type, args[at]))) return overload
  throw new CelError('no such overload')
}

function accepts(type: CelType, value: unknown): boolean {
  switch (type.kind) {
    case 'int':
      return typeof value === 'bigint'
    case 'double':
      return typeof value === 'number'
    case 'string':
      return typeof value === 'string'
    case 'bool':
      return typeof value === 'boolean'
    case 'uint':
      return value instanceof Uint
    case 'bytes':
      return value instanceof Uint8Array
    case 'null':
      return value === null
    case 'list':
      return Array.isArray(value) && (value.length === 0 || accepts(type.of, value[0]))
    case 'map':
    case 'object':
      return value instanceof MapValue
    case 'optional':
      return value instanceof Optional
    case 'duration':
      return value instanceof Duration
    case 'timestamp':
      return value instanceof Timestamp
    case 'type':
      return value instanceof TypeValue
    case 'opaque':
      return value instanceof Opaque ? value.type === type.name : typeOfValue(value) === type.name
    case 'dyn':
    case 'error':
    case 'param':
      return true
  }
}
