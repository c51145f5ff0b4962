// Pure: what of a device's capacity a request takes, by the policy that the driver has set, and whether so much is left.
import type { ResourceV1Device, ResourceV1DeviceCapacity } from '../../../common/api/generated/types.ts'
import { parseQuantity } from '../../../common/machinery/quantity.ts'
import type { Capacities } from './usage.ts'

const nanosOf = (quantity: string | number): bigint => parseQuantity(quantity).nanos

/** Undefined: the device does not have so much, or not of that kind. `used` is what others have of it, or are about to get. */
export function capacityTaken(
  device: ResourceV1Device,
  requests: Readonly<Record<string, string | number>>,
  used: readonly (Capacities | undefined)[],
): Capacities | undefined {
  const offered = device.capacity ?? {}
  if (Object.keys(requests).some((name) => !Object.hasOwn(offered, name))) return undefined
  const taken: Capacities = new Map()
  for (const [name, capacity] of Object.entries(offered)) {
    const wanted = requests[name]
    const amount = amountOf(wanted === undefined ? undefined : nanosOf(wanted), capacity)
    if (amount === undefined) return undefined
    const inUse = used.reduce((sum, one) => sum + (one?.get(name) ?? 0n), 0n)
    if (inUse + amount > nanosOf(capacity.value)) return undefined
    taken.set(name, amount)
  }
  return taken
}

/** Rounded up to what the policy allows; undefined: it allows nothing that is enough. */
function amountOf(wanted: bigint | undefined, { value, requestPolicy }: ResourceV1DeviceCapacity): bigint | undefined {
  if (wanted === undefined) return nanosOf(requestPolicy?.default ?? value)
  const { validRange, validValues } = requestPolicy ?? {}
  if (validRange !== undefined) {
    const min = nanosOf(validRange.min)
    const step = validRange.step === undefined ? 0n : nanosOf(validRange.step)
    const beyond = wanted - min
    const rounded = beyond <= 0n ? min : step === 0n ? wanted : min + ((beyond + step - 1n) / step) * step
    return validRange.max !== undefined && rounded > nanosOf(validRange.max) ? undefined : rounded
  }
  if (validValues === undefined || validValues.length === 0) return wanted
  return validValues.map(nanosOf).find((allowed) => allowed >= wanted)
}
