// CEL's standard functions: sizes, conversions, text, time.
import { linearRegex, RegexError } from '../../../../common/machinery/linear-regex.ts'
import { codePoints } from './code-points.ts'
import type { Uint } from '../values.ts'
import {
  CelError,
  type Duration,
  floorDivide,
  formatDuration,
  formatTimestamp,
  type MapValue,
  parseDuration,
  parseTimestamp,
  type Timestamp,
  TypeValue,
  typeOfValue,
} from '../values.ts'
import { declare, type Overload, traversal } from './declare.ts'
import { checkedInt, checkedTimestamp, checkedUint } from './operators.ts'

const textSize = (text: string): bigint => BigInt(/[\ud800-\udfff]/.test(text) ? codePoints(text).length : text.length)
const length = (list: { readonly length: number }): bigint => BigInt(list.length)
const mapSize = (map: MapValue): bigint => BigInt(map.size)

const sizes: readonly Overload[] = ['size(', 'method'].flatMap((form) => {
  const write = (type: string): string => (form === 'method' ? `${type}.size(): int` : `size(${type}): int`)
  return [
    declare(write('string'), textSize, traversal),
    declare(write('bytes'), length),
    declare(write('list<A>'), length),
    declare(write('map<K, V>'), mapSize),
  ]
})

export function matches(text: string, pattern: string): boolean {
  try {
    return linearRegex(pattern).test(text)
  } catch (error) {
    if (error instanceof RegexError) throw new CelError(error.message)
    throw error
  }
}

const patternCost = (text: string, pattern: string): number =>
  Math.ceil((text.length + 1) * 0.1) * Math.max(1, Math.ceil(pattern.length * 0.25))

const text: readonly Overload[] = [
  declare(
    'string.contains(string): bool',
    (a: string, b: string) => a.includes(b),
    (a: string, b: string) => traversal(a) * Math.max(1, traversal(b)),
  ),
  declare(
    'string.startsWith(string): bool',
    (a: string, b: string) => a.startsWith(b),
    (_: string, b: string) => traversal(b),
  ),
  declare(
    'string.endsWith(string): bool',
    (a: string, b: string) => a.endsWith(b),
    (_: string, b: string) => traversal(b),
  ),
  declare('string.matches(string): bool', matches, patternCost),
  declare('matches(string, string): bool', matches, patternCost),
]

function wholeNumber(value: number, what: string): bigint {
  if (!Number.isFinite(value)) throw new CelError(what)
  const whole = BigInt(Math.trunc(value))
  if (whole <= -(2n ** 63n) || whole >= 2n ** 63n) throw new CelError(what)
  return whole
}

function parseInteger(value: string): bigint {
  if (!/^[+-]?\d+$/.test(value))
    throw new CelError(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`)
  const whole = BigInt(value.startsWith('+') ? value.slice(1) : value)
  if (whole < -(2n ** 63n) || whole >= 2n ** 63n)
    throw new CelError(`strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`)
  return whole
}

function parseUnsigned(value: string): Uint {
  if (!/^\d+$/.test(value)) throw new CelError(`strconv.ParseUint: parsing ${JSON.stringify(value)}: invalid syntax`)
  return checkedUint(BigInt(value))
}

function parseDouble(value: string): number {
  const named = /^([+-]?)(inf|infinity|nan)$/i.exec(value)
  if (named !== null) return named[2]?.toLowerCase() === 'nan' ? NaN : named[1] === '-' ? -Infinity : Infinity
  if (value.trim() !== value || value === '' || Number.isNaN(Number(value)))
    throw new CelError(`strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`)
  return Number(value)
}

function parseBool(value: string): boolean {
  if (/^(?:1|t|T|true|TRUE|True)$/.test(value)) return true
  if (/^(?:0|f|F|false|FALSE|False)$/.test(value)) return false
  throw new CelError(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`)
}

export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const text = String(value)
  // Go writes exponents of at least two digits.
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}

function decodeText(value: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
  } catch {
    throw new CelError('invalid UTF-8 in bytes, cannot convert to string')
  }
}

