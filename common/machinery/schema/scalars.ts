// Scalar values as the API server reads them: checked, and brought to the one form in which they are written back.
import type { ScalarFact } from '../../api/facts.ts'
import { canonicalQuantity, QuantityError } from '../quantity.ts'

/** A value of the wrong type. `described`: what Go calls the value found ("string", "number 1.5"). */
export class WrongTypeError extends Error {
  readonly described: string

  constructor(described: string) {
    super(`unexpected ${described}`)
    this.name = 'WrongTypeError'
    this.described = described
  }
}

/** A value of the right type whose text cannot be read (a quantity, a time); the message is upstream's and has no path. */
export class UnreadableValueError extends Error {
  override readonly name = 'UnreadableValueError'
}

export type ScalarDecoder = (value: unknown) => unknown

/** Go's word for a JSON value. */
export function describeJson(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (value === null) return 'null'
  if (typeof value === 'boolean') return 'bool'
  return typeof value
}

function integer(low: number, high: number): ScalarDecoder {
  return (value) => {
    if (typeof value !== 'number') throw new WrongTypeError(describeJson(value))
    if (!Number.isInteger(value) || value < low || value > high) throw new WrongTypeError(`number ${String(value)}`)
    return value === 0 ? 0 : value
  }
}

const int32 = integer(-(2 ** 31), 2 ** 31 - 1)
// A signed 64-bit range cannot be told apart from its neighbours in a double; anything finite within it passes.
const int64 = integer(-(2 ** 63), 2 ** 63)

/** Go's parser for the types that bring their own: the error names no field. */
const plainValue = (value: unknown, type: string): UnreadableValueError =>
  new UnreadableValueError(`json: cannot unmarshal ${describeJson(value)} into Go value of type ${type}`)

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?([Zz]|[+-]\d{2}:\d{2})$/

function decodeTime(value: unknown, layout: string, fractionDigits: 0 | 6): string {
  if (typeof value !== 'string') throw plainValue(value, 'string')
  const match = rfc3339.exec(value)
  const unreadable = (): UnreadableValueError =>
    new UnreadableValueError(`parsing time ${JSON.stringify(value)} as "${layout}": cannot parse "${value}" as "2006"`)
  if (match === null) throw unreadable()
  const [, year, month, day, hours, minutes, seconds, fraction = '', zone = 'Z'] = match
  const ms = Date.parse(
    `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hours ?? ''}:${minutes ?? ''}:${seconds ?? ''}${zone.toUpperCase()}`,
  )
  if (Number.isNaN(ms)) throw unreadable()
  const whole = new Date(ms).toISOString().slice(0, 19)
  if (Number(day) > daysIn(Number(year), Number(month))) {
    throw new UnreadableValueError(`parsing time ${JSON.stringify(value)}: day out of range`)
  }
  return fractionDigits === 0 ? `${whole}Z` : `${whole}.${fraction.padEnd(6, '0').slice(0, 6)}Z`
}

/** The times of an object are read with each change of it, and objects made together share them. */
const timesRemembered = 1000

function timeDecoder(layout: string, fractionDigits: 0 | 6): (value: unknown) => string {
  const known = new Map<unknown, string>()
  return (value) => {
    const before = known.get(value)
    if (before !== undefined) return before
    const decoded = decodeTime(value, layout, fractionDigits)
    if (known.size >= timesRemembered) known.clear()
    known.set(value, decoded)
    return decoded
  }
}

const daysIn = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate()

function decodeQuantity(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new UnreadableValueError(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    )
  }
  try {
    return canonicalQuantity(typeof value === 'string' ? value.trim() : value)
  } catch (error) {
    if (error instanceof QuantityError) throw new UnreadableValueError(error.message, { cause: error })
    throw error
  }
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function decodeBytes(value: unknown): string {
  if (typeof value !== 'string') throw new WrongTypeError(describeJson(value))
  const text = /[\r\n]/.test(value) ? value.replace(/[\r\n]/g, '') : value
  if (!base64.test(text)) {
    throw new UnreadableValueError(`illegal base64 data at input byte ${String(firstWrongByte(text))}`)
  }
  return text
}

/** Where Go's decoder stops: the first foreign character, or the place of missing or misplaced padding. */
function firstWrongByte(text: string): number {
  const foreign = text.search(/[^A-Za-z0-9+/]/)
  if (foreign < 0) return text.length - (text.length % 4)
  const padding = text.slice(foreign)
  if (/^={1,2}$/.test(padding) && text.length % 4 !== 0) return text.length
  return foreign
}

function decodeIntOrString(value: unknown): unknown {
  if (typeof value === 'string') return value
  if (typeof value !== 'number') throw plainValue(value, 'int32')
  if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 31) {
    throw new UnreadableValueError(`json: cannot unmarshal number ${String(value)} into Go value of type int32`)
  }
  return value
}

function exactly(type: 'string' | 'boolean' | 'number'): ScalarDecoder {
  return (value) => {
    if (typeof value !== type) throw new WrongTypeError(describeJson(value))
    return value
  }
}

export const scalarDecoders: Record<ScalarFact, ScalarDecoder> = {
  string: exactly('string'),
  boolean: exactly('boolean'),
  number: exactly('number'),
  int32,
  int64,
  bytes: decodeBytes,
  time: timeDecoder('2006-01-02T15:04:05Z07:00', 0),
  'micro-time': timeDecoder('2006-01-02T15:04:05.000000Z07:00', 6),
  quantity: decodeQuantity,
  'int-or-string': decodeIntOrString,
  any: (value) => value,
}

/** What a JSON null becomes inside a list or map, where Go has no way to leave it out. */
export const zeroScalars: Record<ScalarFact, unknown> = {
  string: '',
  boolean: false,
  number: 0,
  int32: 0,
  int64: 0,
  bytes: '',
  time: null,
  'micro-time': null,
  quantity: '0',
  'int-or-string': 0,
  any: null,
}
