// How the server's seats are divided among priority levels: by their shares, and by what they lend and borrow when some are busy.
import type { PriorityLevelConfigurationSpec } from '../../../common/api/generated/types.ts'

export interface SeatLimits {
  /** What its shares entitle it to. */
  readonly nominal: number
  /** What it keeps when others need seats. */
  readonly lower: number
  /** What it may have when others leave seats. */
  readonly upper: number
}

const defaultShares = 30

function sharesOf({ limited, exempt }: PriorityLevelConfigurationSpec): number {
  return limited === undefined
    ? (exempt?.nominalConcurrencyShares ?? 0)
    : (limited.nominalConcurrencyShares ?? defaultShares)
}

/** By name. `total`: seats of the server. */
export function limitsOf(
  specs: ReadonlyMap<string, PriorityLevelConfigurationSpec>,
  total: number,
): Map<string, SeatLimits> {
  let sum = 0
  for (const spec of specs.values()) sum += sharesOf(spec)
  const limits = new Map<string, SeatLimits>()
  for (const [name, spec] of specs) {
    const nominal = sum === 0 ? 0 : Math.ceil((total * sharesOf(spec)) / sum)
    const { lendablePercent = 0 } = spec.limited ?? spec.exempt ?? {}
    const borrowing = spec.limited?.borrowingLimitPercent
    limits.set(name, {
      nominal,
      lower: nominal - Math.round((nominal * lendablePercent) / 100),
      upper: borrowing === undefined ? total : nominal + Math.round((nominal * borrowing) / 100),
    })
  }
  return limits
}

export interface Demand {
  readonly limits: SeatLimits
  /** Most seats asked for lately. */
  readonly highest: number
  /** The same, forgotten slowly. */
  readonly smoothed: number
}

export const targetOf = ({ limits, highest, smoothed }: Demand): number =>
  Math.max(limits.lower, Math.min(limits.nominal, highest), smoothed)

/**
 * Everybody gets the same fraction of what they want, within their bounds, such that the sum is `total`; with that fraction.
 * Who keeps to what is theirs never gets less than they use, up to their nominal number.
 */
export function allocate(demands: readonly Demand[], total: number): { seats: number[]; fraction: number } {
  const floors = demands.map(({ limits, highest }) => Math.max(limits.lower, Math.min(limits.nominal, highest)))
  const at = (fraction: number): number[] =>
    demands.map((demand, index) =>
      Math.max(floors[index] ?? 0, Math.min(demand.limits.upper, fraction * Math.max(1, targetOf(demand)))),
    )
  const sumAt = (fraction: number): number => at(fraction).reduce((sum, seats) => sum + seats, 0)
  let low = 0
  let high = total
  for (let round = 0; round < 50; round += 1) {
    const middle = (low + high) / 2
    if (sumAt(middle) > total) high = middle
    else low = middle
  }
  return { seats: at(low).map(Math.round), fraction: low }
}
