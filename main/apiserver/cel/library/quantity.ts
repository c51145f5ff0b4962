// quantity() and semver() of the Kubernetes library.
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  isQuantity,
  parseQuantity,
  type Quantity,
  subtractQuantities,
} from '../../../../common/machinery/quantity.ts'
import { CelError, Opaque } from '../values.ts'
import { declare, type Overload, traversal } from './declare.ts'

type Amount = Opaque<Quantity>
const nano = 1_000_000_000n
const newAmount = (quantity: Quantity): Amount => new Opaque('kubernetes.Quantity', quantity, quantity.nanos.toString())
const ofInt = (value: bigint): Quantity => ({ nanos: value * nano, format: 'DecimalSI' })

export function requireQuantity(text: string): Amount {
  try {
    return newAmount(parseQuantity(text))
  } catch (error) {
    throw new CelError(error instanceof Error ? error.message : String(error))
  }
}
const isInteger = ({ value }: Amount): boolean => value.nanos % nano === 0n
function asInteger(amount: Amount): bigint {
  if (!isInteger(amount)) throw new CelError('cannot convert value to integer')
  return amount.value.nanos / nano
}

const quantities: readonly Overload[] = [
  declare('quantity(string): kubernetes.Quantity', requireQuantity, traversal),
  declare('isQuantity(string): bool', (text: string) => isQuantity(text), traversal),
  declare('string(kubernetes.Quantity): string', ({ value }: Amount) => formatQuantity(value)),
  declare('kubernetes.Quantity.sign(): int', ({ value }: Amount) =>
    value.nanos > 0n ? 1n : value.nanos < 0n ? -1n : 0n,
  ),
  declare('kubernetes.Quantity.isInteger(): bool', isInteger),
  declare('kubernetes.Quantity.asInteger(): int', asInteger),
  declare('kubernetes.Quantity.asApproximateFloat(): double', ({ value }: Amount) => Number(value.nanos) / 1e9),
  declare(
    'kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool',
    (a: Amount, b: Amount) => compareQuantities(a.value, b.value) > 0,
  ),
  declare(
    'kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool',
    (a: Amount, b: Amount) => compareQuantities(a.value, b.value) < 0,
  ),
  declare('kubernetes.Quantity.compareTo(kubernetes.Quantity): int', (a: Amount, b: Amount) =>
    BigInt(compareQuantities(a.value, b.value)),
  ),
  declare('kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity', (a: Amount, b: Amount) =>
    newAmount(addQuantities(a.value, b.value)),
  ),
  declare('kubernetes.Quantity.add(int): kubernetes.Quantity', (a: Amount, b: bigint) =>
    newAmount(addQuantities(a.value, ofInt(b))),
  ),
  declare('kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity', (a: Amount, b: Amount) =>
    newAmount(subtractQuantities(a.value, b.value)),
  ),
  declare('kubernetes.Quantity.sub(int): kubernetes.Quantity', (a: Amount, b: bigint) =>
    newAmount(subtractQuantities(a.value, ofInt(b))),
  ),
]

interface Version {
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly pre: readonly string[]
}
type Semver = Opaque<Version>

const identifier = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)'
const semverForm = new RegExp(
  `^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(?:-(${identifier}(?:\\.${identifier})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
)

/** Lenient: a leading "v", missing parts and leading zeros are put right before reading. */
function normalize(text: string): string {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)$/.exec(text)
  if (match === null) return text
  const [, major = '0', minor = '0', patch = '0', rest = ''] = match
  return `${[major, minor, patch].map((part) => part.replace(/^0+(?=\d)/, '')).join('.')}${rest}`
}

function readSemver(text: string): Version | undefined {
  if (text.length > 256) return undefined
  const match = semverForm.exec(text)
  if (match === null) return undefined
  const numbers = [match[1], match[2], match[3]].map((part) => BigInt(part ?? '0')) as [bigint, bigint, bigint]
  return { numbers, pre: match[4]?.split('.') ?? [] }
}

export function requireSemver(given: string, lenient = false): Semver {
  const text = lenient ? normalize(given) : given
  const version = readSemver(text)
  if (version === undefined) throw new CelError(`No Major.Minor.Patch elements found`)
  return new Opaque('kubernetes.Semver', version, `${version.numbers.join('.')}-${version.pre.join('.')}`)
}

function compareSemver(a: Version, b: Version): number {
  for (const [index, left] of a.numbers.entries()) {
    const right = b.numbers[index] ?? 0n
    if (left !== right) return left < right ? -1 : 1
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length)
  for (let index = 0; index < Math.max(a.pre.length, b.pre.length); index += 1) {
    const order = comparePre(a.pre[index], b.pre[index])
    if (order !== 0) return order
  }
  return 0
}

function comparePre(left: string | undefined, right: string | undefined): number {
  if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? -1 : 1
  if (left === right) return 0
  const numeric = [left, right].map((part) => /^\d+$/.test(part))
  if (numeric[0] === true && numeric[1] === true) return BigInt(left) < BigInt(right) ? -1 : 1
  if (numeric[0] !== numeric[1]) return numeric[0] === true ? -1 : 1
  return left < right ? -1 : 1
}

const versions: readonly Overload[] = [
  declare('semver(string): kubernetes.Semver', (text: string) => requireSemver(text)),
  declare('semver(string, bool): kubernetes.Semver', requireSemver),
  declare('isSemver(string): bool', (text: string) => readSemver(text) !== undefined),
  declare(
    'isSemver(string, bool): bool',
    (text: string, lenient: boolean) => readSemver(lenient ? normalize(text) : text) !== undefined,
  ),
  declare('kubernetes.Semver.major(): int', ({ value }: Semver) => value.numbers[0]),
  declare('kubernetes.Semver.minor(): int', ({ value }: Semver) => value.numbers[1]),
  declare('kubernetes.Semver.patch(): int', ({ value }: Semver) => value.numbers[2]),
  declare('kubernetes.Semver.compareTo(kubernetes.Semver): int', (a: Semver, b: Semver) =>
    BigInt(compareSemver(a.value, b.value)),
  ),
  declare(
    'kubernetes.Semver.isLessThan(kubernetes.Semver): bool',
    (a: Semver, b: Semver) => compareSemver(a.value, b.value) < 0,
  ),
  declare(
    'kubernetes.Semver.isGreaterThan(kubernetes.Semver): bool',
    (a: Semver, b: Semver) => compareSemver(a.value, b.value) > 0,
  ),
]

export const measures: readonly Overload[] = [...quantities, ...versions]
