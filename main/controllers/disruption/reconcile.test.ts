import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Pod, PodDisruptionBudget } from '../../../common/api/generated/types.ts'
import { deployments, podDisruptionBudgets, pods } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'
import { reportPod, testDeployment } from '../testing/objects.ts'

let cluster: TestControllers
beforeEach(async () => {
  cluster = await startTestControllers([
    'disruption-controller',
    'deployment-controller',
    'replicaset-controller',
    'serviceaccount-controller',
  ])
})
afterEach(() => cluster.stop())

const budget = (spec: PodDisruptionBudget['spec']): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'web', namespace: 'default' },
  spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
})
const status = async () => (await cluster.client.get(podDisruptionBudgets, 'web', 'default')).status

async function runThree(): Promise<Pod[]> {
  await cluster.client.create(deployments, testDeployment('web', 3))
  return eventually(async () => {
    const { items } = await cluster.client.list(pods, { namespace: 'default' })
    expect(items).toHaveLength(3)
    return items
  })
}
const evict = (pod: Pod) =>
  cluster.client.createSubresource(
    pods,
    { name: pod.metadata.name ?? '', namespace: 'default', subresource: 'eviction' },
    { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod.metadata.name, namespace: 'default' } },
  )

it("follows the pods' readiness and the deployment's scale, and evictions are granted by it", async () => {
  await cluster.client.create(podDisruptionBudgets, budget({ maxUnavailable: 1 }))
  const all = await runThree()
  await eventually(async () => {
    expect(await status()).toMatchObject({
      expectedPods: 3,
      desiredHealthy: 2,
      currentHealthy: 0,
      disruptionsAllowed: 0,
    })
  })
  for (const pod of all) await reportPod(cluster.client, pod)
  await eventually(async () => {
    expect(await status()).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 1 })
  })
  const [first, second] = all
  if (first === undefined || second === undefined) throw new Error('no pods')
  await evict(first)
  const refused = await evict(second).catch((error: unknown) => isReason(error, 'TooManyRequests'))
  expect(refused).toBe(true)
})

it('refuses all disruptions while an owner cannot be scaled', async () => {
  await cluster.client.create(podDisruptionBudgets, budget({ maxUnavailable: 1 }))
  await eventually(async () => {
    await cluster.client.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'p',
        namespace: 'default',
        labels: { app: 'web' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'u', controller: true }],
      },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    })
  })
  await eventually(async () => {
    expect((await status())?.conditions).toMatchObject([
      { reason: 'SyncFailed', message: 'configmaps does not implement the scale subresource' },
    ])
  })
})
