// The extended string functions, and regular expressions of the Kubernetes library.
import { findMatches, linearRegex, RegexError } from '../../../../common/machinery/linear-regex.ts'
import { codePoints, textOf } from './code-points.ts'
import {
  CelError,
  Duration,
  formatDuration,
  formatTimestamp,
  MapValue,
  Timestamp,
  TypeValue,
  Uint,
  typeOfValue,
} from '../values.ts'
import { declare, type Overload, traversal } from './declare.ts'
import { formatDouble } from './standard.ts'

/** One code unit is one character almost everywhere: then no text has to be taken apart. */
const isPlain = (text: string): boolean => !/[\ud800-\udfff]/.test(text)

function indexIn(text: string, search: string, from: number, last: boolean): bigint {
  if (isPlain(text) && from >= 0 && from <= text.length)
    return BigInt(last ? text.lastIndexOf(search, from) : text.indexOf(search, from))
  const points = codePoints(text)
  if (from < 0 || from > points.length) throw new CelError(`index out of range: ${String(from)}`)
  const units = textOf(points, 0, from).length
  const found = last ? text.lastIndexOf(search, units) : text.indexOf(search, units)
  return found === -1 ? -1n : BigInt(codePoints(text.slice(0, found)).length)
}

function substring(
  text: string,
  start: bigint,
  end: bigint = BigInt(isPlain(text) ? text.length : codePoints(text).length),
): string {
  if (isPlain(text) && start >= 0n && start <= end && end <= BigInt(text.length))
    return text.slice(Number(start), Number(end))
  const points = codePoints(text)
  const from = Number(start)
  const to = Number(end)
  if (from < 0 || from > points.length) throw new CelError(`index out of range: ${String(from)}`)
  if (to < 0 || to > points.length) throw new CelError(`index out of range: ${String(to)}`)
  if (from > to) throw new CelError(`invalid substring range. start: ${String(from)}, end: ${String(to)}`)
  return textOf(points, from, to)
}

function split(text: string, separator: string, limit: number): string[] {
  if (limit === 0) return []
  const pieces = separator === '' ? Array.from(text) : text.split(separator)
  if (limit < 0 || pieces.length <= limit) return pieces
  return [...pieces.slice(0, limit - 1), pieces.slice(limit - 1).join(separator)]
}

function replace(text: string, old: string, by: string, count: number): string {
  if (count === 0) return text
  if (count < 0) return text.replaceAll(old, () => by)
  const pieces = split(text, old, count + 1)
  return pieces.join(by)
}

function charAt(text: string, index: bigint): string {
  const points = codePoints(text)
  const at = Number(index)
  if (at < 0 || at > points.length) throw new CelError(`index out of range: ${String(at)}`)
  return at === points.length ? '' : textOf(points, at, at + 1)
}

function join(list: readonly unknown[], separator: string): string {
  if (list.some((item) => typeof item !== 'string')) throw new CelError('no such overload')
  return list.join(separator)
}

function quote(text: string): string {
  const special: Readonly<Record<string, string>> = {
    '\u0007': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\v': '\\v',
    '\\': '\\\\',
    '"': '\\"',
  }
  return `"${Array.from(text, (character) => special[character] ?? character).join('')}"`
}

const whitespace = /^[\s\u0085]+|[\s\u0085]+$/gu

/** "%s %d %.2f %e %b %o %x %X" as CEL's format; at most as many clauses as arguments. */
export function format(template: string, args: readonly unknown[]): string {
  let next = 0
  return template.replace(
    /%(?:(%)|(?:\.(\d+))?([a-zA-Z]))|%(.?)/g,
    (whole, percent?: string, precision?: string, verb?: string) => {
      if (percent !== undefined) return '%'
      if (verb === undefined)
        throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${whole.slice(1)}"`)
      if (next >= args.length) throw new CelError(`index ${String(next)} out of range`)
      const value = args[next]
      next += 1
      return formatOne(verb, value, precision === undefined ? 6 : Number(precision))
    },
  )
}

