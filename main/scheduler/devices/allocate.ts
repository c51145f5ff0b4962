// Pure: what a pod's claims get on a node.
import type { Node, ResourceV1AllocationResult, ResourceV1ResourceClaim } from '../../../common/api/generated/types.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import { allocationOf } from './allocation.ts'
import { Constraint } from './constraints.ts'
import type { DeviceClaims } from './device-claims.ts'
import { classNamesOf, requestsOf } from './requests.ts'
import type { DeviceSelector } from './search.ts'
import { searchDevices } from './search.ts'
import type { DeviceUsage } from './usage.ts'

export interface DeviceSources {
  claims: DeviceClaims
  selector: DeviceSelector
}

/** As many as may share one allocation. */
const maxConsumers = 256

/** Claims that exist and are the pod's to use, or why it has to wait. */
export function claimsOf(
  { pod, key, deviceClaims }: PodFacts,
  claims: DeviceClaims,
): ResourceV1ResourceClaim[] | string {
  const found: ResourceV1ResourceClaim[] = []
  for (const { key: claimKey, generated } of deviceClaims) {
    if (claimKey === undefined) return `pod ${JSON.stringify(key)}: ResourceClaim not created yet`
    const claim = claims.get(claimKey)
    if (claim === undefined) return `could not find resource claim ${JSON.stringify(claimKey)}`
    if (claim.metadata.deletionTimestamp !== undefined)
      return `resourceclaim ${JSON.stringify(claim.metadata.name)} is being deleted`
    const owned = claim.metadata.ownerReferences?.some(
      ({ controller, uid }) => controller === true && uid === pod.metadata.uid,
    )
    if (generated && owned !== true)
      return `ResourceClaim ${claimKey} was not created for Pod ${key} (Pod is not owner)`
    found.push(claim)
  }
  return found
}

export const isAllocated = ({ status }: ResourceV1ResourceClaim): boolean => status?.allocation !== undefined

export const isReservedFor = ({ status }: ResourceV1ResourceClaim, uid: string): boolean =>
  status?.reservedFor?.some((consumer) => consumer.uid === uid) === true

/** Why none of the nodes would do. */
export function whyImpossible(
  uid: string,
  found: readonly ResourceV1ResourceClaim[],
  claims: DeviceClaims,
): string | undefined {
  for (const claim of found) {
    const key = objectKey(claim)
    if (claims.isPending(key)) return `resource claim ${key} is in the process of being allocated`
    if (isAllocated(claim)) {
      const isFull = (claim.status?.reservedFor ?? []).length >= maxConsumers
      if (isFull && !isReservedFor(claim, uid)) return 'resourceclaim in use'
      continue
    }
    const unknown = classNamesOf(claim).find(([, name]) => claims.classOf(name) === undefined)
    if (unknown !== undefined) return `request ${unknown[0]}: device class ${unknown[1]} does not exist`
  }
  return undefined
}

/** In the order of the claims; undefined: not on this node. Throws SearchError, and errors of selectors. */
export function allocateClaims(
  claims: readonly ResourceV1ResourceClaim[],
  node: Node,
  { claims: known, selector }: DeviceSources,
  usage: DeviceUsage,
): ResourceV1AllocationResult[] | undefined {
  const chosen = searchDevices({
    node,
    pools: known.pools,
    usage,
    selector,
    claims: claims.map((claim) => ({
      key: objectKey(claim),
      requests: requestsOf(claim, (name) => {
        const found = known.classOf(name)
        if (found === undefined) throw new Error(`device class ${name} does not exist`)
        return found
      }),
      constraints: (claim.spec.devices?.constraints ?? []).map((constraint) => new Constraint(constraint)),
    })),
  })
  return chosen?.map((of, i) => allocationOf(claims[i] ?? neverClaim, of, node))
}

const neverClaim: ResourceV1ResourceClaim = {
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: {},
  spec: {},
}
