// Makes volumes for claims on storage classes of lab.orrery.dev/local-path, and removes those that were released.
import type { PersistentVolumeClaim } from '../../../common/api/generated/types.ts'
import { localPathProvisioner } from '../../../common/channel/local-path.ts'
import { createController, mapChanges } from '../../../common/client/controller.ts'
import { persistentVolumeClaims, persistentVolumes, pods, storageClasses } from '../../../common/client/resources.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { tolerate } from '../runtime/tolerate.ts'
import { classOf } from '../../../common/volumes/match.ts'
import { selectedNode } from '../volume-binder/plan.ts'
import { byClaim, podClaims } from '../volumes/pod-claims.ts'
import { isDisposable, planProvision } from './plan.ts'

const claimKey = 'claim:'
const volumeKey = 'volume:'

export const newLocalPathProvisioner: ControllerFactory = (deps) => {
  const name = 'local-path-provisioner'
  const client = deps.client(name)
  const events = deps.events(localPathProvisioner)
  const claimInformer = deps.informers.of(persistentVolumeClaims)
  const volumeInformer = deps.informers.of(persistentVolumes)
  const classInformer = deps.informers.of(storageClasses)
  const podInformer = deps.informers.of(pods, { [byClaim]: podClaims })

  async function reconcileClaim(key: string): Promise<void> {
    const claim = claimInformer.get(key)
    if (claim === undefined) return
    const plan = planProvision(claim, classInformer.get(classOf(claim)), podInformer.byIndex(byClaim, key))
    if (plan.action === 'select-node') await selectNode(claim, plan.node)
    else if (plan.action === 'refuse') events.event(claim, 'Warning', 'ProvisioningFailed', plan.message)
    else if (plan.action === 'create') {
      const volumeName = plan.volume.metadata.name ?? ''
      if (volumeInformer.get(volumeName) !== undefined) return
      try {
        await client.create(persistentVolumes, plan.volume)
        events.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volumeName}`)
      } catch (error) {
        if (!isReason(error, 'AlreadyExists')) throw error
      }
    }
  }

  async function selectNode(claim: PersistentVolumeClaim, node: string): Promise<void> {
    const { name: claimName = '', namespace, uid, resourceVersion } = claim.metadata
    const target = { name: claimName, namespace }
    await client.patch(persistentVolumeClaims, target, 'application/merge-patch+json', {
      metadata: { uid, resourceVersion, annotations: { [selectedNode]: node } },
    })
  }

  async function reconcileVolume(key: string): Promise<void> {
    const volume = volumeInformer.get(key)
    if (volume === undefined || !isDisposable(volume)) return
    const { uid, resourceVersion } = volume.metadata
    await client
      .delete(persistentVolumes, key, undefined, { preconditions: { uid, resourceVersion } })
      .catch(tolerate('NotFound'))
  }

  return createController({
    name,
    sources: [
      mapChanges(claimInformer, (claim) => [claimKey + objectKey(claim)]),
      mapChanges(volumeInformer, ({ metadata }) => [volumeKey + (metadata.name ?? '')]),
      mapChanges(classInformer, ({ metadata }) =>
        claimInformer
          .list()
          .filter((claim) => classOf(claim) === metadata.name)
          .map((claim) => claimKey + objectKey(claim)),
      ),
      mapChanges(podInformer, (pod, old) =>
        old === undefined || old.spec?.nodeName !== pod.spec?.nodeName
          ? podClaims(pod).map((key) => claimKey + key)
          : [],
      ),
    ],
    reconcile: (key) =>
      key.startsWith(claimKey)
        ? reconcileClaim(key.slice(claimKey.length))
        : reconcileVolume(key.slice(volumeKey.length)),
    logger: deps.logger,
    clock: deps.clock,
  })
}
