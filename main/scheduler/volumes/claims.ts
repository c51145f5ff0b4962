// Pure: the claims of a pod and what state they are in.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  Pod,
  StorageClass,
} from '../../../common/api/generated/types.ts'
import { controllerOf } from '../../controllers/ownership/controller-of.ts'

export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node'
const bindCompletedAnnotation = 'pv.kubernetes.io/bind-completed'

/** What the scheduler knows about storage. */
export interface VolumeSources {
  claim(key: string): PersistentVolumeClaim | undefined
  volume(name: string): PersistentVolume | undefined
  volumes(): readonly PersistentVolume[]
  storageClass(name: string): StorageClass | undefined
  csiNode(name: string): CSINode | undefined
  csiDriver(name: string): CSIDriver | undefined
  storageCapacities(): readonly CSIStorageCapacity[]
}

export interface PodClaim {
  /** "namespace/name" */
  key: string
  name: string
  /** Made for this pod alone. */
  ephemeral: boolean
}

export function claimsOfPod({ metadata, spec }: Pod): PodClaim[] {
  const { namespace = '', name: podName = '' } = metadata
  return (spec?.volumes ?? []).flatMap(({ name: volume, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim === undefined && ephemeral === undefined) return []
    const name = persistentVolumeClaim?.claimName ?? `${podName}-${volume}`
    return [{ key: `${namespace}/${name}`, name, ephemeral: ephemeral !== undefined }]
  })
}

export const isBound = (claim: PersistentVolumeClaim): boolean =>
  (claim.spec?.volumeName ?? '') !== '' && claim.metadata.annotations?.[bindCompletedAnnotation] !== undefined

/** Waits for its first consumer to be placed before it is bound. */
function isDelayed(claim: PersistentVolumeClaim, sources: VolumeSources): boolean {
  const storageClass = sources.storageClass(claim.spec?.storageClassName ?? '')
  return storageClass?.volumeBindingMode === 'WaitForFirstConsumer' && (claim.spec?.volumeName ?? '') === ''
}

export interface ClaimStates {
  bound: PersistentVolumeClaim[]
  /** To be bound where the pod goes. */
  delayed: PersistentVolumeClaim[]
}

/** The reason as a text when the pod cannot be placed anywhere now. */
export function statesOf(pod: Pod, claims: readonly PodClaim[], sources: VolumeSources): ClaimStates | string {
  const states: ClaimStates = { bound: [], delayed: [] }
  let immediate = false
  for (const { key, name, ephemeral } of claims) {
    const claim = sources.claim(key)
    if (claim === undefined) {
      return ephemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
        : `persistentvolumeclaim "${name}" not found`
    }
    if (claim.status?.phase === 'Lost') {
      const volume = claim.spec?.volumeName ?? ''
      return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${volume}"`
    }
    if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${name}" is being deleted`
    if (ephemeral && controllerOf(claim)?.uid !== pod.metadata.uid) {
      const podKey = `${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`
      return `PVC ${key} was not created for pod ${podKey} (pod is not owner)`
    }
    if (isBound(claim)) states.bound.push(claim)
    else if (isDelayed(claim, sources)) states.delayed.push(claim)
    else immediate = true
  }
  return immediate ? 'pod has unbound immediate PersistentVolumeClaims' : states
}
