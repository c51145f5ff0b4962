// Lists, sets, optionals and mathematics: extension libraries the API server enables.
import { CelError, equal, MapValue, none, numeric, Optional, Uint } from '../values.ts'
import { declare, type Overload } from './declare.ts'
import { checkedInt, compare } from './operators.ts'

type List = readonly unknown[]
const each = (list: List): number => list.length
const product = (a: List, b: List): number => a.length * b.length

function isSorted(list: List): boolean {
  return list.every((item, index) => index === 0 || compare(list[index - 1], item) <= 0)
}

function extreme(list: List, sign: 1 | -1, name: string): unknown {
  if (list.length === 0) throw new CelError(`${name} called on empty list`)
  return list.reduce((best, item) => (compare(item, best) * sign > 0 ? item : best))
}

function sum(list: List): unknown {
  const [first] = list
  if (first === undefined) return 0n
  if (typeof first === 'number') return list.reduce<number>((total, item) => total + Number(numeric(item)), 0)
  if (first instanceof Uint)
    return new Uint(list.reduce<bigint>((total, item) => total + BigInt(numeric(item) ?? 0), 0n))
  if (typeof first === 'bigint')
    return list.reduce<bigint>((total, item) => checkedInt(total + BigInt(numeric(item) ?? 0)), 0n)
  throw new CelError('no such overload')
}

function slice(list: List, start: bigint, end: bigint): unknown[] {
  if (start < 0n || end < 0n)
    throw new CelError(`cannot slice(${start.toString()}, ${end.toString()}), negative indexes not supported`)
  if (start > end)
    throw new CelError(
      `cannot slice(${start.toString()}, ${end.toString()}), start index must be less than or equal to end index`,
    )
  if (end > BigInt(list.length))
    throw new CelError(`cannot slice(${start.toString()}, ${end.toString()}), list is length ${String(list.length)}`)
  return list.slice(Number(start), Number(end))
}

function flatten(list: List, depth: number): unknown[] {
  if (depth < 0) throw new CelError('level must be non-negative')
  return list.flatMap((item) => (Array.isArray(item) && depth > 0 ? flatten(item as unknown[], depth - 1) : [item]))
}

function distinct(list: List): unknown[] {
  const result: unknown[] = []
  for (const item of list) if (!result.some((other) => equal(item, other))) result.push(item)
  return result
}

const sorted = (list: List): unknown[] => [...list].sort((a, b) => compare(a, b))
const includes = (list: List, item: unknown): boolean => list.some((other) => equal(item, other))

const comparableItems = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'duration', 'timestamp']
const summable = ['int', 'uint', 'double', 'duration']

const lists: readonly Overload[] = [
  ...comparableItems.flatMap((type) => [
    declare(`list<${type}>.isSorted(): bool`, isSorted, each),
    declare(`list<${type}>.min(): ${type}`, (list: List) => extreme(list, -1, 'min'), each),
    declare(`list<${type}>.max(): ${type}`, (list: List) => extreme(list, 1, 'max'), each),
    declare(`list<${type}>.sort(): list<${type}>`, sorted, each),
  ]),
  ...summable.map((type) => declare(`list<${type}>.sum(): ${type}`, sum, each)),
  declare(
    'list<A>.indexOf(A): int',
    (list: List, item: unknown) => BigInt(list.findIndex((other) => equal(item, other))),
    each,
  ),
  declare(
    'list<A>.lastIndexOf(A): int',
    (list: List, item: unknown) => BigInt(list.findLastIndex((other) => equal(item, other))),
    each,
  ),
  declare('list<A>.slice(int, int): list<A>', slice, each),
  declare('list<A>.flatten(): list<dyn>', (list: List) => flatten(list, 1), each),
  declare('list<A>.flatten(int): list<dyn>', (list: List, depth: bigint) => flatten(list, Number(depth)), each),
  declare('list<A>.distinct(): list<A>', distinct, (list: List) => list.length * list.length),
  declare('list<A>.reverse(): list<A>', (list: List) => [...list].reverse(), each),
  declare('list<A>.first(): optional<A>', (list: List) => (list.length === 0 ? none : new Optional(list[0]))),
  declare('list<A>.last(): optional<A>', (list: List) => (list.length === 0 ? none : new Optional(list.at(-1)))),
  declare(
    '::lists.range(int): list<int>',
    (count: bigint) => Array.from({ length: Number(count) }, (_, index) => BigInt(index)),
    (count: bigint) => Number(count),
  ),
]

const sets: readonly Overload[] = [
  declare(
    '::sets.contains(list<A>, list<A>): bool',
    (a: List, b: List) => b.every((item) => includes(a, item)),
    product,
  ),
  declare(
    '::sets.equivalent(list<A>, list<A>): bool',
    (a: List, b: List) => b.every((item) => includes(a, item)) && a.every((item) => includes(b, item)),
    (a: List, b: List) => 2 * product(a, b),
  ),
  declare(
    '::sets.intersects(list<A>, list<A>): bool',
    (a: List, b: List) => b.some((item) => includes(a, item)),
    product,
  ),
]

const isZero = (value: unknown): boolean =>
  value === null ||
  value === '' ||
  value === false ||
  numeric(value) === 0 ||
  numeric(value) === 0n ||
  (Array.isArray(value) && value.length === 0) ||
  (value instanceof MapValue && value.size === 0)

function unwrap(value: Optional): unknown {
  if (value.value === undefined) throw new CelError('optional.none() dereference')
  return value.value
}

const optionals: readonly Overload[] = [
  declare('::optional.of(A): optional<A>', (value: unknown) => new Optional(value)),
  declare('::optional.none(): optional<dyn>', () => none),
  declare('::optional.ofNonZeroValue(A): optional<A>', (value: unknown) =>
    isZero(value) ? none : new Optional(value),
  ),
  declare('optional<A>.hasValue(): bool', (value: Optional) => value.value !== undefined),
  declare('optional<A>.value(): A', unwrap),
  declare('optional<A>.or(optional<A>): optional<A>', (a: Optional, b: Optional) => (a.value === undefined ? b : a)),
  declare('optional<A>.orValue(A): A', (a: Optional, other: unknown) => (a.value === undefined ? other : a.value)),
  declare(
    '::optional.unwrap(list<optional<A>>): list<A>',
    (list: readonly Optional[]) => list.map((item) => item.value).filter((value) => value !== undefined),
    each,
  ),
]

const numbers = ['int', 'uint', 'double']
const mathematics: readonly Overload[] = (['greatest', 'least'] as const).flatMap((name) => {
  const sign = name === 'greatest' ? 1 : -1
  return [
    ...numbers.map((type) =>
      declare(`::math.${name}(list<${type}>): ${type}`, (list: List) => extreme(list, sign, `math.@${name}`), each),
    ),
    ...numbers.map((type) => declare(`::math.${name}(${type}): ${type}`, (value: unknown) => value)),
    ...[2, 3, 4].map((count) =>
      declare(`::math.${name}(${Array(count).fill('A').join(', ')}): A`, (...items: unknown[]) =>
        extreme(items, sign, name),
      ),
    ),
  ]
})

export const collections: readonly Overload[] = [...lists, ...sets, ...optionals, ...mathematics]
