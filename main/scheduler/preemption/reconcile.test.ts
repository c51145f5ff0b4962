import { afterEach, beforeEach, expect, it } from 'vitest'
import { events, pods, priorityClasses, serviceAccounts } from '../../../common/client/resources.ts'
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
  await plane.client.create(priorityClasses, {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'urgent' },
    value: 1000,
  })
  scheduler = startScheduler({ client: plane.client, clock: systemClock, logger: silentLogger, random: () => 0 })
  await scheduler.ready
})
afterEach(async () => {
  await scheduler.stop()
  await plane.close()
})

const cpu = (quantity: string) => ({
  containers: [{ name: 'main', image: 'hello', resources: { requests: { cpu: quantity } } }],
})

it('ends a less important pod gracefully, keeps its place for the urgent one, and says so', async () => {
  const { client } = plane
  await addNode(client, testNode('only', { cpu: '1' }))
  await client.create(pods, testPod('low', cpu('1')))
  await eventually(async () => {
    expect((await client.get(pods, 'low', 'default')).spec?.nodeName).toBe('only')
  })
  const urgent = await client.create(
    pods,
    testPod('urgent', { ...cpu('1'), priorityClassName: 'urgent', priority: 1000 }),
  )
  await eventually(async () => {
    const low = await client.get(pods, 'low', 'default')
    expect(low.metadata.deletionTimestamp).toBeDefined()
    expect(low.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: 'default-scheduler: preempting to accommodate a higher priority pod',
    })
    expect((await client.get(pods, 'urgent', 'default')).status?.nominatedNodeName).toBe('only')
  })
  // The kubelet is done with it.
  await client.delete(pods, 'low', 'default', { gracePeriodSeconds: 0 })
  await eventually(async () => {
    expect((await client.get(pods, 'urgent', 'default')).spec?.nodeName).toBe('only')
    const messages = (await client.list(events, { namespace: 'default' })).items.map(({ message }) => message)
    expect(messages).toContain(`Preempted by pod ${urgent.metadata.uid ?? ''} on node only`)
    expect(messages).toContain('0/1 nodes are available: 1 Insufficient cpu.')
  })
})
