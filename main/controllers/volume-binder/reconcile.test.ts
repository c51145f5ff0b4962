// Storage as a whole: binding, provisioning where the pod runs, protection, release.
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../../common/api/generated/types.ts'
import {
  events,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  storageClasses,
} from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'
import { testPod } from '../testing/objects.ts'

let cluster: TestControllers
beforeEach(async () => {
  cluster = await startTestControllers([
    'persistentvolume-binder-controller',
    'persistentvolume-expander',
    'persistentvolume-protection-controller',
    'persistentvolumeclaim-protection-controller',
    'ephemeral-volume-controller',
    'local-path-provisioner',
    'serviceaccount-controller',
    'garbage-collector-controller',
  ])
})
afterEach(() => cluster.stop())

const newVolume = (name: string, change: Partial<NonNullable<PersistentVolume['spec']>> = {}): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '2Gi' }, hostPath: { path: '/data' }, ...change },
})
const newClaim = (change: Partial<NonNullable<PersistentVolumeClaim['spec']>> = {}): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data', namespace: 'default' },
  spec: {
    accessModes: ['ReadWriteOnce'],
    storageClassName: '',
    resources: { requests: { storage: '1Gi' } },
    ...change,
  },
})
const local: StorageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'local' },
  provisioner: 'lab.orrery.dev/local-path',
  volumeBindingMode: 'WaitForFirstConsumer',
}
const volume = (name: string) => cluster.client.get(persistentVolumes, name)
const claim = (name = 'data') => cluster.client.get(persistentVolumeClaims, name, 'default')
const makePod = (name: string, spec: Partial<NonNullable<Pod['spec']>>) =>
  eventually(() => cluster.client.create(pods, testPod(name, { nodeName: 'node-7', ...spec })))
const usesData = { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] }

it('binds a claim and a volume, and releases the volume when the claim goes', async () => {
  await cluster.client.create(persistentVolumes, newVolume('v'))
  await eventually(async () => {
    expect((await volume('v')).status?.phase).toBe('Available')
  })
  await cluster.client.create(persistentVolumeClaims, newClaim())
  await eventually(async () => {
    expect((await claim()).status).toMatchObject({
      phase: 'Bound',
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '2Gi' },
    })
    expect((await volume('v')).status?.phase).toBe('Bound')
  })
  await cluster.client.delete(persistentVolumeClaims, 'data', 'default')
  await eventually(async () => {
    expect((await volume('v')).status?.phase).toBe('Released')
  })
})

it('says who lets a volume grow', async () => {
  await cluster.client.create(storageClasses, {
    ...local,
    metadata: { name: 'growing' },
    provisioner: 'csi.example.com',
    allowVolumeExpansion: true,
  })
  const csi = { driver: 'csi.example.com', volumeHandle: 'h' }
  const { hostPath: _path, ...spec } = newVolume('v', { storageClassName: 'growing', csi }).spec ?? {}
  await cluster.client.create(persistentVolumes, { ...newVolume('v'), spec })
  await cluster.client.create(persistentVolumeClaims, newClaim({ storageClassName: 'growing', volumeName: 'v' }))
  await eventually(async () => {
    expect((await claim()).status?.phase).toBe('Bound')
  })
  const target = { name: 'data', namespace: 'default' }
  await cluster.client.patch(persistentVolumeClaims, target, 'application/merge-patch+json', {
    spec: { resources: { requests: { storage: '3Gi' } } },
  })
  await eventually(async () => {
    const told = (await cluster.client.list(events, { namespace: 'default' })).items
    expect(told.map(({ reason }) => reason)).toContain('ExternalExpanding')
  })
})

it('binds a claim that came before its volume', async () => {
  await cluster.client.create(persistentVolumeClaims, newClaim())
  await eventually(async () => {
    expect((await claim()).metadata.finalizers).toContain('kubernetes.io/pvc-protection')
  })
  await cluster.client.create(persistentVolumes, newVolume('v'))
  await eventually(async () => {
    expect((await claim()).spec?.volumeName).toBe('v')
  })
})

it('gives a claim without a class the default one when that comes', async () => {
  await cluster.client.create(persistentVolumeClaims, newClaim({ storageClassName: undefined }))
  await eventually(async () => {
    expect((await claim()).metadata.finalizers).toContain('kubernetes.io/pvc-protection')
  })
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
  await cluster.client.create(storageClasses, { ...local, metadata: { name: 'local', annotations } })
  await eventually(async () => {
    expect((await claim()).spec?.storageClassName).toBe('local')
  })
})

it('makes a volume where the first pod runs, protects it while it is used, and removes it with its claim', async () => {
  await cluster.client.create(storageClasses, local)
  await cluster.client.create(persistentVolumeClaims, newClaim({ storageClassName: 'local' }))
  await makePod('web', usesData)
  const made = await eventually(async () => {
    const bound = await claim()
    expect(bound.status?.phase).toBe('Bound')
    return volume(bound.spec?.volumeName ?? '')
  })
  expect(made.spec).toMatchObject({
    hostPath: { path: `/var/lib/orrery/volumes/${made.metadata.name ?? ''}`, type: 'DirectoryOrCreate' },
    persistentVolumeReclaimPolicy: 'Delete',
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ values: ['node-7'] }] }] } },
  })
  await cluster.client.delete(persistentVolumeClaims, 'data', 'default')
  await eventually(async () => {
    expect(cluster.controllers.controllers.every(({ idle }) => idle)).toBe(true)
    expect((await claim()).metadata.deletionTimestamp).toBeDefined()
  })
  await cluster.client.delete(pods, 'web', 'default', { gracePeriodSeconds: 0 })
  await eventually(async () => {
    expect((await cluster.client.list(persistentVolumeClaims)).items).toEqual([])
    expect((await cluster.client.list(persistentVolumes)).items).toEqual([])
  })
})

it('makes the claims of ephemeral volumes, which go with their pod', async () => {
  await cluster.client.create(storageClasses, local)
  const { spec } = newClaim({ storageClassName: 'local' })
  await makePod('web', { volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: spec ?? {} } } }] })
  await eventually(async () => {
    expect((await claim('web-scratch')).status?.phase).toBe('Bound')
  })
  await cluster.client.delete(pods, 'web', 'default', { gracePeriodSeconds: 0 })
  await eventually(async () => {
    expect((await cluster.client.list(persistentVolumeClaims)).items).toEqual([])
  })
})
