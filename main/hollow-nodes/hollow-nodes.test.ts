// Hollow nodes against a real API server: they register, take pods, let them go, and leave nothing behind.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { events, leases, nodes, pods } from '../../common/client/resources.ts'
import { eventually } from '../../common/client/testing/eventually.ts'
import { systemClock } from '../../common/machinery/clock.ts'
import { silentLogger } from '../../common/machinery/logger.ts'
import { isReason } from '../../common/machinery/status.ts'
import type { TestControlPlane } from '../controllers/testing/control-plane.ts'
import { startTestControlPlane } from '../controllers/testing/control-plane.ts'
import { addNode, testNode, testPod } from '../controllers/testing/objects.ts'
import type { HollowNodes } from './index.ts'
import { startHollowNodes } from './index.ts'

let plane: TestControlPlane
const running: HollowNodes[] = []

beforeEach(async () => {
  plane = await startTestControlPlane()
  await plane.transport.request({
    method: 'POST',
    path: '/api/v1/namespaces/default/serviceaccounts',
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
  })
})

afterEach(async () => {
  await Promise.all(running.splice(0).map((hollow) => hollow.stop({ remove: false })))
  await plane.close()
})

async function start(names: readonly string[]): Promise<HollowNodes> {
  const hollow = await startHollowNodes({
    client: plane.client,
    clock: systemClock,
    logger: silentLogger,
    names,
    spec: () => ({
      arch: 'arm64',
      cpu: '4',
      memory: '8Gi',
      ephemeralStorage: '10Gi',
      pods: 20,
      labels: { tier: 'test' },
      taints: [{ key: 'hollow', effect: 'NoSchedule' }],
    }),
    startDelayMs: 0,
    stopDelayMs: 0,
    recordEvents: true,
  })
  running.push(hollow)
  return hollow
}

const placed = (name: string, nodeName: string) => testPod(name, { nodeName, tolerations: [{ operator: 'Exists' }] })

it('registers labelled, Ready nodes with leases of their own', async () => {
  const hollow = await start(['hollow-1', 'hollow-2'])
  expect(hollow.count).toBe(2)
  const node = await plane.client.get(nodes, 'hollow-2')
  expect(node.metadata.labels).toMatchObject({
    'lab.orrery.dev/hollow': 'true',
    'kubernetes.io/arch': 'arm64',
    tier: 'test',
  })
  expect(node.spec).toMatchObject({ podCIDR: '10.128.1.0/24' })
  expect(node.spec?.taints).toContainEqual({ key: 'hollow', effect: 'NoSchedule' })
  expect(node.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
  expect(node.status?.nodeInfo?.osImage).toContain('runs nothing')
  const lease = await plane.client.get(leases, 'hollow-2', 'kube-node-lease')
  expect(lease.spec).toMatchObject({ holderIdentity: 'hollow-2', leaseDurationSeconds: 40 })
  expect(lease.metadata.ownerReferences?.[0]?.uid).toBe(node.metadata.uid)
})

it('takes pods from bound to Running and lets deleted ones go', async () => {
  await start(['hollow-1'])
  await plane.client.create(pods, placed('web', 'hollow-1'))
  await eventually(async () => {
    const { status } = await plane.client.get(pods, 'web', 'default')
    expect(status).toMatchObject({ phase: 'Running', podIP: '10.128.0.1', hostIP: '10.192.0.1' })
  })
  await eventually(async () => {
    const told = (await plane.client.list(events, { namespace: 'default' })).items
    expect(told.map(({ reason, source }) => [reason, source?.component, source?.host])).toContainEqual([
      'Started',
      'kubelet',
      'hollow-1',
    ])
  })
  await plane.client.delete(pods, 'web', 'default')
  await eventually(async () => {
    const gone = await plane.client.get(pods, 'web', 'default').catch((error: unknown) => isReason(error, 'NotFound'))
    expect(gone).toBe(true)
  })
})

it('corrects what others say about its health, and forgets a node that was deleted', async () => {
  const hollow = await start(['hollow-1', 'hollow-2'])
  await plane.client.patch(
    nodes,
    { name: 'hollow-1', subresource: 'status' },
    'application/strategic-merge-patch+json',
    { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
  )
  await eventually(async () => {
    const node = await plane.client.get(nodes, 'hollow-1')
    expect(node.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
  })
  await plane.client.delete(nodes, 'hollow-2')
  await eventually(() => {
    expect(hollow.count).toBe(1)
  })
})

it('refuses a pod whose host port is taken, and takes the next when it is free', async () => {
  await start(['hollow-1'])
  const listening = (name: string) => {
    const pod = placed(name, 'hollow-1')
    for (const container of pod.spec?.containers ?? []) container.ports = [{ containerPort: 80, hostPort: 8080 }]
    return pod
  }
  const phase = async (name: string): Promise<unknown> =>
    (await plane.client.get(pods, name, 'default').catch(() => undefined))?.status?.phase
  await plane.client.create(pods, listening('first'))
  await eventually(async () => {
    expect(await phase('first')).toBe('Running')
  })
  await plane.client.create(pods, listening('second'))
  await eventually(async () => {
    expect((await plane.client.get(pods, 'second', 'default')).status).toMatchObject({
      phase: 'Failed',
      reason: 'NodePorts',
    })
  })
  await plane.client.delete(pods, 'first', 'default')
  await eventually(async () => {
    expect(await phase('first')).toBeUndefined()
  })
  await plane.client.create(pods, listening('third'))
  await eventually(async () => {
    expect(await phase('third')).toBe('Running')
  })
})

it('can allocate the extended resources it is given, until they are taken away', async () => {
  await start(['hollow-1'])
  const give = (quantity: string | null): Promise<unknown> =>
    plane.client.patch(nodes, { name: 'hollow-1', subresource: 'status' }, 'application/merge-patch+json', {
      status: { capacity: { 'example.com/dongle': quantity } },
    })
  const allocatable = async (): Promise<unknown> =>
    (await plane.client.get(nodes, 'hollow-1')).status?.allocatable?.['example.com/dongle']
  await give('4')
  await eventually(async () => {
    expect(await allocatable()).toBe('4')
  })
  await give(null)
  await eventually(async () => {
    expect(await allocatable()).toBeUndefined()
  })
})

it('continues with the nodes and addresses of an earlier run, and removes them at the end', async () => {
  const first = await start(['hollow-1'])
  await plane.client.create(pods, placed('old', 'hollow-1'))
  const address = await eventually(async () => {
    const { status } = await plane.client.get(pods, 'old', 'default')
    expect(status?.podIP).toBeDefined()
    return status?.podIP
  })
  await first.stop({ remove: false })
  const second = await start(['hollow-1', 'hollow-2'])
  await plane.client.create(pods, placed('new', 'hollow-1'))
  await eventually(async () => {
    const { status } = await plane.client.get(pods, 'new', 'default')
    expect(status?.phase).toBe('Running')
    expect(status?.podIP).not.toBe(address)
  })
  await second.stop({ remove: true })
  expect((await plane.client.list(nodes)).items).toEqual([])
})

it('leaves nodes alone that are not hollow', async () => {
  await addNode(plane.client, testNode('node-1'))
  await expect(start(['hollow-1', 'node-1'])).rejects.toThrow('the node node-1 exists and is not hollow')
  const left = (await plane.client.list(nodes)).items.map(({ metadata }) => metadata.name)
  expect(left).toEqual(['node-1'])
})
