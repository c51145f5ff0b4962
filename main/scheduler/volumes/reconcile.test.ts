import { afterEach, beforeEach, expect, it } from 'vitest'
import type { PersistentVolumeClaim } from '../../../common/api/generated/types.ts'
import { persistentVolumeClaims, pods, serviceAccounts, storageClasses } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { systemClock } from '../../../common/machinery/clock.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import type { TestControlPlane } from '../../controllers/testing/control-plane.ts'
import { startTestControlPlane } from '../../controllers/testing/control-plane.ts'
import { addNode, testNode, testPod } from '../../controllers/testing/objects.ts'
import type { RunningScheduler } from '../index.ts'
import { startScheduler } from '../index.ts'

let plane: TestControlPlane
let scheduler: RunningScheduler

beforeEach(async () => {
  plane = await startTestControlPlane()
  const metadata = { name: 'default', namespace: 'default' }
  await plane.client.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata })
  scheduler = startScheduler({ client: plane.client, clock: systemClock, logger: silentLogger, random: () => 0 })
  await scheduler.ready
})
afterEach(async () => {
  await scheduler.stop()
  await plane.close()
})

const claim: PersistentVolumeClaim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data', namespace: 'default' },
  spec: {
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'late',
    resources: { requests: { storage: '1Gi' } },
  },
}

it('waits for the claim, picks a node for it, and binds the pod when the claim is bound', async () => {
  const { client } = plane
  await client.create(storageClasses, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'late' },
    provisioner: 'example.org/disk',
    volumeBindingMode: 'WaitForFirstConsumer',
  })
  await addNode(client, testNode('a'))
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
  await client.create(pods, testPod('web', { volumes }))
  await eventually(async () => {
    const { status } = await client.get(pods, 'web', 'default')
    expect(status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message).toBe(
      '0/1 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    )
  })
  await client.create(persistentVolumeClaims, claim)
  await eventually(async () => {
    const { metadata } = await client.get(persistentVolumeClaims, 'data', 'default')
    expect(metadata.annotations?.['volume.kubernetes.io/selected-node']).toBe('a')
  })
  expect((await client.get(pods, 'web', 'default')).spec?.nodeName).toBeUndefined()
  // The provisioner's part.
  const target = { name: 'data', namespace: 'default' }
  await client.patch(persistentVolumeClaims, target, 'application/merge-patch+json', {
    metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } },
    spec: { volumeName: 'pvc-1' },
  })
  await eventually(async () => {
    expect((await client.get(pods, 'web', 'default')).spec?.nodeName).toBe('a')
  })
})
