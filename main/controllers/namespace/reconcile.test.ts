import { afterEach, beforeEach, expect, it } from 'vitest'
import type { NamespaceCondition } from '../../../common/api/generated/types.ts'
import { apiServices, configMaps, namespaces, pods } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'
import { testPod } from '../testing/objects.ts'

const namespace = 'doomed'
let cluster: TestControllers

beforeEach(async () => {
  cluster = await startTestControllers(['namespace-controller', 'serviceaccount-controller'])
  await cluster.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
})
afterEach(() => cluster.stop())

const condition = async (type: string): Promise<NamespaceCondition | undefined> =>
  (await cluster.client.get(namespaces, namespace)).status?.conditions?.find((each) => each.type === type)
const gone = (): Promise<void> =>
  eventually(async () => {
    await expect(cluster.client.get(namespaces, namespace)).rejects.toSatisfy((error) => isReason(error, 'NotFound'))
  })
const addContent = async (): Promise<void> => {
  const metadata = { name: 'content', namespace }
  await cluster.client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata })
}

it('loses its pods first, and the rest when they are gone', async () => {
  const pod = testPod('last')
  await addContent()
  await eventually(() =>
    cluster.client.create(pods, {
      ...pod,
      metadata: { ...pod.metadata, namespace, finalizers: ['example.com/held'] },
    }),
  )
  await cluster.client.delete(namespaces, namespace)
  await eventually(async () => {
    expect(await condition('NamespaceContentRemaining')).toMatchObject({
      status: 'True',
      reason: 'SomeResourcesRemain',
      message: 'Some resources are remaining: pods. has 1 resource instances',
    })
    expect(await condition('NamespaceFinalizersRemaining')).toMatchObject({
      status: 'True',
      reason: 'SomeFinalizersRemain',
      message: 'Some content in the namespace has finalizers remaining: example.com/held in 1 resource instances',
    })
    expect(await condition('NamespaceDeletionContentFailure')).toMatchObject({ status: 'False' })
  })
  expect((await cluster.client.get(configMaps, 'content', namespace)).metadata.deletionTimestamp).toBeUndefined()
  await cluster.client.patch(pods, { name: 'last', namespace }, 'application/merge-patch+json', {
    metadata: { finalizers: null },
  })
  await gone()
})

it('stays while an extension API server does not say what it has', async () => {
  await cluster.client.create(apiServices, {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.gone.example.com' },
    spec: {
      group: 'gone.example.com',
      version: 'v1',
      groupPriorityMinimum: 1000,
      versionPriority: 15,
      insecureSkipTLSVerify: true,
      service: { namespace: 'default', name: 'nowhere' },
    },
  })
  await addContent()
  await cluster.client.delete(namespaces, namespace)
  await eventually(async () => {
    expect(await condition('NamespaceDeletionDiscoveryFailure')).toMatchObject({
      status: 'True',
      reason: 'DiscoveryFailed',
      message:
        'Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: gone.example.com/v1: stale GroupVersion discovery: gone.example.com/v1',
    })
    // What is known goes all the same.
    expect((await cluster.client.list(configMaps, { namespace })).items).toEqual([])
  })
  await cluster.client.delete(apiServices, 'v1.gone.example.com')
  await gone()
})
