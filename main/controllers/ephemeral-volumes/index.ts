// Makes the claims of pods' generic ephemeral volumes. They belong to their pod and go with it.
import type { PersistentVolumeClaim, Pod, Volume } from '../../../common/api/generated/types.ts'
import { createController, keysOf, mapChanges } from '../../../common/client/controller.ts'
import { persistentVolumeClaims, pods } from '../../../common/client/resources.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { controllerReference } from '../ownership/controller-of.ts'
import { isNamespaceTerminating } from '../pods/pod-control.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byClaim, ephemeralClaimName, podClaims } from '../volumes/pod-claims.ts'

export const newEphemeralVolumeController: ControllerFactory = (deps) => {
  const name = 'ephemeral-volume-controller'
  const client = deps.client(name)
  const events = deps.events('ephemeral_volume')
  const podInformer = deps.informers.of(pods, { [byClaim]: podClaims })
  const claimInformer = deps.informers.of(persistentVolumeClaims)

  async function reconcile(key: string): Promise<void> {
    const pod = podInformer.get(key)
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return
    for (const volume of pod.spec?.volumes ?? []) {
      if (volume.ephemeral === undefined) continue
      try {
        await ensureClaim(pod, volume)
      } catch (error) {
        if (isNamespaceTerminating(error)) return
        const message = error instanceof Error ? error.message : String(error)
        events.event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume.name}: ${message}`)
        throw error
      }
    }
  }

  async function ensureClaim(pod: Pod, volume: Volume): Promise<void> {
    const wanted = claimFor(pod, volume)
    const { name: claimName = '', namespace = '' } = wanted.metadata
    const present =
      claimInformer.get(`${namespace}/${claimName}`) ??
      (await client.create(persistentVolumeClaims, wanted).catch((error: unknown) => {
        if (isReason(error, 'AlreadyExists')) return client.get(persistentVolumeClaims, claimName, namespace)
        throw error
      }))
    if (present.metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid) !== true)
      throw new Error(
        `PVC ${namespace}/${claimName} was not created for pod ${namespace}/${pod.metadata.name ?? ''} (pod is not owner)`,
      )
  }

  return createController({
    name,
    sources: [
      keysOf(podInformer, (pod) => (pod.spec?.volumes ?? []).some(({ ephemeral }) => ephemeral !== undefined)),
      mapChanges(claimInformer, (claim, _old, change) =>
        change === 'delete' ? podInformer.byIndex(byClaim, objectKey(claim)).map(objectKey) : [],
      ),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}

function claimFor(pod: Pod, { name, ephemeral }: Volume): PersistentVolumeClaim {
  const { metadata, spec } = ephemeral?.volumeClaimTemplate ?? {}
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: ephemeralClaimName(pod.metadata.name ?? '', name),
      namespace: pod.metadata.namespace,
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      ...(metadata?.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ownerReferences: [controllerReference({ ...pod, apiVersion: 'v1', kind: 'Pod' })],
    },
    spec,
  }
}
