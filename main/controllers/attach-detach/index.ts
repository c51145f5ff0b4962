// Asks CSI drivers, through VolumeAttachments, to attach volumes to the nodes whose pods use them, and to detach them afterwards. The
// driver's own attacher does it and says so in their status.
import type { AttachedVolume, PersistentVolume, Pod, VolumeAttachment } from '../../../common/api/generated/types.ts'
import { createController, mapChanges, needs, requeueAfter } from '../../../common/client/controller.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import {
  csiDrivers,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  volumeAttachments,
} from '../../../common/client/resources.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { tolerate } from '../runtime/tolerate.ts'
import { byClaim, podClaims } from '../volumes/pod-claims.ts'
import { planAttachment, unmountPatienceMs } from './plan.ts'

const byVolume = 'volume'
const keyOf = (nodeName: string, volume: string): string => `${nodeName} ${volume}`
const volumeOf = ({ spec }: VolumeAttachment): string => spec.source.persistentVolumeName ?? ''

export const newAttachDetachController: ControllerFactory = (deps) => {
  const name = 'attachdetach-controller'
  const client = deps.client(name)
  const events = deps.events(name)
  const podInformer = deps.informers.of(pods, { [byClaim]: podClaims })
  const claimInformer = deps.informers.of(persistentVolumeClaims)
  const volumeInformer = deps.informers.of(persistentVolumes)
  const nodeInformer = deps.informers.of(nodes)
  const driverInformer = deps.informers.of(csiDrivers)
  const attachmentInformer = deps.informers.of(volumeAttachments, { [byVolume]: (each) => [volumeOf(each)] })
  /** Since when a node holds on to a volume that nobody uses. */
  const unmounting = new Map<string, number>()

  async function reconcile(key: string): Promise<ReconcileResult> {
    const [nodeName = '', volumeName = ''] = key.split(' ')
    const volume = volumeInformer.get(volumeName)
    if (volume?.spec?.csi === undefined) return
    const users = usersOf(volume).filter(({ spec }) => spec?.nodeName === nodeName)
    const node = nodeInformer.get(nodeName)
    const plan = planAttachment(volume, nodeName, {
      node,
      driver: driverInformer.get(volume.spec.csi.driver),
      users,
      attachments: attachmentInformer.byIndex(byVolume, volumeName),
    })
    const since = unmounting.get(key) ?? deps.clock.now()
    unmounting.delete(key)
    switch (plan.action) {
      case 'none':
        return
      case 'attach':
        await client.create(volumeAttachments, plan.attachment).catch(tolerate('AlreadyExists'))
        return
      case 'wait':
        report(users, 'Warning', 'FailedAttachVolume', multiAttach(volumeName))
        return
      case 'failed':
        report(
          users,
          'Warning',
          'FailedAttachVolume',
          `AttachVolume.Attach failed for volume "${volumeName}" : ${plan.message}`,
        )
        return
      case 'report':
        await writeAttached(nodeName, plan.volumesAttached)
        report(users, 'Normal', 'SuccessfulAttachVolume', `AttachVolume.Attach succeeded for volume "${volumeName}" `)
        return
      case 'unmounting': {
        const leftMs = since + unmountPatienceMs - deps.clock.now()
        if (leftMs > 0) {
          unmounting.set(key, since)
          return requeueAfter(leftMs)
        }
        const attachment = attachmentInformer
          .byIndex(byVolume, volumeName)
          .find(({ spec }) => spec.nodeName === nodeName)
        if (attachment !== undefined) await detach(attachment)
        return
      }
      case 'detach':
        if (plan.volumesAttached !== undefined) await writeAttached(nodeName, plan.volumesAttached)
        await detach(plan.attachment)
    }
  }

  const multiAttach = (volume: string): string =>
    `Multi-Attach error for volume "${volume}" Volume is already exclusively attached to one node and can't be attached to another`

  function usersOf({ metadata, spec }: PersistentVolume): readonly Pod[] {
    const { namespace = '', name: claimName = '' } = spec?.claimRef ?? {}
    const claim = claimInformer.get(`${namespace}/${claimName}`)
    return claim?.spec?.volumeName === metadata.name ? podInformer.byIndex(byClaim, `${namespace}/${claimName}`) : []
  }

  async function writeAttached(nodeName: string, volumesAttached: AttachedVolume[]): Promise<void> {
    await client
      .patch(nodes, { name: nodeName, subresource: 'status' }, 'application/merge-patch+json', {
        status: { volumesAttached },
      })
      .catch(tolerate('NotFound'))
  }

  async function detach({ metadata: { name: attachmentName = '', uid } }: VolumeAttachment): Promise<void> {
    await client
      .delete(volumeAttachments, attachmentName, undefined, { preconditions: { uid } })
      .catch(tolerate('NotFound'))
  }

  function report(users: readonly Pod[], type: 'Normal' | 'Warning', reason: string, message: string): void {
    for (const pod of users) events.event(pod, type, reason, message)
  }

  /** The volumes that a pod's claims are bound to, on the pod's node. */
  function keysOfPod(pod: Pod): string[] {
    const nodeName = pod.spec?.nodeName ?? ''
    if (nodeName === '') return []
    return podClaims(pod).flatMap((claim) => {
      const volume = claimInformer.get(claim)?.spec?.volumeName ?? ''
      return volume === '' ? [] : [keyOf(nodeName, volume)]
    })
  }

  /** A volume that has become free of one node may be wanted by another. */
  function keysOfVolume(volumeName: string): string[] {
    const volume = volumeInformer.get(volumeName)
    const attached = attachmentInformer
      .byIndex(byVolume, volumeName)
      .map(({ spec }) => keyOf(spec.nodeName, volumeName))
    return volume === undefined ? attached : [...attached, ...usersOf(volume).flatMap(keysOfPod)]
  }

  return createController({
    name,
    workers: 4,
    sources: [
      mapChanges(podInformer, (pod, old) =>
        old !== undefined && old.spec?.nodeName === pod.spec?.nodeName && old.status?.phase === pod.status?.phase
          ? []
          : keysOfPod(pod),
      ),
      mapChanges(claimInformer, (claim, old) =>
        old?.spec?.volumeName === claim.spec?.volumeName
          ? []
          : podInformer.byIndex(byClaim, objectKey(claim)).flatMap(keysOfPod),
      ),
      mapChanges(volumeInformer, ({ metadata }, old) => (old === undefined ? keysOfVolume(metadata.name ?? '') : [])),
      mapChanges(attachmentInformer, (attachment) => [
        keyOf(attachment.spec.nodeName, volumeOf(attachment)),
        ...keysOfVolume(volumeOf(attachment)),
      ]),
      mapChanges(nodeInformer, (node, old) =>
        old !== undefined && String(old.status?.volumesInUse ?? []) === String(node.status?.volumesInUse ?? [])
          ? []
          : attachmentInformer
              .list()
              .filter(({ spec }) => spec.nodeName === node.metadata.name)
              .map((attachment) => keyOf(attachment.spec.nodeName, volumeOf(attachment))),
      ),
      needs(driverInformer),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
