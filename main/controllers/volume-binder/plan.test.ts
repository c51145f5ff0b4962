import { describe, expect, it } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../../common/api/generated/types.ts'
import { findMatch, mismatch } from '../../../common/volumes/match.ts'
import { boundClaim, boundVolume, planClaim, planVolume, unboundVolume } from './plan.ts'

const claim = (
  spec: Partial<NonNullable<PersistentVolumeClaim['spec']>> = {},
  annotations: Record<string, string> = {},
): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data', namespace: 'default', uid: 'c1', annotations },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
})
const volume = (
  name: string,
  spec: Partial<NonNullable<PersistentVolume['spec']>> = {},
  change: { phase?: string; annotations?: Record<string, string>; labels?: Record<string, string> } = {},
): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name, uid: name, annotations: change.annotations, labels: change.labels },
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    persistentVolumeReclaimPolicy: 'Retain',
    hostPath: { path: '/x' },
    ...spec,
  },
  status: { phase: change.phase ?? 'Available' },
})
const reference = (uid?: string, name = 'data') => ({
  namespace: 'default',
  name,
  ...(uid === undefined ? {} : { uid }),
})
const storageClass = (change: Partial<StorageClass> = {}): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'fast' },
  provisioner: 'example.com/p',
  volumeBindingMode: 'Immediate',
  ...change,
})
const around = (volumes: PersistentVolume[] = [], known: StorageClass[] = [], waitingPods: string[] = []) => ({
  volumes,
  volume: (name: string) => volumes.find(({ metadata }) => metadata.name === name),
  storageClass: (name: string) => known.find(({ metadata }) => metadata.name === name),
  storageClasses: known,
  waitingPods,
})

describe('matching', () => {
  it.each([
    [{}, {}, undefined],
    [{}, { capacity: { storage: '512Mi' } }, 'requested PV is too small'],
    [{ storageClassName: 'fast' }, {}, 'storageClassName does not match'],
    [{ volumeMode: 'Block' }, {}, 'incompatible volumeMode'],
    [{ accessModes: ['ReadWriteMany'] }, {}, 'incompatible accessMode'],
  ])('claim %o, volume %o: %s', (wants, has, why) => {
    expect(mismatch(claim(wants), volume('v', has))).toBe(why)
  })

  it('takes the smallest that is free, but one that is reserved for the claim before all', () => {
    const big = volume('big', { capacity: { storage: '10Gi' } })
    const small = volume('small', { capacity: { storage: '2Gi' } })
    const taken = volume('taken', { claimRef: reference('other', 'other') })
    const notYet = volume('new', {}, { phase: 'Pending' })
    const reserved = volume('reserved', { capacity: { storage: '50Gi' }, claimRef: reference() })
    const name = (found: PersistentVolume | undefined) => found?.metadata.name
    expect(name(findMatch(claim(), [big, small, taken, notYet]))).toBe('small')
    expect(name(findMatch(claim(), [big, small, reserved]))).toBe('reserved')
    expect(name(findMatch(claim(), [big, small], { reservedOnly: true }))).toBeUndefined()
    expect(name(findMatch(claim(), [big, reserved], { reservedOnly: true }))).toBe('reserved')
    const labelled = volume('ssd', { capacity: { storage: '5Gi' } }, { labels: { disk: 'ssd' } })
    expect(name(findMatch(claim({ selector: { matchLabels: { disk: 'ssd' } } }), [small, labelled]))).toBe('ssd')
  })
})

