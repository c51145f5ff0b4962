import { afterEach, beforeEach, expect, it } from 'vitest'
import { persistentVolumeClaims, volumeAttributesClasses } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'

let cluster: TestControllers
beforeEach(async () => {
  cluster = await startTestControllers(['volumeattributesclass-protection-controller', 'pvc-protection'])
})
afterEach(() => cluster.stop())

it('a class of attributes stays until no claim has it', async () => {
  const { client } = cluster
  await client.create(volumeAttributesClasses, {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttributesClass',
    metadata: { name: 'gold' },
    driverName: 'csi.example.com',
    parameters: { iops: '1000' },
  })
  await client.create(persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'default' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: 'csi',
      volumeAttributesClassName: 'gold',
    },
  })
  await eventually(() => {
    expect(cluster.controllers.informers.of(persistentVolumeClaims).get('default/data')).toBeDefined()
  })
  await client.delete(volumeAttributesClasses, 'gold')
  await eventually(() => {
    expect(cluster.controllers.controllers.every(({ idle }) => idle)).toBe(true)
  })
  expect((await client.get(volumeAttributesClasses, 'gold')).metadata).toMatchObject({
    finalizers: ['kubernetes.io/vac-protection'],
    deletionTimestamp: expect.any(String) as string,
  })
  await client.delete(persistentVolumeClaims, 'data', 'default')
  await eventually(async () => {
    await expect(client.get(volumeAttributesClasses, 'gold')).rejects.toSatisfy((error) => isReason(error, 'NotFound'))
  })
})
