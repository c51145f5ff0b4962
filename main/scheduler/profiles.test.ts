import { expect, it } from 'vitest'
import { events, pods, serviceAccounts } from '../../common/client/resources.ts'
import { systemClock } from '../../common/machinery/clock.ts'
import { silentLogger } from '../../common/machinery/logger.ts'
import { startTestControlPlane } from '../controllers/testing/control-plane.ts'
import { addNode, testNode, testPod } from '../controllers/testing/objects.ts'
import { readSchedulerConfiguration } from './configuration/read.ts'
import { startScheduler } from './index.ts'

const configuration = readSchedulerConfiguration({
  apiVersion: 'kubescheduler.config.k8s.io/v1',
  kind: 'KubeSchedulerConfiguration',
  profiles: [
    {},
    {
      schedulerName: 'packing',
      plugins: { score: { disabled: [{ name: '*' }], enabled: [{ name: 'NodeResourcesFit' }] } },
      pluginConfig: [{ name: 'NodeResourcesFit', args: { scoringStrategy: { type: 'MostAllocated' } } }],
    },
  ],
})

it('pods are placed by the profile that they name', async () => {
  const plane = await startTestControlPlane()
  const { client } = plane
  const metadata = { name: 'default', namespace: 'default' }
  await client.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata })
  for (const name of ['a', 'b', 'c']) await addNode(client, testNode(name))
  const scheduler = startScheduler({ client, clock: systemClock, logger: silentLogger, configuration })
  try {
    await scheduler.ready
    const place = async (name: string, schedulerName?: string): Promise<string | undefined> => {
      const containers = [{ name: 'main', image: 'hello', resources: { requests: { cpu: '1', memory: '1Gi' } } }]
      await client.create(
        pods,
        testPod(name, { containers, ...(schedulerName === undefined ? {} : { schedulerName }) }),
      )
      await expect.poll(async () => (await client.get(pods, name, 'default')).spec?.nodeName).toBeDefined()
      return (await client.get(pods, name, 'default')).spec?.nodeName
    }
    const first = await place('first')
    expect(await place('second', 'packing')).toBe(first)
    expect(await place('third', 'packing')).toBe(first)
    expect(await place('fourth')).not.toBe(first)
    await scheduler.settled()
    const told = (await client.list(events)).items.map(({ involvedObject, source }) => [
      involvedObject.name,
      source?.component,
    ])
    expect(told).toContainEqual(['third', 'packing'])
    expect(told).toContainEqual(['fourth', 'default-scheduler'])
  } finally {
    await scheduler.stop()
    await plane.close()
  }
})
