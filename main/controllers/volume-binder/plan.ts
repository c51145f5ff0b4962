// Pure: what claims and volumes need next. The rules are those of upstream's persistent volume controller.
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../../common/api/generated/types.ts'
import { classOf, findMatch, isBoundTo, mismatch } from '../../../common/volumes/match.ts'

export const boundByController = 'pv.kubernetes.io/bound-by-controller'
export const bindCompleted = 'pv.kubernetes.io/bind-completed'
export const provisionedBy = 'pv.kubernetes.io/provisioned-by'
export const selectedNode = 'volume.kubernetes.io/selected-node'
export const storageProvisioner = 'volume.kubernetes.io/storage-provisioner'
export const betaStorageProvisioner = 'volume.beta.kubernetes.io/storage-provisioner'
const defaultMarks = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']
/** Whoever makes volumes by hand says so with this. */
const noProvisioner = 'kubernetes.io/no-provisioner'

export interface Notice {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
}

export type ClaimPlan =
  | { action: 'bind'; volume: PersistentVolume }
  /** Waits as Pending. */
  | { action: 'wait'; notice?: Notice }
  /** It asked for no class in particular, and now there is a default one. */
  | { action: 'classify'; className: string }
  /** Waits for this provisioner to make its volume. */
  | { action: 'provision'; provisioner: string; notice: Notice }
  | { action: 'lost'; notice: Notice }

export interface ClaimSurroundings {
  volumes: readonly PersistentVolume[]
  volume(name: string): PersistentVolume | undefined
  storageClass(name: string): StorageClass | undefined
  storageClasses: readonly StorageClass[]
  /** Names of the pods that use the claim and have no node yet. */
  waitingPods: readonly string[]
}

export function planClaim(claim: PersistentVolumeClaim, around: ClaimSurroundings): ClaimPlan {
  const name = claim.spec?.volumeName ?? ''
  if (claim.metadata.annotations?.[bindCompleted] !== undefined) return planBoundClaim(claim, name, around)
  return name === '' ? planOpenClaim(claim, around) : planNamedVolume(claim, around.volume(name))
}

function planOpenClaim(claim: PersistentVolumeClaim, around: ClaimSurroundings): ClaimPlan {
  const className = classOf(claim)
  const storageClass = className === '' ? undefined : around.storageClass(className)
  const delayed =
    storageClass?.volumeBindingMode === 'WaitForFirstConsumer' &&
    claim.metadata.annotations?.[selectedNode] === undefined
  const volume = findMatch(claim, around.volumes, { reservedOnly: delayed })
  if (volume !== undefined) return { action: 'bind', volume }
  const defaultClass = className === '' && claim.spec?.storageClassName === undefined ? defaultOf(around) : undefined
  if (defaultClass !== undefined) return { action: 'classify', className: defaultClass }
  if (delayed) return { action: 'wait', notice: waitingNotice(around.waitingPods) }
  if (className === '')
    return wait('Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set')
  if (storageClass === undefined)
    return wait('Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${className}" not found`)
  const { provisioner = '' } = storageClass
  if (provisioner === noProvisioner)
    return wait('Warning', 'ProvisioningFailed', `no volume plugin matched name: ${noProvisioner}`)
  return {
    action: 'provision',
    provisioner,
    notice: {
      type: 'Normal',
      reason: 'ExternalProvisioning',
      message:
        `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. ` +
        'If volume creation is delayed, please verify that the provisioner is running and correctly registered.',
    },
  }
}

/** The youngest of several, as at the door. */
function defaultOf({ storageClasses }: ClaimSurroundings): string | undefined {
  const [first] = storageClasses
    .filter(({ metadata }) => defaultMarks.some((mark) => metadata.annotations?.[mark] === 'true'))
    .sort(
      ({ metadata: a }, { metadata: b }) =>
        (b.creationTimestamp ?? '').localeCompare(a.creationTimestamp ?? '') ||
        (a.name ?? '').localeCompare(b.name ?? ''),
    )
  return first?.metadata.name
}

const wait = (type: Notice['type'], reason: string, message: string): ClaimPlan => ({
  action: 'wait',
  notice: { type, reason, message },
})

function waitingNotice(pods: readonly string[]): Notice {
  const [first] = pods
  return first === undefined
    ? {
        type: 'Normal',
        reason: 'WaitForFirstConsumer',
        message: 'waiting for first consumer to be created before binding',
      }
    : { type: 'Normal', reason: 'WaitForPodScheduled', message: `waiting for pod ${first} to be scheduled` }
}

/** The claim names its volume: no other will do. */
function planNamedVolume(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): ClaimPlan {
  if (volume === undefined) return { action: 'wait' }
  const { name = '' } = volume.metadata
  if (volume.spec?.claimRef === undefined) {
    const why = mismatch(claim, volume)
    if (why === undefined) return { action: 'bind', volume }
    return wait('Warning', 'VolumeMismatch', `Cannot bind to requested volume "${name}": ${why}`)
  }
  if (isBoundTo(volume, claim)) return { action: 'bind', volume }
  return wait('Warning', 'FailedBinding', `volume "${name}" already bound to a different claim.`)
}

function planBoundClaim(claim: PersistentVolumeClaim, name: string, around: ClaimSurroundings): ClaimPlan {
  const lost = (reason: string, message: string): ClaimPlan => ({
    action: 'lost',
    notice: { type: 'Warning', reason, message },
  })
  if (name === '')
    return lost('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!')
  const volume = around.volume(name)
  if (volume === undefined)
    return lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  if (volume.spec?.claimRef === undefined || volume.spec.claimRef.uid === claim.metadata.uid)
    return { action: 'bind', volume }
  return lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
}

/** The volume as it is when bound to the claim; the same object when it is already. */
export function boundVolume(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { namespace, name, uid, resourceVersion } = claim.metadata
  const old = volume.spec?.claimRef
  if (old?.uid === uid && old?.name === name && old?.namespace === namespace) return volume
  const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion }
  // A reservation that a person wrote survives the claim; what is bound here is given back with it.
  const annotations =
    old === undefined ? { ...volume.metadata.annotations, [boundByController]: 'yes' } : volume.metadata.annotations
  return { ...volume, metadata: { ...volume.metadata, annotations }, spec: { ...volume.spec, claimRef } }
}

