// Pure: the volume that answers a claim on a class of this provisioner: a folder on the disk of the node that uses it first.
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../../common/api/generated/types.ts'
import { localPathFolder, localPathProvisioner } from '../../../common/channel/local-path.ts'
import { classOf } from '../../../common/volumes/match.ts'
import { provisionedBy, selectedNode, storageProvisioner } from '../volume-binder/plan.ts'

export type ProvisionPlan =
  | { action: 'none' }
  /** The node that runs a pod with this claim is the one that needs the data. */
  | { action: 'select-node'; node: string }
  | { action: 'create'; volume: PersistentVolume }
  | { action: 'refuse'; message: string }

/** `users`: pods with this claim. */
export function planProvision(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass | undefined,
  users: readonly Pod[],
): ProvisionPlan {
  if (storageClass?.provisioner !== localPathProvisioner || (claim.spec?.volumeName ?? '') !== '')
    return { action: 'none' }
  if (claim.metadata.deletionTimestamp !== undefined) return { action: 'none' }
  const { annotations } = claim.metadata
  const node = annotations?.[selectedNode]
  if (node === undefined) {
    if (storageClass.volumeBindingMode !== 'WaitForFirstConsumer') {
      return annotations?.[storageProvisioner] === localPathProvisioner
        ? {
            action: 'refuse',
            message: 'no node was specified: the class must have volumeBindingMode WaitForFirstConsumer',
          }
        : { action: 'none' }
    }
    const user = users.find(({ spec }) => (spec?.nodeName ?? '') !== '')
    return user === undefined ? { action: 'none' } : { action: 'select-node', node: user.spec?.nodeName ?? '' }
  }
  if (annotations?.[storageProvisioner] !== localPathProvisioner) return { action: 'none' }
  if (claim.spec?.volumeMode === 'Block') return { action: 'refuse', message: 'block volumes are not supported' }
  return { action: 'create', volume: newVolume(claim, storageClass, node) }
}

function newVolume(claim: PersistentVolumeClaim, storageClass: StorageClass, node: string): PersistentVolume {
  const { namespace, name, uid = '' } = claim.metadata
  const volumeName = `pvc-${uid}`
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeName, annotations: { [provisionedBy]: localPathProvisioner } },
    spec: {
      capacity: { storage: claim.spec?.resources?.requests?.['storage'] ?? '0' },
      accessModes: claim.spec?.accessModes ?? [],
      volumeMode: 'Filesystem',
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: classOf(claim),
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      hostPath: { path: `${localPathFolder}/${volumeName}`, type: 'DirectoryOrCreate' },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
          ],
        },
      },
    },
  }
}

export const isDisposable = ({ metadata, spec, status }: PersistentVolume): boolean =>
  metadata.annotations?.[provisionedBy] === localPathProvisioner &&
  metadata.deletionTimestamp === undefined &&
  spec?.persistentVolumeReclaimPolicy === 'Delete' &&
  status?.phase === 'Released'
