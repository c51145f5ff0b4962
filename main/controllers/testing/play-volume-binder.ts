// Plays the volume binder of a test: every claim is bound to a volume of its own at once.
import type { PersistentVolumeClaim } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { createInformer } from '../../../common/client/create-informer.ts'
import { persistentVolumeClaims, persistentVolumes } from '../../../common/client/resources.ts'
import { systemClock } from '../../../common/machinery/clock.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'

export function playVolumeBinder(client: KubeClient): { stop(): Promise<void> } {
  const informer = createInformer({
    client,
    resource: persistentVolumeClaims,
    logger: silentLogger,
    clock: systemClock,
  })
  const running = new Set<Promise<unknown>>()
  const bind = async ({ metadata, spec }: PersistentVolumeClaim): Promise<void> => {
    const { name = '', namespace = '', uid = '' } = metadata
    const volumeName = `pv-${uid}`
    await client.create(persistentVolumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volumeName },
      spec: {
        accessModes: spec?.accessModes ?? [],
        capacity: spec?.resources?.requests ?? {},
        hostPath: { path: `/${volumeName}` },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      },
    })
    await client.patch(persistentVolumeClaims, { name, namespace }, 'application/merge-patch+json', {
      metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
      spec: { volumeName },
    })
  }
  informer.subscribe({
    onAdd(claim) {
      // A claim that is deleted meanwhile needs no volume.
      const done = bind(claim)
        .catch(() => undefined)
        .finally(() => running.delete(done))
      running.add(done)
    },
  })
  informer.start()
  return {
    async stop() {
      informer.stop()
      await Promise.all(running)
    },
  }
}
