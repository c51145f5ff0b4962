// Pure: whether a driver that tells how much it has left could still make a volume for a claim on a node.
import type { Node, PersistentVolumeClaim, StorageClass } from '../../../common/api/generated/types.ts'
import { matchesLabels, selectorFromObject } from '../../../common/machinery/labels.ts'
import { compareQuantities } from '../../../common/machinery/quantity.ts'
import type { VolumeSources } from './claims.ts'

export function hasRoomFor(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass,
  node: Node,
  sources: VolumeSources,
): boolean {
  const size = claim.spec?.resources?.requests?.['storage']
  if (size === undefined) return true
  // Only drivers that say so publish how much they have.
  if (sources.csiDriver(storageClass.provisioner)?.spec.storageCapacity !== true) return true
  return sources.storageCapacities().some((offer) => {
    const limit = offer.maximumVolumeSize ?? offer.capacity
    return (
      offer.storageClassName === storageClass.metadata.name &&
      limit !== undefined &&
      compareQuantities(limit, size) >= 0 &&
      offer.nodeTopology !== undefined &&
      matchesLabels(selectorFromObject(offer.nodeTopology), node.metadata.labels)
    )
  })
}