function requireDuration(value: string): Duration {
  const parsed = parseDuration(value)
  if (parsed === undefined) throw new CelError(`time: invalid duration ${JSON.stringify(value)}`)
  return parsed
}
function requireTimestamp(value: string): Timestamp {
  const parsed = /^\d{4}-\d\d-\d\d[Tt]/.test(value) ? parseTimestamp(value) : undefined
  if (parsed === undefined)
    throw new CelError(
      `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(value)} as "2006"`,
    )
  return parsed
}

const same = (value: unknown): unknown => value
const conversions: readonly Overload[] = [
  declare('int(int): int', same),
  declare('int(uint): int', (value: Uint) => checkedInt(value.value)),
  declare('int(double): int', (value: number) => wholeNumber(value, 'integer overflow')),
  declare('int(string): int', parseInteger),
  declare('int(timestamp): int', (value: Timestamp) => floorDivide(value.nanos, 1_000_000_000n)),
  declare('uint(uint): uint', same),
  declare('uint(int): uint', (value: bigint) => checkedUint(value)),
  declare('uint(double): uint', (value: number) => checkedUint(wholeNumber(value, 'unsigned integer overflow'))),
  declare('uint(string): uint', parseUnsigned),
  declare('double(double): double', same),
  declare('double(int): double', (value: bigint) => Number(value)),
  declare('double(uint): double', (value: Uint) => Number(value.value)),
  declare('double(string): double', parseDouble),
  declare('bool(bool): bool', same),
  declare('bool(string): bool', parseBool),
  declare('string(string): string', same),
  declare('string(int): string', (value: bigint) => value.toString()),
  declare('string(uint): string', (value: Uint) => value.value.toString()),
  declare('string(double): string', formatDouble),
  declare('string(bool): string', (value: boolean) => String(value)),
  declare('string(bytes): string', decodeText, traversal),
  declare('string(timestamp): string', formatTimestamp),
  declare('string(duration): string', formatDuration),
  declare('bytes(bytes): bytes', same),
  declare('bytes(string): bytes', (value: string) => new Uint8Array(Buffer.from(value)), traversal),
  declare('duration(duration): duration', same),
  declare('duration(string): duration', requireDuration),
  declare('timestamp(timestamp): timestamp', same),
  declare('timestamp(string): timestamp', requireTimestamp),
  declare('timestamp(int): timestamp', (value: bigint) => checkedTimestamp(value * 1_000_000_000n)),
  declare('dyn(A): dyn', same),
  declare('type(A): type', (value: unknown) => new TypeValue(typeOfValue(value))),
]

/** The calendar's parts of a moment in a time zone ("Europe/Berlin", "+02:00"), as a UTC date shows them. */
function calendar({ nanos }: Timestamp, zone: string): Date {
  const milliseconds = Number(floorDivide(nanos, 1_000_000n))
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone)
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3])
    return new Date(milliseconds + (fixed[1] === '-' ? -minutes : minutes) * 60_000)
  }
  if (zone === 'UTC' || zone === '') return new Date(milliseconds)
  try {
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    }).formatToParts(milliseconds)
    const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value ?? 0)
    const shown = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
    return new Date(shown + (((milliseconds % 1000) + 1000) % 1000))
  } catch {
    throw new CelError(`unknown time zone ${zone}`)
  }
}

const dayOfYear = (date: Date): number =>
  Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000)

const parts: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDayOfYear: dayOfYear,
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDate: (date) => date.getUTCDate(),
  getDayOfWeek: (date) => date.getUTCDay(),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
}

const time: readonly Overload[] = [
  ...Object.entries(parts).flatMap(([name, read]) => [
    declare(`timestamp.${name}(): int`, (moment: Timestamp) => BigInt(read(calendar(moment, 'UTC')))),
    declare(`timestamp.${name}(string): int`, (moment: Timestamp, zone: string) =>
      BigInt(read(calendar(moment, zone))),
    ),
  ]),
  declare('duration.getHours(): int', ({ nanos }: Duration) => nanos / 3_600_000_000_000n),
  declare('duration.getMinutes(): int', ({ nanos }: Duration) => nanos / 60_000_000_000n),
  declare('duration.getSeconds(): int', ({ nanos }: Duration) => nanos / 1_000_000_000n),
  declare('duration.getMilliseconds(): int', ({ nanos }: Duration) => (nanos / 1_000_000n) % 1000n),
]

export const standard: readonly Overload[] = [...sizes, ...text, ...conversions, ...time]
