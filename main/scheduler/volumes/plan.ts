// Pure: whether a pod's claims can be satisfied on a node, and by what: volumes that exist, or new ones made there.
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../../common/api/generated/types.ts'
import { quantityToBytes } from '../../../common/machinery/quantity.ts'
import { findMatch } from '../../../common/volumes/match.ts'
import { compileTerm } from '../state/node-selection.ts'
import { hasRoomFor } from './capacity.ts'
import type { ClaimStates, VolumeSources } from './claims.ts'
import { selectedNodeAnnotation } from './claims.ts'

export const nodeConflict = "node(s) didn't match PersistentVolume's node affinity"
export const bindConflict = "node(s) didn't find available persistent volumes to bind"
export const notEnoughSpace = 'node(s) did not have enough free storage'
export const missingVolume = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'

export interface VolumePlan {
  bind: { volume: PersistentVolume; claim: PersistentVolumeClaim }[]
  provision: PersistentVolumeClaim[]
}

export interface VolumePlanFacts {
  node: Node
  states: ClaimStates
  sources: VolumeSources
  /** Volumes that pods placed a moment ago are getting. */
  isTaken: (volume: PersistentVolume, claim: PersistentVolumeClaim) => boolean
}

/** The plan, or the reasons why the node is not possible. */
export function planVolumes({ node, states, sources, isTaken }: VolumePlanFacts): VolumePlan | string[] {
  const reasons: string[] = []
  for (const claim of states.bound) {
    const volume = sources.volume(claim.spec?.volumeName ?? '')
    if (volume === undefined) reasons.push(missingVolume)
    else if (!reaches(volume, node)) reasons.push(nodeConflict)
  }
  const plan: VolumePlan = { bind: [], provision: [] }
  // The smallest first, so that it does not take a volume that only a larger one needs.
  const bySize = [...states.delayed].sort((a, b) => sizeOf(a) - sizeOf(b))
  for (const claim of bySize) {
    const selected = claim.metadata.annotations?.[selectedNodeAnnotation]
    if (selected !== undefined && selected !== node.metadata.name) return [...new Set([...reasons, bindConflict])]
    const isUsable = (volume: PersistentVolume): boolean =>
      volume.metadata.deletionTimestamp === undefined &&
      !isTaken(volume, claim) &&
      !plan.bind.some((chosen) => chosen.volume === volume) &&
      reaches(volume, node)
    const volume = selected === undefined ? findMatch(claim, sources.volumes(), { isUsable }) : undefined
    const storageClass = sources.storageClass(claim.spec?.storageClassName ?? '')
    if (volume !== undefined) plan.bind.push({ volume, claim })
    else if (storageClass === undefined || !canProvision(storageClass, node)) reasons.push(bindConflict)
    else if (hasRoomFor(claim, storageClass, node, sources)) plan.provision.push(claim)
    else reasons.push(notEnoughSpace)
  }
  return reasons.length === 0 ? plan : [...new Set(reasons)]
}

const sizeOf = (claim: PersistentVolumeClaim): number =>
  quantityToBytes(claim.spec?.resources?.requests?.['storage'] ?? 0)

/** Whether the volume can be used on the node. */
export function reaches(volume: PersistentVolume, node: Node): boolean {
  const required = volume.spec?.nodeAffinity?.required
  return required === undefined || required.nodeSelectorTerms.some((term) => compileTerm(term)(node))
}

function canProvision({ provisioner, allowedTopologies = [] }: StorageClass, node: Node): boolean {
  if (provisioner === '' || provisioner === 'kubernetes.io/no-provisioner') return false
  const labels = node.metadata.labels ?? {}
  return (
    allowedTopologies.length === 0 ||
    allowedTopologies.some(({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.every(({ key, values }) => values.includes(labels[key] ?? '')),
    )
  )
}
