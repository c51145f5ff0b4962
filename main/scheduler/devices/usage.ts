// Pure: what of the offered devices is given away already.
import type { ResourceV1ResourceClaim } from '../../../common/api/generated/types.ts'
import { parseQuantity } from '../../../common/machinery/quantity.ts'

/** Capacity by its name, in billionths. */
export type Capacities = Map<string, bigint>

export interface DeviceUsage {
  /** Ids of devices that have one user. */
  taken: ReadonlySet<string>
  /** Of devices that may be shared: what of them is used. */
  shared: ReadonlyMap<string, Capacities>
}

/** Administrators' access takes nothing away. */
export function usageOf(claims: Iterable<ResourceV1ResourceClaim>): DeviceUsage {
  const taken = new Set<string>()
  const shared = new Map<string, Capacities>()
  for (const { status } of claims) {
    for (const result of status?.allocation?.devices?.results ?? []) {
      if (result.adminAccess === true) continue
      const id = `${result.driver}/${result.pool}/${result.device}`
      if (result.shareID === undefined) taken.add(id)
      else addCapacities(shared, id, capacitiesOf(result.consumedCapacity))
    }
  }
  return { taken, shared }
}

const capacitiesOf = (quantities: Readonly<Record<string, string | number>> = {}): Capacities =>
  new Map(Object.entries(quantities).map(([name, quantity]) => [name, parseQuantity(quantity).nanos]))

export function addCapacities(to: Map<string, Capacities>, id: string, added: Capacities, sign = 1n): void {
  const known = to.get(id) ?? new Map<string, bigint>()
  for (const [name, nanos] of added) known.set(name, (known.get(name) ?? 0n) + sign * nanos)
  to.set(id, known)
}
