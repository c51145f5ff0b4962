// Defaults of pod volumes, by source.
import type { DownwardAPIVolumeFile, Volume } from '../../../../common/api/generated/types.ts'
import { defaultPullPolicy } from './image-reference.ts'

/** 0644 */
const defaultFileMode = 420

export function setVolumeDefaults(volume: Volume): void {
  if (Object.keys(volume).every((field) => field === 'name')) volume.emptyDir = {}
  if (volume.secret !== undefined) volume.secret.defaultMode ??= defaultFileMode
  if (volume.configMap !== undefined) volume.configMap.defaultMode ??= defaultFileMode
  if (volume.downwardAPI !== undefined) {
    volume.downwardAPI.defaultMode ??= defaultFileMode
    setDownwardFileDefaults(volume.downwardAPI.items)
  }
  if (volume.projected !== undefined) {
    volume.projected.defaultMode ??= defaultFileMode
    for (const source of volume.projected.sources ?? []) {
      if (source.serviceAccountToken !== undefined) source.serviceAccountToken.expirationSeconds ??= 3600
      setDownwardFileDefaults(source.downwardAPI?.items)
    }
  }
  if (volume.hostPath !== undefined) volume.hostPath.type ??= ''
  if (volume.image !== undefined) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference ?? '')
  const claim = volume.ephemeral?.volumeClaimTemplate
  if (claim !== undefined) {
    claim.metadata ??= {}
    claim.spec.volumeMode ??= 'Filesystem'
  }
  setNetworkVolumeDefaults(volume)
}

function setDownwardFileDefaults(files: DownwardAPIVolumeFile[] | undefined): void {
  for (const { fieldRef, resourceFieldRef } of files ?? []) {
    if (fieldRef !== undefined) fieldRef.apiVersion ||= 'v1'
    if (resourceFieldRef !== undefined) resourceFieldRef.divisor ??= '0'
  }
}

/** Sources that no node of this program mounts, but whose objects must read as elsewhere. */
function setNetworkVolumeDefaults({ iscsi, rbd, azureDisk, scaleIO }: Volume): void {
  if (iscsi !== undefined) iscsi.iscsiInterface ||= 'default'
  if (rbd !== undefined) {
    rbd.pool ||= 'rbd'
    rbd.user ||= 'admin'
    rbd.keyring ||= '/etc/ceph/keyring'
  }
  if (azureDisk !== undefined) {
    azureDisk.cachingMode ??= 'ReadWrite'
    azureDisk.kind ??= 'Shared'
    azureDisk.fsType ??= 'ext4'
    azureDisk.readOnly ??= false
  }
  if (scaleIO !== undefined) {
    scaleIO.storageMode ||= 'ThinProvisioned'
    scaleIO.fsType ||= 'xfs'
  }
}
