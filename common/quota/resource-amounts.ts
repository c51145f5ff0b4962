// Amounts of resources by name ("cpu", "requests.memory", "count/secrets"), with exact arithmetic.
import type { Quantity as QuantityText } from '../api/generated/types.ts'
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  subtractQuantities,
} from '../machinery/quantity.ts'

export type Amounts = ReadonlyMap<string, Quantity>
export type AmountsText = Readonly<Record<string, QuantityText>>

/** Throws QuantityError for what is no quantity; stored objects hold none such. */
export const readAmounts = (list: AmountsText | undefined): Map<string, Quantity> =>
  new Map(Object.entries(list ?? {}).map(([name, value]) => [name, parseQuantity(value)]))

export const writeAmounts = (amounts: Amounts): Record<string, string> =>
  Object.fromEntries([...amounts].map(([name, value]) => [name, formatQuantity(value)]))

function combine(a: Amounts, b: Amounts, how: (left: Quantity, right: Quantity) => Quantity): Map<string, Quantity> {
  const result = new Map(a)
  for (const [name, value] of b) {
    const own = a.get(name)
    result.set(name, own === undefined ? how({ nanos: 0n, format: value.format }, value) : how(own, value))
  }
  return result
}

export const addAmounts = (a: Amounts, b: Amounts): Map<string, Quantity> => combine(a, b, addQuantities)
export const subtractAmounts = (a: Amounts, b: Amounts): Map<string, Quantity> => combine(a, b, subtractQuantities)
export const maxAmounts = (a: Amounts, b: Amounts): Map<string, Quantity> =>
  combine(a, b, (left, right) => (compareQuantities(left, right) < 0 ? right : left))

export const selectAmounts = (amounts: Amounts, selects: (name: string) => boolean): Map<string, Quantity> =>
  new Map([...amounts].filter(([name]) => selects(name)))

/** "cpu=1,memory=2Gi", as quota messages list amounts. */
export const describeAmounts = (amounts: Amounts): string =>
  [...amounts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${formatQuantity(value)}`)
    .join(',')
