// Counters that the devices of a pool share: partitions of one piece of hardware cannot all be in use at once.
import { parseQuantity } from '../../../common/machinery/quantity.ts'
import type { OfferedDevice, Pool } from './pools.ts'
import type { DeviceUsage } from './usage.ts'

/** Of one search: what is left in each pool after what is in use and what the search has taken so far. */
export class Counters {
  readonly #usage: DeviceUsage
  /** Pool -> "set/counter" -> what is left. */
  readonly #left = new Map<Pool, Map<string, bigint>>()

  constructor(usage: DeviceUsage) {
    this.#usage = usage
  }

  /** Takes what the device needs; false: there is not enough, and nothing is taken. */
  take(offered: OfferedDevice): boolean {
    const left = this.#leftOf(offered.pool)
    spend(left, offered, -1n)
    const enough = consumptionOf(offered).every(([counter]) => (left.get(counter) ?? 0n) >= 0n)
    if (!enough) spend(left, offered, 1n)
    return enough
  }

  giveBack(offered: OfferedDevice): void {
    spend(this.#leftOf(offered.pool), offered, 1n)
  }

  #leftOf(pool: Pool): Map<string, bigint> {
    let left = this.#left.get(pool)
    if (left === undefined) {
      left = new Map(
        pool.counterSets.flatMap(({ name, counters }) =>
          Object.entries(counters).map(([counter, { value }]) => [`${name}/${counter}`, parseQuantity(value).nanos]),
        ),
      )
      for (const offered of pool.devices)
        if (this.#usage.taken.has(offered.id) || this.#usage.shared.has(offered.id)) spend(left, offered, -1n)
      this.#left.set(pool, left)
    }
    return left
  }
}

function consumptionOf({ device }: OfferedDevice): [string, bigint][] {
  return (device.consumesCounters ?? []).flatMap(({ counterSet, counters }) =>
    Object.entries(counters).map(([counter, { value }]): [string, bigint] => [
      `${counterSet}/${counter}`,
      parseQuantity(value).nanos,
    ]),
  )
}

function spend(left: Map<string, bigint>, offered: OfferedDevice, sign: bigint): void {
  for (const [counter, nanos] of consumptionOf(offered)) left.set(counter, (left.get(counter) ?? 0n) + sign * nanos)
}
