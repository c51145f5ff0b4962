// Deployment, replica set, scheduler, services and namespaces together, on the real API machinery.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  configMaps,
  deployments,
  endpointSlices,
  endpoints,
  events,
  namespaces,
  pods,
  replicaSets,
  serviceAccounts,
  services,
} from '../../common/client/resources.ts'
import { eventually } from '../../common/client/testing/eventually.ts'
import { systemClock } from '../../common/machinery/clock.ts'
import { silentLogger } from '../../common/machinery/logger.ts'
import type { RunningScheduler } from '../scheduler/index.ts'
import { startScheduler } from '../scheduler/index.ts'
import type { RunningControllers } from './index.ts'
import { startControllers } from './index.ts'
import { addNode, testDeployment, testNode } from './testing/objects.ts'
import type { PlayedKubelets } from './testing/play-kubelet.ts'
import { playKubelets } from './testing/play-kubelet.ts'
import type { TestControlPlane } from './testing/control-plane.ts'
import { startTestControlPlane } from './testing/control-plane.ts'

let plane: TestControlPlane
let controllers: RunningControllers
let scheduler: RunningScheduler
let kubelets: PlayedKubelets

beforeEach(async () => {
  plane = await startTestControlPlane()
  const common = { client: plane.client, clock: systemClock, logger: silentLogger }
  controllers = startControllers({ ...common, clusterCA: 'the CA' })
  scheduler = startScheduler(common)
  kubelets = playKubelets(plane.client)
  await addNode(plane.client, testNode('node-1'))
  await addNode(plane.client, testNode('node-2'))
  await Promise.all([controllers.ready, scheduler.ready])
})

afterEach(async () => {
  await Promise.all([controllers.stop(), scheduler.stop(), kubelets.stop()])
  await plane.close()
})

const availableReplicas = async (name: string): Promise<number | undefined> =>
  (await plane.client.get(deployments, name, 'default')).status?.availableReplicas

