// Pure: who owns a pod's claim under the set's persistentVolumeClaimRetentionPolicy. A claim owned by the set goes with the set, one
// owned by a pod that is being scaled away goes with the pod, and one without such an owner stays.
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../../../common/api/generated/types.ts'
import type { OwnerReference } from '../../../common/machinery/meta.ts'
import { controllerReference } from '../ownership/controller-of.ts'
import { isInRange } from './identity.ts'

/** The claim's owner references as they should be; undefined: they are so already. Only a pod that exists can become an owner. */
export function planClaimOwners(
  set: StatefulSet,
  ordinal: number,
  claim: PersistentVolumeClaim,
  pod?: Pod,
): OwnerReference[] | undefined {
  const present = claim.metadata.ownerReferences ?? []
  const mine = (reference: OwnerReference): boolean =>
    reference.uid === set.metadata.uid ||
    (reference.kind === 'Pod' && reference.name === `${set.metadata.name ?? ''}-${String(ordinal)}`)
  const others = present.filter((reference) => !mine(reference))
  // Another controller's claim is none of the set's business.
  if (others.some(({ controller }) => controller === true)) return undefined
  const owner = ownerOf(set, ordinal, pod)
  const wanted = owner === undefined ? [] : [controllerReference(owner)]
  const held = present.filter(mine)
  const same =
    held.length === wanted.length &&
    wanted.every((want) => held.some(({ uid, controller }) => uid === want.uid && controller === true))
  return same ? undefined : [...others, ...wanted]
}

function ownerOf(set: StatefulSet, ordinal: number, pod: Pod | undefined): StatefulSet | Pod | undefined {
  const { whenDeleted, whenScaled } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {}
  if (whenScaled === 'Delete' && !isInRange(set, ordinal)) return pod
  return whenDeleted === 'Delete' ? set : undefined
}

/** The claim belongs to an earlier pod of that name and will be deleted with it. */
export function isStaleClaim(claim: PersistentVolumeClaim | undefined, podName: string, podUid?: string): boolean {
  return (claim?.metadata.ownerReferences ?? []).some(
    ({ kind, name, uid }) => kind === 'Pod' && name === podName && uid !== podUid,
  )
}
