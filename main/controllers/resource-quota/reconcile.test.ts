import { afterEach, beforeEach, expect, it } from 'vitest'
import { configMaps, deployments, pods, resourceQuotas } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'
import { testDeployment, testPod } from '../testing/objects.ts'

let cluster: TestControllers
beforeEach(async () => {
  cluster = await startTestControllers(['resourcequota-controller', 'serviceaccount-controller'])
})
afterEach(() => cluster.stop())

const makeQuota = (hard: Record<string, string>) =>
  cluster.client.create(resourceQuotas, {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'default' },
    spec: { hard },
  })
const status = async () => (await cluster.client.get(resourceQuotas, 'q', 'default')).status

it('counts what is there, what comes and what goes', async () => {
  await eventually(() => cluster.client.create(pods, testPod('a')))
  await makeQuota({ pods: '3', 'count/deployments.apps': '2', resourcequotas: '1' })
  await eventually(async () => {
    expect(await status()).toEqual({
      hard: { pods: '3', 'count/deployments.apps': '2', resourcequotas: '1' },
      used: { pods: '1', 'count/deployments.apps': '0', resourcequotas: '1' },
    })
  })
  await cluster.client.create(deployments, testDeployment('web', 0))
  await cluster.client.delete(pods, 'a', 'default')
  await eventually(async () => {
    expect((await status())?.used).toMatchObject({ pods: '0', 'count/deployments.apps': '1' })
  })
})

it('follows a change of its limits', async () => {
  await makeQuota({ pods: '3' })
  await eventually(async () => {
    expect((await status())?.used).toEqual({ pods: '0' })
  })
  await cluster.client.patch(resourceQuotas, { name: 'q', namespace: 'default' }, 'application/merge-patch+json', {
    spec: { hard: { pods: null, configmaps: '9' } },
  })
  await eventually(async () => {
    const { items } = await cluster.client.list(configMaps, { namespace: 'default' })
    expect(await status()).toEqual({ hard: { configmaps: '9' }, used: { configmaps: String(items.length) } })
  })
})