describe('controllers and scheduler', () => {
  it('gives each namespace its service account and CA', async () => {
    await eventually(async () => {
      expect((await plane.client.get(configMaps, 'kube-root-ca.crt', 'kube-system')).data).toEqual({
        'ca.crt': 'the CA',
      })
      await plane.client.get(serviceAccounts, 'default', 'default')
    })
    await plane.client.delete(serviceAccounts, 'default', 'default')
    await eventually(() => plane.client.get(serviceAccounts, 'default', 'default'))
  })

  it('brings a deployment up over both nodes, with conditions and events as upstream words them', async () => {
    await plane.client.create(deployments, testDeployment('web', 4))
    await eventually(async () => {
      expect(await availableReplicas('web')).toBe(4)
    })
    const web = await eventually(async () => {
      const deployment = await plane.client.get(deployments, 'web', 'default')
      expect(deployment.status?.conditions?.find(({ type }) => type === 'Progressing')?.reason).toBe(
        'NewReplicaSetAvailable',
      )
      return deployment
    })
    expect(web.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1')
    const [set] = (await plane.client.list(replicaSets, { namespace: 'default' })).items
    const setName = set?.metadata.name ?? ''
    expect(web.status?.conditions?.map(({ type, status, message }) => [type, status, message])).toEqual(
      expect.arrayContaining([
        ['Available', 'True', 'Deployment has minimum availability.'],
        ['Progressing', 'True', `ReplicaSet "${setName}" has successfully progressed.`],
      ]),
    )
    const placed = (await plane.client.list(pods, { namespace: 'default' })).items
      .map((pod) => pod.spec?.nodeName)
      .sort()
    expect(placed).toEqual(['node-1', 'node-1', 'node-2', 'node-2'])
    await eventually(async () => {
      const messages = (await plane.client.list(events, { namespace: 'default' })).items.map(
        ({ reason, message }) => `${reason ?? ''}: ${message ?? ''}`,
      )
      expect(messages).toContain(`ScalingReplicaSet: Scaled up replica set ${setName} from 0 to 4`)
      expect(messages.filter((message) => message.startsWith('SuccessfulCreate: Created pod: web-'))).toHaveLength(4)
      expect(
        messages.some((message) => /^Scheduled: Successfully assigned default\/web-\S+ to node-1$/.test(message)),
      ).toBe(true)
    })
  })

  it('rolls to a new template within its limits, and back to the old replica set', async () => {
    await plane.client.create(deployments, testDeployment('web', 4))
    await eventually(async () => {
      expect(await availableReplicas('web')).toBe(4)
    })
    const patchImage = (image: string) =>
      plane.client.patch(deployments, { name: 'web', namespace: 'default' }, 'application/merge-patch+json', {
        spec: { template: { spec: { containers: [{ name: 'main', image }] } } },
      })
    await patchImage('docker.io/library/hello:2.0')
    await eventually(async () => {
      const { status, metadata } = await plane.client.get(deployments, 'web', 'default')
      expect(status).toMatchObject({
        updatedReplicas: 4,
        availableReplicas: 4,
        replicas: 4,
        observedGeneration: metadata.generation,
      })
    })
    expect(
      (await plane.client.list(replicaSets, { namespace: 'default' })).items.map((set) => set.spec?.replicas).sort(),
    ).toEqual([0, 4])
    await patchImage('docker.io/library/hello:1.0')
    await eventually(async () => {
      const sets = (await plane.client.list(replicaSets, { namespace: 'default' })).items
      expect(sets).toHaveLength(2)
      const back = sets.find((set) => set.spec?.template?.spec?.containers[0]?.image === 'docker.io/library/hello:1.0')
      expect(back?.status?.availableReplicas).toBe(4)
      expect(back?.metadata.annotations).toMatchObject({
        'deployment.kubernetes.io/revision': '3',
        'deployment.kubernetes.io/revision-history': '1',
      })
    })
  })

  it('stops a rollout whose pods do not become ready', async () => {
    await plane.client.create(deployments, testDeployment('web', 4))
    await eventually(async () => {
      expect(await availableReplicas('web')).toBe(4)
    })
    kubelets.isHealthy = (pod) => pod.spec?.containers[0]?.image !== 'docker.io/library/bad:1'
    await plane.client.patch(deployments, { name: 'web', namespace: 'default' }, 'application/merge-patch+json', {
      spec: { template: { spec: { containers: [{ name: 'main', image: 'docker.io/library/bad:1' }] } } },
    })
    await eventually(async () => {
      const { status } = await plane.client.get(deployments, 'web', 'default')
      // 25 %: one more and one fewer of four.
      expect(status).toMatchObject({ updatedReplicas: 2, availableReplicas: 3, replicas: 5 })
    })
  })

  it('replaces a pod that is deleted', async () => {
    await plane.client.create(deployments, testDeployment('web', 2))
    await eventually(async () => {
      expect(await availableReplicas('web')).toBe(2)
    })
    const [doomed] = (await plane.client.list(pods, { namespace: 'default' })).items
    await plane.client.delete(pods, doomed?.metadata.name ?? '', 'default')
    await eventually(async () => {
      const now = (await plane.client.list(pods, { namespace: 'default' })).items
      expect(now.map((pod) => pod.metadata.uid)).not.toContain(doomed?.metadata.uid)
      expect(await availableReplicas('web')).toBe(2)
    })
  })

  it('publishes the endpoints of a service', async () => {
    await plane.client.create(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
    })
    await plane.client.create(deployments, testDeployment('web', 3))
    await eventually(async () => {
      const [slice] = (
        await plane.client.list(endpointSlices, {
          namespace: 'default',
          labelSelector: 'kubernetes.io/service-name=web',
        })
      ).items
      expect(slice?.endpoints?.filter(({ conditions }) => conditions?.ready === true)).toHaveLength(3)
      expect(slice?.ports).toEqual([{ name: '', port: 8080, protocol: 'TCP' }])
      expect((await plane.client.get(endpoints, 'web', 'default')).subsets?.[0]?.addresses).toHaveLength(3)
    })
  })

  it('empties and removes a deleted namespace', async () => {
    await plane.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gone' } })
    await plane.client.create(deployments, {
      ...testDeployment('web', 2),
      metadata: { name: 'web', namespace: 'gone' },
    })
    await eventually(async () => {
      expect((await plane.client.list(pods, { namespace: 'gone' })).items).toHaveLength(2)
    })
    await plane.client.delete(namespaces, 'gone')
    await eventually(async () => {
      expect((await plane.client.list(namespaces)).items.map(({ metadata }) => metadata.name)).not.toContain('gone')
    })
    expect((await plane.client.list(pods, { namespace: 'gone' })).items).toEqual([])
  })
})
