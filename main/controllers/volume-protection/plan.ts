// Pure: the finalizers that keep storage from vanishing under its users.
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { ephemeralClaimName } from '../volumes/pod-claims.ts'

export const claimProtection = 'kubernetes.io/pvc-protection'
export const attributesProtection = 'kubernetes.io/vac-protection'
export const volumeProtection = 'kubernetes.io/pv-protection'

/** The finalizers the object should have; undefined when it has them. */
export function planProtection(object: KubeObject, finalizer: string, inUse: boolean): string[] | undefined {
  const finalizers = object.metadata.finalizers ?? []
  const has = finalizers.includes(finalizer)
  if (object.metadata.deletionTimestamp === undefined) return has ? undefined : [...finalizers, finalizer]
  return has && !inUse ? finalizers.filter((other) => other !== finalizer) : undefined
}

/** Names of the classes that a volume or claim has, had before or is to get. */
export const classesOfVolume = ({ spec }: PersistentVolume): string[] => named(spec?.volumeAttributesClassName)
export const classesOfClaim = ({ spec, status }: PersistentVolumeClaim): string[] =>
  named(
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  )

const named = (...names: (string | undefined)[]): string[] => [
  ...new Set(names.filter((name): name is string => name !== undefined && name !== '')),
]

export const isVolumeInUse = ({ status }: PersistentVolume): boolean => status?.phase === 'Bound'

/** Only pods with a node count: no node starts a pod whose claim is being deleted. Ended pods count until they are deleted. */
export function isClaimInUse(claim: PersistentVolumeClaim, pods: readonly Pod[]): boolean {
  const { name = '', ownerReferences = [] } = claim.metadata
  return pods.some(({ metadata, spec }) => {
    if ((spec?.nodeName ?? '') === '') return false
    return (spec?.volumes ?? []).some(
      (volume) =>
        volume.persistentVolumeClaim?.claimName === name ||
        (volume.ephemeral !== undefined &&
          ephemeralClaimName(metadata.name ?? '', volume.name) === name &&
          ownerReferences.some(({ uid }) => uid === metadata.uid)),
    )
  })
}
