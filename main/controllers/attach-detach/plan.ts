// Pure: whether a volume of a CSI driver should be attached to a node, and what is missing for that.
import { createHash } from 'node:crypto'
import type {
  AttachedVolume,
  CSIDriver,
  Node,
  PersistentVolume,
  Pod,
  VolumeAttachment,
} from '../../../common/api/generated/types.ts'
import { isPodFinished } from '../pods/pod-state.ts'

/** A node's kubelet leaves attaching to controllers. */
export const managedAnnotation = 'volumes.kubernetes.io/controller-managed-attach-detach'
/** A volume that its node does not say to have unmounted is taken away after this long. */
export const unmountPatienceMs = 360_000

export interface AttachSurroundings {
  readonly node: Node | undefined
  readonly driver: CSIDriver | undefined
  /** Pods of the node that use the volume. */
  readonly users: readonly Pod[]
  /** Attachments of the volume, to any node. */
  readonly attachments: readonly VolumeAttachment[]
}

export type AttachPlan =
  | { readonly action: 'attach'; readonly attachment: VolumeAttachment }
  /** It may be on one node only, and is on another. */
  | { readonly action: 'wait'; readonly elsewhere: string }
  | { readonly action: 'report'; readonly volumesAttached: AttachedVolume[] }
  | { readonly action: 'failed'; readonly message: string }
  /** Nobody here uses it, but the node has not let go of it. */
  | { readonly action: 'unmounting' }
  /** The node is told first, then the attachment goes. */
  | {
      readonly action: 'detach'
      readonly attachment: VolumeAttachment
      readonly volumesAttached: AttachedVolume[] | undefined
    }
  | { readonly action: 'none' }

/** As kubelets call the volume in their node's status. */
export const uniqueName = ({ spec }: PersistentVolume): string =>
  `kubernetes.io/csi/${spec?.csi?.driver ?? ''}^${spec?.csi?.volumeHandle ?? ''}`

/** What external attachers and kubelets expect. */
export function attachmentName({ spec }: PersistentVolume, nodeName: string): string {
  const { volumeHandle = '', driver = '' } = spec?.csi ?? {}
  return `csi-${createHash('sha256').update(`${volumeHandle}${driver}${nodeName}`).digest('hex')}`
}

export function planAttachment(volume: PersistentVolume, nodeName: string, around: AttachSurroundings): AttachPlan {
  const { node, driver, users, attachments } = around
  const name = attachmentName(volume, nodeName)
  const attachment = attachments.find(({ metadata }) => metadata.name === name)
  const shown = node?.status?.volumesAttached ?? []
  const isShown = shown.some((each) => each.name === uniqueName(volume))
  const others = shown.filter((each) => each.name !== uniqueName(volume))
  const wanted =
    users.some((pod) => !isPodFinished(pod)) &&
    node?.metadata.annotations?.[managedAnnotation] === 'true' &&
    driver?.spec.attachRequired !== false
  if (!wanted) {
    if (attachment === undefined) return isShown ? { action: 'report', volumesAttached: others } : { action: 'none' }
    if (attachment.metadata.deletionTimestamp !== undefined) return { action: 'none' }
    if (node?.status?.volumesInUse?.includes(uniqueName(volume)) === true) return { action: 'unmounting' }
    return { action: 'detach', attachment, volumesAttached: isShown ? others : undefined }
  }
  if (attachment === undefined) {
    const elsewhere = isShared(volume) ? undefined : attachments.find(({ spec }) => spec.nodeName !== nodeName)
    return elsewhere === undefined
      ? { action: 'attach', attachment: newAttachment(volume, nodeName) }
      : { action: 'wait', elsewhere: elsewhere.spec.nodeName }
  }
  if (attachment.metadata.deletionTimestamp !== undefined) return { action: 'none' }
  if (attachment.status?.attached === true) {
    const own = { name: uniqueName(volume), devicePath: '' }
    return isShown ? { action: 'none' } : { action: 'report', volumesAttached: [...shown, own] }
  }
  const message = attachment.status?.attachError?.message
  return message === undefined ? { action: 'none' } : { action: 'failed', message }
}

/** Where the access modes are not known it may be that it is. */
function isShared({ spec }: PersistentVolume): boolean {
  const modes = spec?.accessModes ?? []
  return modes.length === 0 || modes.some((mode) => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany')
}

const newAttachment = (volume: PersistentVolume, nodeName: string): VolumeAttachment => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'VolumeAttachment',
  metadata: { name: attachmentName(volume, nodeName) },
  spec: {
    attacher: volume.spec?.csi?.driver ?? '',
    nodeName,
    source: { persistentVolumeName: volume.metadata.name ?? '' },
  },
})
