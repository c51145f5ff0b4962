import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ReplicationController } from '../../../common/api/generated/types.ts'
import { events, pods, replicationControllers } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { testPod } from '../testing/objects.ts'
import type { RunningCluster } from '../testing/running-cluster.ts'
import { startTestCluster } from '../testing/running-cluster.ts'

let cluster: RunningCluster

beforeEach(async () => {
  cluster = await startTestCluster({ controllers: ['replicationcontroller-controller', 'serviceaccount-controller'] })
})
afterEach(() => cluster.stop())

const web: ReplicationController = {
  apiVersion: 'v1',
  kind: 'ReplicationController',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 3,
    selector: { app: 'web' },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'hello' }] } },
  },
}

it('keeps its number of pods, adopts and releases by label, and scales', async () => {
  const { client } = cluster
  const statusIs = (status: object) =>
    eventually(async () => {
      expect((await client.get(replicationControllers, 'web', 'default')).status).toMatchObject(status)
    })
  await eventually(() => client.create(pods, testPod('lone', {}, { app: 'web' })))
  await client.create(replicationControllers, web)
  await statusIs({ replicas: 3, readyReplicas: 3, availableReplicas: 3, fullyLabeledReplicas: 3 })
  const lone = await client.get(pods, 'lone', 'default')
  expect(lone.metadata.ownerReferences).toMatchObject([
    { kind: 'ReplicationController', name: 'web', controller: true },
  ])
  const target = { name: 'lone', namespace: 'default' }
  await client.patch(pods, target, 'application/merge-patch+json', { metadata: { labels: { app: 'other' } } })
  await eventually(async () => {
    expect((await client.get(pods, 'lone', 'default')).metadata.ownerReferences ?? []).toEqual([])
    expect((await client.list(pods, { namespace: 'default' })).items).toHaveLength(4)
  })
  const scale = { name: 'web', namespace: 'default' }
  await client.patch(replicationControllers, scale, 'application/merge-patch+json', { spec: { replicas: 1 } })
  await statusIs({ replicas: 1, observedGeneration: 2 })
  await eventually(async () => {
    const told = (await client.list(events, { namespace: 'default' })).items.filter(
      ({ involvedObject }) => involvedObject.kind === 'ReplicationController',
    )
    expect(told.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['SuccessfulCreate', 'SuccessfulDelete']))
  })
})
