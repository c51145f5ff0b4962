// Binds claims to volumes and keeps the phases of both. Volumes are made and removed by provisioners, not here.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimStatus,
  PersistentVolumeStatus,
} from '../../../common/api/generated/types.ts'
import { createController, mapChanges, needs } from '../../../common/client/controller.ts'
import { persistentVolumeClaims, persistentVolumes, pods, storageClasses } from '../../../common/client/resources.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byClaim, podClaims } from '../volumes/pod-claims.ts'
import { classOf } from '../../../common/volumes/match.ts'
import {
  betaStorageProvisioner,
  boundClaim,
  boundVolume,
  planClaim,
  planVolume,
  storageProvisioner,
  unboundVolume,
} from './plan.ts'

const claimKey = 'claim:'
const volumeKey = 'volume:'
const keyOfClaim = (claim: PersistentVolumeClaim): string => claimKey + objectKey(claim)

export const newVolumeBinder: ControllerFactory = (deps) => {
  const name = 'persistentvolume-binder'
  const client = deps.client(name)
  const events = deps.events('persistentvolume-controller')
  const claimInformer = deps.informers.of(persistentVolumeClaims)
  const volumeInformer = deps.informers.of(persistentVolumes)
  const classInformer = deps.informers.of(storageClasses)
  const podInformer = deps.informers.of(pods, { [byClaim]: podClaims })

  async function reconcileClaim(key: string): Promise<void> {
    const claim = claimInformer.get(key)
    if (claim === undefined) return
    const plan = planClaim(claim, {
      volumes: volumeInformer.list(),
      volume: (volumeName) => volumeInformer.get(volumeName),
      storageClass: (className) => classInformer.get(className),
      storageClasses: classInformer.list(),
      waitingPods: podInformer
        .byIndex(byClaim, key)
        .filter(({ spec }) => (spec?.nodeName ?? '') === '')
        .map(({ metadata }) => metadata.name ?? ''),
    })
    if (plan.action === 'bind') {
      await bind(claim, plan.volume)
      return
    }
    if (plan.action === 'classify') {
      const { className } = plan
      await client.update(persistentVolumeClaims, { ...claim, spec: { ...claim.spec, storageClassName: className } })
      return
    }
    if (plan.notice !== undefined) events.event(claim, plan.notice.type, plan.notice.reason, plan.notice.message)
    if (plan.action === 'provision') await askFor(claim, plan.provisioner)
    else await writeClaimStatus(claim, { phase: plan.action === 'lost' ? 'Lost' : 'Pending' })
  }

  /** Each step is done when it is missing, so that a crash between them is mended by the next turn. */
  async function bind(claim: PersistentVolumeClaim, found: PersistentVolume): Promise<void> {
    let volume = boundVolume(found, claim)
    if (volume !== found) volume = await client.update(persistentVolumes, volume)
    await writeVolumeStatus(volume, 'Bound')
    let bound = boundClaim(claim, volume)
    if (bound !== claim) bound = await client.update(persistentVolumeClaims, bound)
    await writeClaimStatus(bound, {
      phase: 'Bound',
      accessModes: volume.spec?.accessModes,
      capacity: volume.spec?.capacity,
    })
  }

  async function askFor(claim: PersistentVolumeClaim, provisioner: string): Promise<void> {
    if (claim.metadata.annotations?.[storageProvisioner] === provisioner) return
    const { name: claimName = '', namespace, resourceVersion, uid } = claim.metadata
    await client.patch(persistentVolumeClaims, { name: claimName, namespace }, 'application/merge-patch+json', {
      metadata: {
        uid,
        resourceVersion,
        annotations: { [storageProvisioner]: provisioner, [betaStorageProvisioner]: provisioner },
      },
    })
  }

  async function writeClaimStatus(
    claim: PersistentVolumeClaim,
    own: Pick<PersistentVolumeClaimStatus, 'phase' | 'accessModes' | 'capacity'>,
  ): Promise<void> {
    const { accessModes: _modes, capacity: _capacity, ...rest } = claim.status ?? {}
    // A volume that grew is told by whoever let it grow; the claim keeps what it was told.
    const capacity = claim.status?.phase === 'Bound' && own.phase === 'Bound' ? claim.status.capacity : own.capacity
    const status = {
      ...rest,
      phase: own.phase,
      ...(own.accessModes === undefined ? {} : { accessModes: own.accessModes }),
      ...(capacity === undefined ? {} : { capacity }),
    }
    if (canonicalJson(status) !== canonicalJson(claim.status ?? {}))
      await client.updateStatus(persistentVolumeClaims, { ...claim, status })
  }

  async function writeVolumeStatus(volume: PersistentVolume, phase: string, message?: string): Promise<void> {
    if (volume.status?.phase === phase) return
    const lastPhaseTransitionTime = formatTime(deps.clock.now())
    const status: PersistentVolumeStatus = {
      phase,
      lastPhaseTransitionTime,
      ...(message === undefined ? {} : { message }),
    }
    await client.updateStatus(persistentVolumes, { ...volume, status })
  }

  async function reconcileVolume(key: string): Promise<void> {
    const volume = volumeInformer.get(key)
    if (volume === undefined) return
    const plan = planVolume(volume, await claimOf(volume))
    if (plan.notice !== undefined) events.event(volume, plan.notice.type, plan.notice.reason, plan.notice.message)
    if (plan.remove === true) {
      const { uid, resourceVersion } = volume.metadata
      await client.delete(persistentVolumes, key, undefined, { preconditions: { uid, resourceVersion } })
      return
    }
    const current = plan.unbind === true ? await client.update(persistentVolumes, unboundVolume(volume)) : volume
    if (plan.phase !== undefined) await writeVolumeStatus(current, plan.phase, plan.message)
  }

  /** Before data is given up the server is asked, not the cache. */
  async function claimOf({ spec }: PersistentVolume): Promise<PersistentVolumeClaim | undefined> {
    const { namespace, name: claimName = '', uid = '' } = spec?.claimRef ?? {}
    if (uid === '') return undefined
    const cached = claimInformer.get(`${namespace ?? ''}/${claimName}`)
    if (cached?.metadata.uid === uid) return cached
    const live = await client.get(persistentVolumeClaims, claimName, namespace).catch((error: unknown) => {
      if (isReason(error, 'NotFound')) return undefined
      throw error
    })
    return live?.metadata.uid === uid ? live : undefined
  }

  return createController({
    name,
    workers: 2,
    sources: [
      mapChanges(claimInformer, (claim) => {
        const { volumeName = '' } = claim.spec ?? {}
        return volumeName === '' ? [keyOfClaim(claim)] : [keyOfClaim(claim), volumeKey + volumeName]
      }),
      mapChanges(volumeInformer, (volume) => {
        const keys = [volumeKey + (volume.metadata.name ?? '')]
        const { namespace = '', name: claimName = '' } = volume.spec?.claimRef ?? {}
        if (claimName !== '') return [...keys, `${claimKey}${namespace}/${claimName}`]
        // Free: any claim that waits may want it.
        return [...keys, ...openClaims(() => true)]
      }),
      mapChanges(classInformer, (changed) =>
        openClaims((claim) => [changed.metadata.name, ''].includes(classOf(claim))),
      ),
      // What a claim waits for is said in its events; who waits for it changes them.
      mapChanges(podInformer, (pod, old) =>
        old === undefined ? [...podClaims(pod)].filter(isOpen).map((key) => claimKey + key) : [],
      ),
      needs(podInformer),
    ],
    reconcile: (key) =>
      key.startsWith(claimKey)
        ? reconcileClaim(key.slice(claimKey.length))
        : reconcileVolume(key.slice(volumeKey.length)),
    logger: deps.logger,
    clock: deps.clock,
  })

  function isOpen(key: string): boolean {
    return claimInformer.get(key)?.status?.phase === 'Pending'
  }

  function openClaims(concerns: (claim: PersistentVolumeClaim) => boolean): string[] {
    return claimInformer
      .list()
      .filter((claim) => claim.status?.phase === 'Pending' && concerns(claim))
      .map(keyOfClaim)
  }
}
