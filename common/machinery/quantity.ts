// Kubernetes quantities ("100m", "1.5Gi", "12e6"): exact arithmetic in nano units, and the canonical form in which the API
// writes them back. Source: apimachinery pkg/api/resource.

export type QuantityFormat = 'BinarySI' | 'DecimalSI' | 'DecimalExponent'

export interface Quantity {
  /** The value times 10^9; smaller fractions are rounded away from zero when parsed. */
  readonly nanos: bigint
  readonly format: QuantityFormat
}

export class QuantityError extends Error {
  override readonly name = 'QuantityError'
}

const wrongFormat = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const wrongNumber = 'unable to parse numeric part of quantity'
const wrongSuffix = "unable to parse quantity's suffix"

const nano = 1_000_000_000n
/** Values are capped at what a signed 64-bit integer holds. */
const maxNanos = (2n ** 63n - 1n) * nano
const pattern = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*)([-+]?[0-9]*)$/

/** Multiplier of a suffix in nano units, or for negative exponents still an integer since nano is the smallest. */
const suffixNanos: ReadonlyMap<string, bigint> = new Map([
  ['n', 1n],
  ['u', 1_000n],
  ['m', 1_000_000n],
  ['', nano],
  ['k', nano * 10n ** 3n],
  ['M', nano * 10n ** 6n],
  ['G', nano * 10n ** 9n],
  ['T', nano * 10n ** 12n],
  ['P', nano * 10n ** 15n],
  ['E', nano * 10n ** 18n],
  ['Ki', nano * 1024n],
  ['Mi', nano * 1024n ** 2n],
  ['Gi', nano * 1024n ** 3n],
  ['Ti', nano * 1024n ** 4n],
  ['Pi', nano * 1024n ** 5n],
  ['Ei', nano * 1024n ** 6n],
])
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const decimalSuffixes: Record<number, string> = {
  [-9]: 'n',
  [-6]: 'u',
  [-3]: 'm',
  0: '',
  3: 'k',
  6: 'M',
  9: 'G',
  12: 'T',
  15: 'P',
  18: 'E',
}

export const zeroQuantity: Quantity = { nanos: 0n, format: 'DecimalSI' }

/** Parses text, or a plain number as JSON clients send it. Throws QuantityError with upstream's message. */
export function parseQuantity(input: string | number): Quantity {
  const text = typeof input === 'number' ? String(input) : input
  const match = pattern.exec(text)
  if (match === null)
    throw new QuantityError(/^[+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]*$/.test(text) ? wrongNumber : wrongFormat)
  const [, sign = '', whole = '', fraction = '', letters = '', digits = ''] = match
  if (whole === '' && fraction === '') throw new QuantityError(text === '' ? wrongFormat : wrongNumber)

  const { multiplier, divisor, format } = parseSuffix(letters, digits)
  const mantissa = BigInt(whole + fraction)
  const scaled = mantissa * multiplier
  const below = 10n ** BigInt(fraction.length) * divisor
  let nanos = scaled / below
  if (nanos * below !== scaled) nanos += 1n
  if (nanos > maxNanos) nanos = maxNanos
  // Less than one of something binary reads better as a decimal fraction.
  const shown = format === 'BinarySI' && nanos > 0n && nanos < nano ? 'DecimalSI' : format
  return { nanos: sign === '-' ? -nanos : nanos, format: shown }
}

function parseSuffix(letters: string, digits: string): { multiplier: bigint; divisor: bigint; format: QuantityFormat } {
  if (digits === '') {
    const multiplier = suffixNanos.get(letters)
    if (multiplier === undefined) throw new QuantityError(wrongSuffix)
    return { multiplier, divisor: 1n, format: letters.endsWith('i') ? 'BinarySI' : 'DecimalSI' }
  }
  if (letters !== 'e' && letters !== 'E') throw new QuantityError(wrongSuffix)
  if (!/[0-9]/.test(digits)) throw new QuantityError(wrongSuffix)
  const exponent = Number(digits)
  // Beyond this range everything is zero-rounded-up or capped; do not let a client make us compute 10^999999999.
  const bounded = Math.max(-60, Math.min(60, exponent))
  return bounded >= 0
    ? { multiplier: nano * 10n ** BigInt(bounded), divisor: 1n, format: 'DecimalExponent' }
    : { multiplier: nano, divisor: 10n ** BigInt(-bounded), format: 'DecimalExponent' }
}

