import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Pod, StatefulSet, StatefulSetSpec } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import {
  controllerRevisions,
  events,
  persistentVolumeClaims,
  pods,
  statefulSets,
} from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { playVolumeBinder } from '../testing/play-volume-binder.ts'
import type { RunningCluster } from '../testing/running-cluster.ts'
import { startTestCluster } from '../testing/running-cluster.ts'

let cluster: RunningCluster
let client: KubeClient
let volumes: ReturnType<typeof playVolumeBinder>

beforeEach(async () => {
  cluster = await startTestCluster({
    controllers: ['statefulset-controller', 'garbage-collector-controller', 'serviceaccount-controller'],
  })
  client = cluster.client
  volumes = playVolumeBinder(client)
})
afterEach(async () => {
  await Promise.all([cluster.stop(), volumes.stop()])
})

const container = (image: string) => ({ name: 'main', image })
const testSet = (spec: Partial<StatefulSetSpec> = {}): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db', namespace: 'default' },
  spec: {
    replicas: 3,
    serviceName: 'db',
    selector: { matchLabels: { app: 'db' } },
    template: { metadata: { labels: { app: 'db' } }, spec: { containers: [container('hello:1')] } },
    ...spec,
  },
})
const claimTemplate = {
  apiVersion: 'v1' as const,
  kind: 'PersistentVolumeClaim' as const,
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
}
const livePods = async (): Promise<Pod[]> => (await client.list(pods, { namespace: 'default' })).items
/** Claims in use are held by a finalizer that another controller takes off: being deleted is enough here. */
const claimNames = async () =>
  (await client.list(persistentVolumeClaims, { namespace: 'default' })).items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name)
    .sort()
const patchSet = (spec: unknown) =>
  client.patch(statefulSets, { name: 'db', namespace: 'default' }, 'application/merge-patch+json', { spec })
const statusIs = (status: object) =>
  eventually(async () => {
    const set = await client.get(statefulSets, 'db', 'default')
    expect(set.status).toMatchObject({ ...status, observedGeneration: set.metadata.generation })
    return set
  })

it('starts its pods one after the other, gives them claims, and says so', async () => {
  await client.create(statefulSets, testSet({ volumeClaimTemplates: [claimTemplate] }))
  const set = await statusIs({
    replicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
  })
  expect(set.status?.currentRevision).toBe(set.status?.updateRevision)
  const found = await livePods()
  expect(found.map(({ metadata }) => metadata.name).sort()).toEqual(['db-0', 'db-1', 'db-2'])
  const order = [...found].sort((a, b) => Number(a.metadata.uid !== b.metadata.uid))
  expect(
    order.every(({ metadata }) => metadata.labels?.['controller-revision-hash'] === set.status?.updateRevision),
  ).toBe(true)
  expect(await claimNames()).toEqual(['data-db-0', 'data-db-1', 'data-db-2'])
  await eventually(async () => {
    const messages = (await client.list(events, { namespace: 'default' })).items.map(({ message }) => message)
    expect(messages).toContain('create Claim data-db-0 Pod db-0 in StatefulSet db success')
    expect(messages).toContain('create Pod db-2 in StatefulSet db successful')
  })
})

it('rolls a new template out to the partition, then to the end, and back again', async () => {
  await client.create(statefulSets, testSet())
  const before = await statusIs({ readyReplicas: 3, updatedReplicas: 3 })
  await patchSet({
    template: { spec: { containers: [container('hello:2')] } },
    updateStrategy: { rollingUpdate: { partition: 2 } },
  })
  const partly = await statusIs({ readyReplicas: 3, currentReplicas: 2, updatedReplicas: 1 })
  expect(partly.status?.currentRevision).toBe(before.status?.currentRevision)
  const images = async () =>
    (await livePods())
      .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
      .map(({ spec }) => spec?.containers[0]?.image)
  expect(await images()).toEqual(['hello:1', 'hello:1', 'hello:2'])

  await patchSet({ updateStrategy: { rollingUpdate: { partition: 0 } } })
  const after = await statusIs({ readyReplicas: 3, currentReplicas: 3, updatedReplicas: 3 })
  expect(after.status?.currentRevision).toBe(partly.status?.updateRevision)
  expect(await images()).toEqual(['hello:2', 'hello:2', 'hello:2'])

  await patchSet({ template: { spec: { containers: [container('hello:1')] } } })
  await statusIs({ readyReplicas: 3, currentReplicas: 3, currentRevision: before.status?.currentRevision })
  const revisions = (await client.list(controllerRevisions, { namespace: 'default' })).items
  expect(revisions.map(({ revision }) => revision).sort()).toEqual([2, 3])
})

it('deletes claims as its retention policy says', async () => {
  await client.create(
    statefulSets,
    testSet({
      volumeClaimTemplates: [claimTemplate],
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
    }),
  )
  await statusIs({ readyReplicas: 3 })
  await patchSet({ replicas: 1 })
  await statusIs({ replicas: 1 })
  await eventually(async () => {
    expect(await claimNames()).toEqual(['data-db-0'])
  })
  await client.delete(statefulSets, 'db', 'default', { propagationPolicy: 'Background' })
  await eventually(async () => {
    expect(await claimNames()).toEqual([])
    expect(await livePods()).toEqual([])
  })
})

it('makes a failed pod again under its name', async () => {
  await client.create(statefulSets, testSet({ replicas: 1 }))
  await statusIs({ readyReplicas: 1 })
  const [first] = await livePods()
  const failed = await client.get(pods, 'db-0', 'default')
  await client.updateStatus(pods, { ...failed, status: { ...failed.status, phase: 'Failed' } })
  await eventually(async () => {
    const [second] = await livePods()
    expect(second?.metadata.name).toBe('db-0')
    expect(second?.metadata.uid).not.toBe(first?.metadata.uid)
    expect(second?.status?.phase).toBe('Running')
  })
})
