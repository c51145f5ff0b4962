import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim, VolumeAttachment } from '../../../common/api/generated/types.ts'
import {
  csiDrivers,
  events,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  volumeAttachments,
} from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { ManualClock } from '../../../common/client/testing/manual-clock.ts'
import { createManualClock } from '../../../common/client/testing/manual-clock.ts'
import { addNode, testNode, testPod } from '../testing/objects.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'

let cluster: TestControllers
let clock: ManualClock

const managed = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' }
const volume: PersistentVolume = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'v' },
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    storageClassName: 'csi',
    csi: { driver: 'csi.example.com', volumeHandle: 'handle' },
  },
}
const claim: PersistentVolumeClaim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data', namespace: 'default' },
  spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'csi', resources: { requests: { storage: '1Gi' } } },
}
const shownName = 'kubernetes.io/csi/csi.example.com^handle'

beforeEach(async () => {
  clock = createManualClock()
  cluster = await startTestControllers(
    ['attachdetach', 'persistentvolume-binder-controller', 'serviceaccount-controller'],
    clock,
  )
  const { client } = cluster
  for (const name of ['node-1', 'node-2']) {
    const node = testNode(name)
    await addNode(client, { ...node, metadata: { ...node.metadata, annotations: managed } })
  }
  await client.create(persistentVolumes, volume)
  await client.create(persistentVolumeClaims, claim)
  await eventually(async () => {
    expect((await client.get(persistentVolumeClaims, 'data', 'default')).status?.phase).toBe('Bound')
  })
})
afterEach(() => cluster.stop())

const run = (name: string, nodeName: string): Promise<unknown> =>
  eventually(() =>
    cluster.client.create(
      pods,
      testPod(name, { nodeName, volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] }),
    ),
  )
const end = (name: string): Promise<unknown> => cluster.client.delete(pods, name, 'default', { gracePeriodSeconds: 0 })
const attachments = async (): Promise<VolumeAttachment[]> => (await cluster.client.list(volumeAttachments)).items
const settled = (): Promise<void> =>
  eventually(() => {
    expect(cluster.controllers.controllers.every(({ idle }) => idle)).toBe(true)
  })
const answer = async (status: VolumeAttachment['status']): Promise<void> => {
  const [attachment] = await attachments()
  if (attachment !== undefined) await cluster.client.updateStatus(volumeAttachments, { ...attachment, status })
}
const told = async (): Promise<unknown[]> =>
  (await cluster.client.list(events, { namespace: 'default' })).items.map(({ reason, message }) => [reason, message])

describe('volumes of CSI drivers', () => {
  it('are attached where a pod uses them, and detached when it has gone', async () => {
    await run('first', 'node-1')
    await eventually(async () => {
      expect(await attachments()).toMatchObject([
        {
          metadata: { name: 'csi-b31aaefd63d243dc8d2e9ebd87637fc0e40493f1c517ae9f7441e248e0af573f' },
          spec: { attacher: 'csi.example.com', nodeName: 'node-1', source: { persistentVolumeName: 'v' } },
        },
      ])
    })
    await answer({ attached: false, attachError: { message: 'no room' } })
    await eventually(async () => {
      expect(await told()).toContainEqual(['FailedAttachVolume', 'AttachVolume.Attach failed for volume "v" : no room'])
    })
    await answer({ attached: true })
    await eventually(async () => {
      const { status } = await cluster.client.get(nodes, 'node-1')
      expect(status?.volumesAttached).toEqual([{ name: shownName, devicePath: '' }])
      expect(await told()).toContainEqual(['SuccessfulAttachVolume', 'AttachVolume.Attach succeeded for volume "v" '])
    })
    await run('second', 'node-2')
    await eventually(async () => {
      expect(await told()).toContainEqual(['FailedAttachVolume', expect.stringContaining('Multi-Attach error')])
    })
    await end('first')
    await eventually(async () => {
      expect((await attachments()).map(({ spec }) => spec.nodeName)).toEqual(['node-2'])
      expect((await cluster.client.get(nodes, 'node-1')).status?.volumesAttached ?? []).toEqual([])
    })
  })

  it('stay as long as the node has them mounted, but not for ever', async () => {
    await run('first', 'node-1')
    await eventually(async () => {
      expect(await attachments()).toHaveLength(1)
    })
    await cluster.client.patch(nodes, { name: 'node-1', subresource: 'status' }, 'application/merge-patch+json', {
      status: { volumesInUse: [shownName] },
    })
    await answer({ attached: true })
    await end('first')
    await settled()
    expect(await attachments()).toHaveLength(1)
    await eventually(async () => {
      await clock.advance(361_000)
      expect(await attachments()).toEqual([])
    })
  })

  it('of drivers that attach nothing are left alone', async () => {
    await cluster.client.create(csiDrivers, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: 'csi.example.com' },
      spec: { attachRequired: false },
    })
    await eventually(() => {
      expect(cluster.controllers.informers.of(csiDrivers).get('csi.example.com')).toBeDefined()
    })
    await run('first', 'node-1')
    await settled()
    expect(await attachments()).toEqual([])
  })
})