/** The canonical text: no fraction, the largest suffix that keeps the value whole. */
export function formatQuantity(quantity: Quantity): string {
  const { nanos } = quantity
  if (nanos === 0n) return '0'
  const negative = nanos < 0n
  const magnitude = negative ? -nanos : nanos
  const whole = magnitude % nano === 0n
  const format = quantity.format === 'BinarySI' && (magnitude < 1024n * nano || !whole) ? 'DecimalSI' : quantity.format
  const body = format === 'BinarySI' ? formatBinary(magnitude / nano) : formatDecimal(magnitude, format)
  return negative ? `-${body}` : body
}

function formatBinary(value: bigint): string {
  let mantissa = value
  let power = 0
  while (mantissa % 1024n === 0n && power < binarySuffixes.length - 1) {
    mantissa /= 1024n
    power += 1
  }
  return `${String(mantissa)}${binarySuffixes[power] ?? ''}`
}

function formatDecimal(magnitude: bigint, format: QuantityFormat): string {
  let mantissa = magnitude
  let exponent = -9
  while (mantissa % 1000n === 0n && exponent < 18) {
    mantissa /= 1000n
    exponent += 3
  }
  if (format === 'DecimalExponent') return exponent === 0 ? String(mantissa) : `${String(mantissa)}e${String(exponent)}`
  return `${String(mantissa)}${decimalSuffixes[exponent] ?? ''}`
}

/** Parses and formats: what the API stores for a given input. Throws QuantityError. */
export const canonicalQuantity = (input: string | number): string => formatQuantity(parseQuantity(input))

export const isQuantity = (input: string | number): boolean => {
  try {
    parseQuantity(input)
    return true
  } catch {
    return false
  }
}

type QuantityInput = Quantity | string | number
const asQuantity = (input: QuantityInput): Quantity => (typeof input === 'object' ? input : parseQuantity(input))

/** -1, 0 or 1, as sort functions want it. */
export function compareQuantities(a: QuantityInput, b: QuantityInput): -1 | 0 | 1 {
  const left = asQuantity(a).nanos
  const right = asQuantity(b).nanos
  return left < right ? -1 : left > right ? 1 : 0
}

/** The sum in the format of `a`, or of `b` when `a` is zero. */
export function addQuantities(a: QuantityInput, b: QuantityInput): Quantity {
  const left = asQuantity(a)
  const right = asQuantity(b)
  return { nanos: left.nanos + right.nanos, format: left.nanos === 0n ? right.format : left.format }
}

export function subtractQuantities(a: QuantityInput, b: QuantityInput): Quantity {
  const left = asQuantity(a)
  const right = asQuantity(b)
  return { nanos: left.nanos - right.nanos, format: left.nanos === 0n ? right.format : left.format }
}

/** Thousandths, rounded up (cpu in millicores). */
export const quantityToMillis = (input: QuantityInput): number => roundUp(asQuantity(input).nanos, 1_000_000n)

/** Whole units, rounded up (memory and storage in bytes, counts of pods or devices). */
export const quantityToBytes = (input: QuantityInput): number => roundUp(asQuantity(input).nanos, nano)

export const quantityFromMillis = (millis: number): Quantity => ({
  nanos: BigInt(Math.round(millis)) * 1_000_000n,
  format: 'DecimalSI',
})

export const quantityFromBytes = (bytes: number): Quantity => ({
  nanos: BigInt(Math.round(bytes)) * nano,
  format: 'BinarySI',
})

/** Away from zero, as upstream's ScaledValue does. */
function roundUp(value: bigint, unit: bigint): number {
  const whole = value / unit
  if (whole * unit === value) return Number(whole)
  return Number(value > 0n ? whole + 1n : whole - 1n)
}
