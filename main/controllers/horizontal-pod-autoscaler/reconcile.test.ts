import { afterEach, beforeEach, expect, it } from 'vitest'
import type { AutoscalingV2HorizontalPodAutoscalerSpec } from '../../../common/api/generated/types.ts'
import { deployments, events, horizontalPodAutoscalers } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { testDeployment } from '../testing/objects.ts'
import type { RunningCluster } from '../testing/running-cluster.ts'
import { startTestCluster } from '../testing/running-cluster.ts'

let cluster: RunningCluster

beforeEach(async () => {
  cluster = await startTestCluster({ controllers: ['horizontal-pod-autoscaler-controller', 'deployment-controller'] })
})
afterEach(() => cluster.stop())

const create = (change: Partial<AutoscalingV2HorizontalPodAutoscalerSpec>) =>
  cluster.client.create(horizontalPodAutoscalers, {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      minReplicas: 1,
      maxReplicas: 5,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      ...change,
    },
  })
const conditions = async () =>
  (await cluster.client.get(horizontalPodAutoscalers, 'web', 'default')).status?.conditions?.map(
    ({ type, status, reason }) => [type, status, reason],
  )

it('brings its target into the range, and says that it did', async () => {
  await cluster.client.create(deployments, testDeployment('web', 1))
  await create({ minReplicas: 3 })
  await eventually(async () => {
    expect((await cluster.client.get(deployments, 'web', 'default')).spec?.replicas).toBe(3)
    expect(await conditions()).toEqual([['AbleToScale', 'True', 'SucceededRescale']])
    const messages = (await cluster.client.list(events, { namespace: 'default' })).items.map(({ message }) => message)
    expect(messages).toContain('New size: 3; reason: Current number of replicas below Spec.MinReplicas')
  })
})

it('says that there are no metrics', async () => {
  await cluster.client.create(deployments, testDeployment('web', 1))
  await create({})
  await eventually(async () => {
    expect(await conditions()).toEqual([
      ['AbleToScale', 'True', 'SucceededGetScale'],
      ['ScalingActive', 'False', 'FailedGetResourceMetric'],
    ])
  })
})

it('says that its target is not there', async () => {
  await create({ scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'nobody' } })
  await eventually(async () => {
    expect(await conditions()).toEqual([['AbleToScale', 'False', 'FailedGetScale']])
  })
})
