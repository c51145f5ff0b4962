// Pure: whether the devices of a claim are ready for pods to be bound, where their driver says so first (a device that is plugged into
// the node only once it is allocated).
import type { ResourceV1ResourceClaim } from '../../../common/api/generated/types.ts'
import { objectKey } from '../../../common/machinery/meta.ts'

/** Undefined: nothing is waited for any more. Throws an Error for a person when the driver says that it will not work. */
export function awaitedDevice(claim: ResourceV1ResourceClaim): string | undefined {
  for (const result of claim.status?.allocation?.devices?.results ?? []) {
    const { bindingConditions = [], bindingFailureConditions = [], driver, pool, device, shareID } = result
    if (bindingConditions.length === 0) continue
    const told = claim.status?.devices?.find(
      (known) => known.driver === driver && known.pool === pool && known.device === device && known.shareID === shareID,
    )
    const isTrue = (type: string): boolean =>
      told?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true
    const failure = told?.conditions?.find(
      ({ type, status }) => bindingFailureConditions.includes(type) && status === 'True',
    )
    if (failure !== undefined)
      throw new Error(`claim ${objectKey(claim)} binding failed: reason=${failure.reason}, message=${failure.message}`)
    if (!bindingConditions.every(isTrue)) return `${driver}/${pool}/${device}`
  }
  return undefined
}
