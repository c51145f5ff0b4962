// Two controllers: a claim that is deleted stays until no pod uses it, a volume until no claim is bound to it.
import type { KubeClient, ResourceRef } from '../../../common/client/client.ts'
import { createController, keysOf, mapChanges } from '../../../common/client/controller.ts'
import { persistentVolumeClaims, persistentVolumes, pods } from '../../../common/client/resources.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byClaim, podClaims } from '../volumes/pod-claims.ts'
import { claimProtection, isClaimInUse, isVolumeInUse, planProtection, volumeProtection } from './plan.ts'

export const newClaimProtectionController: ControllerFactory = (deps) => {
  const name = 'pvc-protection-controller'
  const client = deps.client(name)
  const claimInformer = deps.informers.of(persistentVolumeClaims)
  const podInformer = deps.informers.of(pods, { [byClaim]: podClaims })
  return createController({
    name,
    sources: [
      keysOf(claimInformer),
      mapChanges(podInformer, (pod, _old, change) => (change === 'delete' ? podClaims(pod) : [])),
    ],
    async reconcile(key) {
      const claim = claimInformer.get(key)
      if (claim === undefined) return
      const inUse = isClaimInUse(claim, podInformer.byIndex(byClaim, key))
      await protect(client, persistentVolumeClaims, claim, planProtection(claim, claimProtection, inUse))
    },
    logger: deps.logger,
    clock: deps.clock,
  })
}

export const newVolumeProtectionController: ControllerFactory = (deps) => {
  const name = 'pv-protection-controller'
  const client = deps.client(name)
  const informer = deps.informers.of(persistentVolumes)
  return createController({
    name,
    sources: [keysOf(informer)],
    async reconcile(key) {
      const volume = informer.get(key)
      if (volume === undefined) return
      await protect(client, persistentVolumes, volume, planProtection(volume, volumeProtection, isVolumeInUse(volume)))
    },
    logger: deps.logger,
    clock: deps.clock,
  })
}

async function protect<T extends KubeObject>(
  client: KubeClient,
  ref: ResourceRef<T>,
  object: T,
  finalizers: string[] | undefined,
): Promise<void> {
  if (finalizers === undefined) return
  const { name = '', namespace, uid, resourceVersion } = object.metadata
  try {
    await client.patch(ref, { name, namespace }, 'application/merge-patch+json', {
      metadata: { uid, resourceVersion, finalizers },
    })
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error
  }
}
