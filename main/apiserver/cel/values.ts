// Values while an expression runs. int is bigint, double number, list a plain array; everything else with structure is a class here.
import { Uint } from './syntax/ast.ts'
import { type CelType, dyn, type ObjectType } from './types.ts'

export { Uint }

/** An evaluation that went wrong; && || and optional access may absorb it. */
export class CelError extends Error {}
/** The budget of an evaluation is used up; nothing absorbs it. */
export class CostExceeded extends Error {
  constructor() {
    super('operation cancelled: actual cost limit exceeded')
  }
}

export class Duration {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

export class Timestamp {
  /** Since 1970-01-01T00:00:00Z. */
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

export class Optional {
  /** Undefined: none. */
  readonly value: unknown
  constructor(value: unknown) {
    this.value = value
  }
}
export const none = new Optional(undefined)

export class TypeValue {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** Values of a library's own type. */
export class Opaque<T = unknown> {
  readonly type: string
  readonly value: T
  /** Two values of the type are equal when these are. */
  readonly identity: string
  constructor(type: string, value: T, identity: string) {
    this.type = type
    this.value = value
    this.identity = identity
  }
}

export abstract class MapValue {
  abstract readonly size: number
  /** Undefined when the key is not there. */
  abstract get(key: unknown): unknown
  abstract keys(): Iterable<unknown>
}

/** Numbers of equal value are one key, whatever their type. */
function mapKey(key: unknown): unknown {
  if (key instanceof Uint) return key.value
  return typeof key === 'number' && Number.isInteger(key) ? BigInt(key) : key
}

export class LiteralMap extends MapValue {
  readonly #entries = new Map<unknown, { key: unknown; value: unknown }>()
  /** Set for struct literals: "Object.spec". */
  readonly typeName: string | undefined
  constructor(typeName?: string) {
    super()
    this.typeName = typeName
  }
  get size(): number {
    return this.#entries.size
  }
  get(key: unknown): unknown {
    return this.#entries.get(mapKey(key))?.value
  }
  set(key: unknown, value: unknown): void {
    this.#entries.set(mapKey(key), { key, value })
  }
  *keys(): Iterable<unknown> {
    for (const { key } of this.#entries.values()) yield key
  }
}

/** An object or map of JSON, converted member by member when looked at. */
export class JsonMap extends MapValue {
  readonly raw: Readonly<Record<string, unknown>>
  readonly objectType: ObjectType | undefined
  readonly #valueType: CelType
  #cache: Map<string, unknown> | undefined

  constructor(raw: Readonly<Record<string, unknown>>, type: CelType) {
    super()
    this.raw = raw
    this.objectType = type.kind === 'object' ? type : undefined
    this.#valueType = type.kind === 'map' ? type.value : dyn
  }
  get size(): number {
    return Object.keys(this.raw).length
  }
  get(key: unknown): unknown {
    if (typeof key !== 'string') return undefined
    const cached = this.#cache?.get(key)
    if (cached !== undefined) return cached
    const name = this.objectType?.jsonNames?.get(key) ?? key
    const type = this.objectType === undefined ? this.#valueType : (this.objectType.fields.get(key) ?? dyn)
    if (!Object.hasOwn(this.raw, name)) return undefined
    const value = fromJson(this.raw[name], type)
    this.#cache ??= new Map()
    this.#cache.set(key, value)
    return value
  }
  keys(): Iterable<unknown> {
    return Object.keys(this.raw)
  }
}

/** JSON as a CEL value of a declared type; what does not fit its type is taken for what it looks like. */
export function fromJson(value: unknown, type: CelType): unknown {
  switch (typeof value) {
    case 'string':
      return type.kind === 'string' || type.kind === 'dyn' ? value : textOf(value, type)
    case 'number':
      if (type.kind === 'double') return value
      return Number.isInteger(value) ? BigInt(value) : value
    case 'object':
      break
    default:
      return value
  }
  if (value === null) return null
  if (Array.isArray(value)) {
    const of = type.kind === 'list' ? type.of : dyn
    return value.map((item) => fromJson(item, of))
  }
  return new JsonMap(value as Record<string, unknown>, type)
}

function textOf(value: string, type: CelType): unknown {
  if (type.kind === 'bytes') return new Uint8Array(Buffer.from(value, 'base64'))
  if (type.kind === 'timestamp') return parseTimestamp(value) ?? value
  if (type.kind === 'duration') return parseDuration(value) ?? value
  return value
}

/** The JSON of a value; throws CelError for values that have none. */
export function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint) return Number(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (Array.isArray(value)) return value.map(toJson)
  if (value instanceof JsonMap) return value.raw
  if (value instanceof MapValue)
    return Object.fromEntries([...value.keys()].map((key) => [String(toJson(key)), toJson(value.get(key))]))
  if (value instanceof Optional) return value.value === undefined ? null : toJson(value.value)
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value
  throw new CelError('unsupported conversion to JSON')
}

const nanosPerSecond = 1_000_000_000n
const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: nanosPerSecond,
  m: 60n * nanosPerSecond,
  h: 3600n * nanosPerSecond,
}

/** As Go writes durations: "1h30m", "-1.5s". */
export function parseDuration(text: string): Duration | undefined {
  if (text === '0' || text === '+0' || text === '-0') return new Duration(0n)
  if (!/^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined
  let nanos = 0n
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const size = units[unit] ?? 0n
    nanos += BigInt(whole === '' ? '0' : whole) * size
    if (fraction !== '') nanos += (BigInt(fraction.slice(0, 18)) * size) / 10n ** BigInt(fraction.slice(0, 18).length)
  }
  if (nanos >= 2n ** 63n) return undefined
  return new Duration(text.startsWith('-') ? -nanos : nanos)
}

/** Seconds with a fraction, as CEL's string() gives it: "90s", "1.5s". */
export function formatDuration({ nanos }: Duration): string {
  const absolute = nanos < 0n ? -nanos : nanos
  return `${nanos < 0n ? '-' : ''}${fractional(absolute / nanosPerSecond, absolute % nanosPerSecond)}s`
}

const timestampForm = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d))?$/

