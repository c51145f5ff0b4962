// Three controllers: a claim that is deleted stays until no pod uses it, a volume until no claim is bound to it, a class of attributes
// until no volume or claim has it.
import type { KubeClient, ResourceRef } from '../../../common/client/client.ts'
import { mapChanges } from '../../../common/client/controller.ts'
import {
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  volumeAttributesClasses,
} from '../../../common/client/resources.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { createPerObjectController } from '../runtime/per-object.ts'
import { tolerate } from '../runtime/tolerate.ts'
import { byClaim, podClaims } from '../volumes/pod-claims.ts'
import {
  attributesProtection,
  claimProtection,
  classesOfClaim,
  classesOfVolume,
  isClaimInUse,
  isVolumeInUse,
  planProtection,
  volumeProtection,
} from './plan.ts'

const byClass = 'volumeAttributesClass'

export const newClaimProtectionController: ControllerFactory = (deps) => {
  const name = 'pvc-protection-controller'
  const client = deps.client(name)
  const podInformer = deps.informers.of(pods, { [byClaim]: podClaims })
  return createPerObjectController(deps, {
    name,
    resource: persistentVolumeClaims,
    also: [mapChanges(podInformer, (pod, _old, change) => (change === 'delete' ? podClaims(pod) : []))],
    async reconcile(claim, key) {
      const inUse = isClaimInUse(claim, podInformer.byIndex(byClaim, key))
      await protect(client, persistentVolumeClaims, claim, planProtection(claim, claimProtection, inUse))
    },
  })
}

export const newVolumeProtectionController: ControllerFactory = (deps) => {
  const name = 'pv-protection-controller'
  const client = deps.client(name)
  return createPerObjectController(deps, {
    name,
    resource: persistentVolumes,
    reconcile: (volume) =>
      protect(client, persistentVolumes, volume, planProtection(volume, volumeProtection, isVolumeInUse(volume))),
  })
}

export const newAttributesClassProtectionController: ControllerFactory = (deps) => {
  const name = 'volumeattributesclass-protection-controller'
  const client = deps.client(name)
  const claimInformer = deps.informers.of(persistentVolumeClaims, { [byClass]: classesOfClaim })
  const volumeInformer = deps.informers.of(persistentVolumes, { [byClass]: classesOfVolume })
  return createPerObjectController(deps, {
    name,
    resource: volumeAttributesClasses,
    also: [
      mapChanges(claimInformer, (claim, old) =>
        (old === undefined ? [] : classesOfClaim(old)).concat(classesOfClaim(claim)),
      ),
      mapChanges(volumeInformer, (volume, old) =>
        (old === undefined ? [] : classesOfVolume(old)).concat(classesOfVolume(volume)),
      ),
    ],
    reconcile: (attributes, key) => {
      const inUse = claimInformer.byIndex(byClass, key).length + volumeInformer.byIndex(byClass, key).length > 0
      return protect(
        client,
        volumeAttributesClasses,
        attributes,
        planProtection(attributes, attributesProtection, inUse),
      )
    },
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
  await client
    .patch(ref, { name, namespace }, 'application/merge-patch+json', { metadata: { uid, resourceVersion, finalizers } })
    .catch(tolerate('NotFound'))
}
