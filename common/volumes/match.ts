// Which PersistentVolume suits a claim: the one rule of the volume binder and of the scheduler.
import type { PersistentVolume, PersistentVolumeClaim } from '../api/generated/types.ts'
import { matchesLabels, selectorFromObject } from '../machinery/labels.ts'
import { compareQuantities } from '../machinery/quantity.ts'

const betaClass = 'volume.beta.kubernetes.io/storage-class'

export const classOf = ({ metadata, spec }: PersistentVolume | PersistentVolumeClaim): string =>
  metadata.annotations?.[betaClass] ?? spec?.storageClassName ?? ''

/** Why the volume cannot serve the claim; undefined when it can. In the words of upstream's events. */
export function mismatch(claim: PersistentVolumeClaim, volume: PersistentVolume): string | undefined {
  const wanted = claim.spec?.resources?.requests?.['storage'] ?? '0'
  if (compareQuantities(volume.spec?.capacity?.['storage'] ?? '0', wanted) < 0) return 'requested PV is too small'
  if (classOf(claim) !== classOf(volume)) return 'storageClassName does not match'
  if ((claim.spec?.volumeAttributesClassName ?? '') !== (volume.spec?.volumeAttributesClassName ?? ''))
    return 'volumeAttributesClassName does not match'
  if ((claim.spec?.volumeMode ?? 'Filesystem') !== (volume.spec?.volumeMode ?? 'Filesystem'))
    return 'incompatible volumeMode'
  if (!(claim.spec?.accessModes ?? []).every((mode) => volume.spec?.accessModes?.includes(mode) === true))
    return 'incompatible accessMode'
  return undefined
}

/** True when the volume's claimRef speaks of this claim; one without a UID was written by a person for a claim to come. */
export function isBoundTo({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const { namespace, name, uid = '' } = spec?.claimRef ?? {}
  return namespace === metadata.namespace && name === metadata.name && (uid === '' || uid === metadata.uid)
}

export interface MatchOptions {
  /** Take nothing but a volume that is reserved for the claim. */
  readonly reservedOnly?: boolean
  /** Volumes that come into question at all; default: all. */
  readonly isUsable?: (volume: PersistentVolume) => boolean
}

/** The volume reserved for the claim if there is one, else the smallest free one that suits. */
export function findMatch(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  { reservedOnly = false, isUsable = () => true }: MatchOptions = {},
): PersistentVolume | undefined {
  let best: PersistentVolume | undefined
  const selector = claim.spec?.selector === undefined ? undefined : selectorFromObject(claim.spec.selector)
  for (const volume of volumes) {
    if (mismatch(claim, volume) !== undefined || !isUsable(volume)) continue
    if (isBoundTo(volume, claim)) return volume
    if (reservedOnly || volume.spec?.claimRef !== undefined || volume.metadata.deletionTimestamp !== undefined) continue
    if (volume.status?.phase !== 'Available') continue
    if (selector !== undefined && !matchesLabels(selector, volume.metadata.labels)) continue
    if (best === undefined || compareQuantities(sizeOf(volume), sizeOf(best)) < 0) best = volume
  }
  return best
}

const sizeOf = ({ spec }: PersistentVolume) => spec?.capacity?.['storage'] ?? '0'