export function parseTimestamp(text: string): Timestamp | undefined {
  const match = timestampForm.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = match
  const milliseconds = Date.parse(
    `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour}:${minute}:${second}${zone.toUpperCase()}`,
  )
  if (Number.isNaN(milliseconds)) return undefined
  return new Timestamp(BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0')))
}

export function formatTimestamp({ nanos }: Timestamp): string {
  const seconds = floorDivide(nanos, nanosPerSecond)
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  const fraction = (nanos - seconds * nanosPerSecond).toString().padStart(9, '0').replace(/0+$/, '')
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`
}

export function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}

function fractional(whole: bigint, nanos: bigint): string {
  const fraction = nanos.toString().padStart(9, '0').replace(/0+$/, '')
  return `${whole.toString()}${fraction === '' ? '' : `.${fraction}`}`
}

/** The CEL name of a value's type. */
export function typeOfValue(value: unknown): string {
  switch (typeof value) {
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'boolean':
      return 'bool'
    case 'string':
      return 'string'
    default:
      break
  }
  if (value === null) return 'null_type'
  if (Array.isArray(value)) return 'list'
  if (value instanceof Uint) return 'uint'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof JsonMap) return value.objectType?.name ?? 'map'
  if (value instanceof LiteralMap) return value.typeName ?? 'map'
  if (value instanceof Duration) return 'google.protobuf.Duration'
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp'
  if (value instanceof Optional) return 'optional_type'
  if (value instanceof TypeValue) return 'type'
  return value instanceof Opaque ? value.type : 'dyn'
}

/** CEL's ==: numbers by value across types, lists and maps by content, different types are unequal. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  const left = numeric(a)
  const right = numeric(b)
  // eslint-disable-next-line eqeqeq -- bigint and number compare by value
  if (left !== undefined && right !== undefined) return left == right
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => equal(item, b[index]))
  if (a instanceof MapValue && b instanceof MapValue) {
    if (a.size !== b.size) return false
    for (const key of a.keys()) {
      const other = b.get(key)
      if (other === undefined || !equal(a.get(key), other)) return false
    }
    return true
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0
  if ((a instanceof Duration && b instanceof Duration) || (a instanceof Timestamp && b instanceof Timestamp))
    return a.nanos === b.nanos
  if (a instanceof Optional && b instanceof Optional)
    return a.value === undefined || b.value === undefined ? a.value === b.value : equal(a.value, b.value)
  if (a instanceof TypeValue && b instanceof TypeValue) return a.name === b.name
  if (a instanceof Opaque && b instanceof Opaque) return a.type === b.type && a.identity === b.identity
  return false
}

export function numeric(value: unknown): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return value instanceof Uint ? value.value : undefined
}