function formatOne(verb: string, value: unknown, precision: number): string {
  switch (verb) {
    case 's':
      return formatText(value)
    case 'd':
      if (typeof value === 'bigint' || value instanceof Uint) return formatText(value)
      break
    case 'f':
      if (typeof value === 'number')
        return Number.isFinite(value) ? value.toFixed(precision) : formatDouble(value).replace('+', '')
      break
    case 'e':
      if (typeof value === 'number') return value.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2')
      break
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0'
      if (typeof value === 'bigint' || value instanceof Uint) return whole(value).toString(2)
      break
    case 'o':
      if (typeof value === 'bigint' || value instanceof Uint) return whole(value).toString(8)
      break
    case 'x':
    case 'X': {
      const hex =
        typeof value === 'bigint' || value instanceof Uint
          ? whole(value).toString(16)
          : typeof value === 'string' || value instanceof Uint8Array
            ? Buffer.from(value).toString('hex')
            : undefined
      if (hex !== undefined) return verb === 'X' ? hex.toUpperCase() : hex
      break
    }
    default:
      throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`)
  }
  throw new CelError(`error during formatting: ${verb} clause cannot be used on ${typeOfValue(value)}`)
}

const whole = (value: bigint | Uint): bigint => (value instanceof Uint ? value.value : value)

function formatText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return formatDouble(value)
  if (value === null) return 'null'
  if (value instanceof Uint) return value.value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof TypeValue) return value.name
  if (Array.isArray(value)) return `[${value.map(formatText).join(', ')}]`
  if (value instanceof MapValue)
    return `{${[...value.keys()]
      .map((key) => `${formatText(key)}: ${formatText(value.get(key))}`)
      .sort()
      .join(', ')}}`
  throw new CelError(
    `error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${typeOfValue(value)}`,
  )
}

function found(pattern: string, text: string, limit: number): string[] {
  try {
    return findMatches(linearRegex(pattern), text, limit)
  } catch (error) {
    if (error instanceof RegexError) throw new CelError(`Illegal regex: ${error.message}`)
    throw error
  }
}
const searchCost = (text: string, pattern: string): number =>
  traversal(text) * Math.max(1, Math.ceil(pattern.length * 0.25))
const replacedCost = (text: string, _old: string, by: string): number => traversal(text) + traversal(by)

export const text: readonly Overload[] = [
  declare('string.charAt(int): string', charAt),
  declare('string.indexOf(string): int', (a: string, b: string) => indexIn(a, b, 0, false), traversal),
  declare(
    'string.indexOf(string, int): int',
    (a: string, b: string, from: bigint) => indexIn(a, b, Number(from), false),
    traversal,
  ),
  declare(
    'string.lastIndexOf(string): int',
    (a: string, b: string) => indexIn(a, b, isPlain(a) ? a.length : codePoints(a).length, true),
    traversal,
  ),
  declare(
    'string.lastIndexOf(string, int): int',
    (a: string, b: string, from: bigint) => indexIn(a, b, Number(from), true),
    traversal,
  ),
  declare('string.lowerAscii(): string', (a: string) => a.replace(/[A-Z]+/g, (part) => part.toLowerCase()), traversal),
  declare('string.upperAscii(): string', (a: string) => a.replace(/[a-z]+/g, (part) => part.toUpperCase()), traversal),
  declare(
    'string.replace(string, string): string',
    (a: string, b: string, c: string) => replace(a, b, c, -1),
    replacedCost,
  ),
  declare(
    'string.replace(string, string, int): string',
    (a: string, b: string, c: string, n: bigint) => replace(a, b, c, Number(n)),
    replacedCost,
  ),
  declare('string.split(string): list<string>', (a: string, b: string) => split(a, b, -1), traversal),
  declare(
    'string.split(string, int): list<string>',
    (a: string, b: string, n: bigint) => split(a, b, Number(n)),
    traversal,
  ),
  declare('string.substring(int): string', substring, traversal),
  declare('string.substring(int, int): string', substring, traversal),
  declare('string.trim(): string', (a: string) => a.replace(whitespace, ''), traversal),
  declare('string.reverse(): string', (a: string) => Array.from(a).reverse().join(''), traversal),
  declare('::strings.quote(string): string', quote, traversal),
  declare(
    '::jsonpatch.escapeKey(string): string',
    (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1'),
    traversal,
  ),
  declare('list<string>.join(): string', (list: unknown[]) => join(list, ''), traversal),
  declare('list<string>.join(string): string', join, traversal),
  declare(
    'string.format(list<dyn>): string',
    format,
    (template: string, args: unknown[]) => traversal(template) + args.length,
  ),
  declare('string.find(string): string', (a: string, b: string) => found(b, a, 1)[0] ?? '', searchCost),
  declare('string.findAll(string): list<string>', (a: string, b: string) => found(b, a, -1), searchCost),
  declare(
    'string.findAll(string, int): list<string>',
    (a: string, b: string, n: bigint) => found(b, a, Number(n)),
    searchCost,
  ),
  declare('::base64.encode(bytes): string', (value: Uint8Array) => Buffer.from(value).toString('base64'), traversal),
  declare('::base64.decode(string): bytes', (value: string) => new Uint8Array(Buffer.from(value, 'base64')), traversal),
]