describe('a claim', () => {
  const bound = { 'pv.kubernetes.io/bind-completed': 'yes' }
  const late = storageClass({ volumeBindingMode: 'WaitForFirstConsumer' })
  it.each<[string, PersistentVolumeClaim, ReturnType<typeof around>, string, string | undefined]>([
    ['finds a volume', claim(), around([volume('v')]), 'bind', undefined],
    ['finds none and has no class', claim(), around(), 'wait', 'FailedBinding'],
    ['gets the default class late', claim(), around([], [storageClass({ metadata: { name: 'fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } })]), 'classify', undefined],
    ['asks for no class at all', claim({ storageClassName: '' }), around([], [storageClass({ metadata: { name: 'fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } })]), 'wait', 'FailedBinding'],
    ['has an unknown class', claim({ storageClassName: 'fast' }), around(), 'wait', 'ProvisioningFailed'],
    ['asks for one to be made', claim({ storageClassName: 'fast' }), around([], [storageClass()]), 'provision', 'ExternalProvisioning'],
    ['has a class of hand-made volumes', claim({ storageClassName: 'fast' }), around([], [storageClass({ provisioner: 'kubernetes.io/no-provisioner' })]), 'wait', 'ProvisioningFailed'],
    ['waits for its first consumer', claim({ storageClassName: 'fast' }), around([], [late]), 'wait', 'WaitForFirstConsumer'],
    ['waits for a pod that waits', claim({ storageClassName: 'fast' }), around([], [late], ['web']), 'wait', 'WaitForPodScheduled'],
    ['has a consumer', claim({ storageClassName: 'fast' }, { 'volume.kubernetes.io/selected-node': 'n' }), around([], [late]), 'provision', 'ExternalProvisioning'],
    ['names its volume', claim({ volumeName: 'v' }), around([volume('v')]), 'bind', undefined],
    ['names one that does not suit', claim({ volumeName: 'v' }), around([volume('v', { capacity: { storage: '1Mi' } })]), 'wait', 'VolumeMismatch'],
    ['names one of another claim', claim({ volumeName: 'v' }), around([volume('v', { claimRef: reference('x', 'other') })]), 'wait', 'FailedBinding'],
    ['names one that is not there yet', claim({ volumeName: 'v' }), around(), 'wait', undefined],
    ['is bound', claim({ volumeName: 'v' }, bound), around([volume('v', { claimRef: reference('c1') })]), 'bind', undefined],
    ['lost its volume', claim({ volumeName: 'v' }, bound), around(), 'lost', 'ClaimLost'],
    ['shares its volume', claim({ volumeName: 'v' }, bound), around([volume('v', { claimRef: reference('other') })]), 'lost', 'ClaimMisbound'],
  ])('%s', (_title, object, surroundings, action, reason) => {
    const plan = planClaim(object, surroundings)
    expect(plan.action).toBe(action)
    expect('notice' in plan ? plan.notice?.reason : undefined).toBe(reason)
  }) // prettier-ignore

  it('and its volume point at each other when bound, and say who decided', () => {
    const together = boundVolume(volume('v'), claim())
    expect(together.spec?.claimRef).toMatchObject({ kind: 'PersistentVolumeClaim', name: 'data', uid: 'c1' })
    expect(together.metadata.annotations).toEqual({ 'pv.kubernetes.io/bound-by-controller': 'yes' })
    expect(boundVolume(together, claim())).toBe(together)
    const done = boundClaim(claim(), together)
    expect(done.spec?.volumeName).toBe('v')
    expect(done.metadata.annotations).toEqual({
      'pv.kubernetes.io/bound-by-controller': 'yes',
      'pv.kubernetes.io/bind-completed': 'yes',
    })
    expect(boundClaim(done, together)).toBe(done)
    const reserved = boundVolume(volume('v', { claimRef: reference() }), claim())
    expect(reserved.metadata.annotations).toBeUndefined()
    expect(unboundVolume(reserved).spec?.claimRef).toEqual(expect.objectContaining({ name: 'data', uid: '' }))
    expect(unboundVolume(together).spec?.claimRef).toBeUndefined()
  })
})

describe('a volume', () => {
  const mine = { claimRef: reference('c1') }
  it.each<[string, PersistentVolume, PersistentVolumeClaim | undefined, object]>([
    ['nobody wants', volume('v'), undefined, { phase: 'Available' }],
    ['reserved for a claim to come', volume('v', { claimRef: reference() }), undefined, { phase: 'Available' }],
    ['bound', volume('v', mine), claim({ volumeName: 'v' }), { phase: 'Bound' }],
    ['half bound', volume('v', mine), claim(), { phase: undefined }],
    ['left for another', volume('v', mine), claim({ volumeName: 'w' }), { phase: 'Available', unbind: true }],
    ['without its claim', volume('v', mine, { phase: 'Bound' }), undefined, { phase: 'Released' }],
    ['to be recycled', volume('v', { ...mine, persistentVolumeReclaimPolicy: 'Recycle' }), undefined, { phase: 'Failed' }],
    ['to be deleted by its provisioner', volume('v', { ...mine, persistentVolumeReclaimPolicy: 'Delete' }, { phase: 'Released', annotations: { 'pv.kubernetes.io/provisioned-by': 'x' } }), undefined, { phase: 'Released' }],
    ['to be deleted by nobody', volume('v', { ...mine, persistentVolumeReclaimPolicy: 'Delete', hostPath: undefined, csi: { driver: 'd', volumeHandle: 'h' } }, { phase: 'Released' }), undefined, { phase: 'Failed', message: 'error getting deleter volume plugin for volume "v": no deletable volume plugin matched' }],
    ['to be deleted, of a folder that is kept', volume('v', { ...mine, persistentVolumeReclaimPolicy: 'Delete', hostPath: { path: '/data' } }, { phase: 'Released' }), undefined, { phase: 'Failed', message: 'host_path deleter only supports /tmp/.+ but received provided /data' }],
    ['to be deleted, of a folder for tests', volume('v', { ...mine, persistentVolumeReclaimPolicy: 'Delete', hostPath: { path: '/tmp/data' } }, { phase: 'Released' }), undefined, { remove: true }],
  ])('%s', (_title, object, owner, expected) => {
    expect(planVolume(object, owner)).toMatchObject(expected)
  }) // prettier-ignore
})
