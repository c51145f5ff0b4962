// The devices a resource claim may take, by device class, as quotas count them. Source: pkg/quota/v1/evaluator/core/resource_claims.go.
import type { ResourceV1ResourceClaim } from '../api/generated/types.ts'
import { parseQuantity, type Quantity } from '../machinery/quantity.ts'

const suffix = '.deviceclass.resource.k8s.io/devices'
/** What one claim can be given at most; "all devices" are counted as so many. */
const mostPerClaim = 32

interface Asked {
  readonly deviceClassName?: string
  readonly allocationMode?: string
  readonly count?: number
}

export const isDeviceName = (name: string): boolean => name.endsWith(suffix)

/** By quota resource name. Of alternatives the largest of each class counts. */
export function claimDevices({ spec }: ResourceV1ResourceClaim): Map<string, Quantity> {
  const total = new Map<string, number>()
  for (const { exactly, firstAvailable = [] } of spec.devices?.requests ?? []) {
    const largest = new Map<string, number>()
    for (const asked of exactly === undefined ? firstAvailable : [exactly]) {
      const name = `${asked.deviceClassName}${suffix}`
      largest.set(name, Math.max(largest.get(name) ?? 0, devicesOf(asked)))
    }
    for (const [name, count] of largest) total.set(name, (total.get(name) ?? 0) + count)
  }
  return new Map([...total].map(([name, count]) => [name, parseQuantity(count)]))
}

const devicesOf = ({ allocationMode, count }: Asked): number => (allocationMode === 'All' ? mostPerClaim : (count ?? 1))
