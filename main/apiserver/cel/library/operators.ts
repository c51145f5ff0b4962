// Arithmetic, comparison and membership. && || ?: and equality are the evaluator's own.
import type { MapValue } from '../values.ts'
import { CelError, Duration, equal, numeric, Timestamp, Uint } from '../values.ts'
import { declare, type Overload } from './declare.ts'

const minInt = -(2n ** 63n)
const maxInt = 2n ** 63n - 1n
const maxUint = 2n ** 64n - 1n

export function checkedInt(value: bigint): bigint {
  if (value < minInt || value > maxInt) throw new CelError('integer overflow')
  return value
}
export function checkedUint(value: bigint): Uint {
  if (value < 0n || value > maxUint) throw new CelError('unsigned integer overflow')
  return new Uint(value)
}
function checkedDuration(nanos: bigint): Duration {
  if (nanos < minInt || nanos > maxInt) throw new CelError('integer overflow')
  return new Duration(nanos)
}
const earliest = -62_135_596_800n * 1_000_000_000n
const latest = 253_402_300_800n * 1_000_000_000n
export function checkedTimestamp(nanos: bigint): Timestamp {
  if (nanos < earliest || nanos >= latest) throw new CelError('timestamp overflow')
  return new Timestamp(nanos)
}

const concatLists = (a: readonly unknown[], b: readonly unknown[]): unknown[] => [...a, ...b]
const both = (a: { length: number }, b: { length: number }): number => Math.ceil((a.length + b.length) * 0.1)

function nonZero(value: bigint, what: string): bigint {
  if (value === 0n) throw new CelError(what)
  return value
}

const arithmetic: readonly Overload[] = [
  declare('_+_(int, int): int', (a: bigint, b: bigint) => checkedInt(a + b)),
  declare('_-_(int, int): int', (a: bigint, b: bigint) => checkedInt(a - b)),
  declare('_*_(int, int): int', (a: bigint, b: bigint) => checkedInt(a * b)),
  declare('_/_(int, int): int', (a: bigint, b: bigint) => checkedInt(a / nonZero(b, 'division by zero'))),
  declare('_%_(int, int): int', (a: bigint, b: bigint) => a % nonZero(b, 'modulus by zero')),
  declare('_+_(uint, uint): uint', (a: Uint, b: Uint) => checkedUint(a.value + b.value)),
  declare('_-_(uint, uint): uint', (a: Uint, b: Uint) => checkedUint(a.value - b.value)),
  declare('_*_(uint, uint): uint', (a: Uint, b: Uint) => checkedUint(a.value * b.value)),
  declare('_/_(uint, uint): uint', (a: Uint, b: Uint) => checkedUint(a.value / nonZero(b.value, 'division by zero'))),
  declare('_%_(uint, uint): uint', (a: Uint, b: Uint) => checkedUint(a.value % nonZero(b.value, 'modulus by zero'))),
  declare('_+_(double, double): double', (a: number, b: number) => a + b),
  declare('_-_(double, double): double', (a: number, b: number) => a - b),
  declare('_*_(double, double): double', (a: number, b: number) => a * b),
  declare('_/_(double, double): double', (a: number, b: number) => a / b),
  declare('-_(int): int', (a: bigint) => checkedInt(-a)),
  declare('-_(double): double', (a: number) => -a),
  declare('!_(bool): bool', (a: boolean) => !a),
  declare('_+_(string, string): string', (a: string, b: string) => a + b, both),
  declare('_+_(bytes, bytes): bytes', (a: Uint8Array, b: Uint8Array) => new Uint8Array(Buffer.concat([a, b])), both),
  declare('_+_(list<A>, list<A>): list<A>', concatLists, (a: unknown[], b: unknown[]) => a.length + b.length),
  declare('_+_(duration, duration): duration', (a: Duration, b: Duration) => checkedDuration(a.nanos + b.nanos)),
  declare('_-_(duration, duration): duration', (a: Duration, b: Duration) => checkedDuration(a.nanos - b.nanos)),
  declare('_+_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) => checkedTimestamp(a.nanos + b.nanos)),
  declare('_+_(duration, timestamp): timestamp', (a: Duration, b: Timestamp) => checkedTimestamp(a.nanos + b.nanos)),
  declare('_-_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) => checkedTimestamp(a.nanos - b.nanos)),
  declare('_-_(timestamp, timestamp): duration', (a: Timestamp, b: Timestamp) => checkedDuration(a.nanos - b.nanos)),
]

/** Below zero, zero or above for two values of an ordered type; NaN when one is not a number. */
export function compare(a: unknown, b: unknown): number {
  const left = numeric(a)
  const right = numeric(b)
  if (left !== undefined && right !== undefined) {
    if (left < right) return -1
    if (left > right) return 1
    // eslint-disable-next-line eqeqeq -- bigint and number compare by value
    return left == right ? 0 : NaN
  }
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if ((a instanceof Duration && b instanceof Duration) || (a instanceof Timestamp && b instanceof Timestamp))
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0
  return NaN
}

/** By code point, which is not JavaScript's order for characters outside the basic plane. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  return /[\ud800-\udfff]/.test(a + b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1
}

const numbers = ['int', 'uint', 'double']
const comparable = [
  ...numbers.flatMap((left) => numbers.map((right) => [left, right])),
  ...['bool', 'string', 'bytes', 'duration', 'timestamp'].map((type) => [type, type]),
]
const shorter = (a: unknown, b: unknown): number =>
  typeof a === 'string' && typeof b === 'string' ? Math.ceil(Math.min(a.length, b.length) * 0.1) : 0

const comparisons = comparable.flatMap(([left = '', right = '']) => [
  declare(`_<_(${left}, ${right}): bool`, (a: unknown, b: unknown) => compare(a, b) < 0, shorter),
  declare(`_<=_(${left}, ${right}): bool`, (a: unknown, b: unknown) => compare(a, b) <= 0, shorter),
  declare(`_>_(${left}, ${right}): bool`, (a: unknown, b: unknown) => compare(a, b) > 0, shorter),
  declare(`_>=_(${left}, ${right}): bool`, (a: unknown, b: unknown) => compare(a, b) >= 0, shorter),
])

const membership: readonly Overload[] = [
  declare(
    '@in(A, list<A>): bool',
    (item: unknown, list: readonly unknown[]) => list.some((other) => equal(item, other)),
    (_: unknown, list: readonly unknown[]) => list.length,
  ),
  declare('@in(K, map<K, V>): bool', (key: unknown, map: MapValue) => map.get(key) !== undefined),
]

export const operators: readonly Overload[] = [...arithmetic, ...comparisons, ...membership]