/** The claim as it is when bound to the volume; the same object when it is already. */
export function boundClaim(claim: PersistentVolumeClaim, volume: PersistentVolume): PersistentVolumeClaim {
  const annotations = { ...claim.metadata.annotations }
  const isNamed = (claim.spec?.volumeName ?? '') !== ''
  if (isNamed && annotations[bindCompleted] !== undefined) return claim
  if (!isNamed) annotations[boundByController] = 'yes'
  annotations[bindCompleted] = 'yes'
  return {
    ...claim,
    metadata: { ...claim.metadata, annotations },
    spec: { ...claim.spec, volumeName: volume.metadata.name ?? '' },
  }
}

export interface VolumePlan {
  phase: 'Available' | 'Bound' | 'Released' | 'Failed' | undefined
  message?: string
  notice?: Notice
  /** The reservation is given back. */
  unbind?: boolean
  /** There is nothing left to keep: the volume goes. */
  remove?: boolean
}

/** `claim`: what the volume's claimRef names now, undefined when that is gone or another. */
export function planVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): VolumePlan {
  const reference = volume.spec?.claimRef
  if (reference === undefined || (reference.uid ?? '') === '') return { phase: 'Available' }
  if (claim === undefined) return planReleased(volume)
  const name = claim.spec?.volumeName ?? ''
  if (name === volume.metadata.name) return { phase: 'Bound' }
  // Half bound: the claim's own turn finishes it.
  if (name === '') return { phase: undefined }
  // The claim went to another volume. One that was made for it is of no use to anybody.
  if (volume.metadata.annotations?.[provisionedBy] !== undefined) return planReleased(volume)
  return { phase: 'Available', unbind: true }
}

function planReleased({ spec, metadata, status }: PersistentVolume): VolumePlan {
  if (status?.phase === 'Failed') return { phase: 'Failed' }
  const fail = (reason: string, message: string): VolumePlan => ({
    phase: 'Failed',
    message,
    notice: { type: 'Warning', reason, message },
  })
  if (spec?.persistentVolumeReclaimPolicy === 'Recycle')
    return fail('VolumeFailedRecycle', 'No recycler plugin found for the volume!')
  // What a provisioner made, it also removes.
  const isMade = (metadata.annotations?.[provisionedBy] ?? '') !== ''
  if (spec?.persistentVolumeReclaimPolicy !== 'Delete' || isMade || status?.phase !== 'Released')
    return { phase: 'Released' }
  const path = spec.hostPath?.path
  if (path === undefined)
    return fail(
      'VolumeFailedDelete',
      `error getting deleter volume plugin for volume "${metadata.name ?? ''}": no deletable volume plugin matched`,
    )
  // Of what people gave by hand only folders for tests count as deletable. Nodes clear their own /tmp.
  if (/^\/tmp\/.+/.test(path)) return { phase: undefined, remove: true }
  return fail('VolumeFailedDelete', `host_path deleter only supports /tmp/.+ but received provided ${path}`)
}

/** The volume without its claim; a reservation by a person keeps the claim's name. */
export function unboundVolume(volume: PersistentVolume): PersistentVolume {
  const { [boundByController]: byUs, ...annotations } = volume.metadata.annotations ?? {}
  const { claimRef, ...spec } = volume.spec ?? {}
  const kept = byUs === undefined && claimRef !== undefined ? { claimRef: { ...claimRef, uid: '' } } : {}
  return { ...volume, metadata: { ...volume.metadata, annotations }, spec: { ...spec, ...kept } }
}
