// The JavaScript client as people use it: typed clients, informers, server-side apply, and an operator through the life of its kind.
import {
  ApiextensionsV1Api,
  AppsV1Api,
  AuthorizationV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  V1MicroTime,
  type V1ConfigMap,
  type V1CustomResourceDefinition,
  VersionApi,
  Watch,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startControlPlane, type ControlPlane } from '../../harness/control-plane.ts'
import { eventually } from '../../harness/eventually.ts'
import { type Garden, group, plural, startOperator } from './operator.ts'

let plane: ControlPlane
let config: KubeConfig
let core: CoreV1Api
const namespace = 'default'
beforeAll(async () => {
  plane = await startControlPlane()
  config = new KubeConfig()
  config.loadFromFile(plane.paths.kubeconfig)
  core = config.makeApiClient(CoreV1Api)
})
afterAll(async () => {
  await plane.stop()
})

describe('typed clients', () => {
  it('write, read, list and delete', async () => {
    expect((await config.makeApiClient(VersionApi).getCode()).minor).toBe('36')
    const made = await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name: 'typed', labels: { of: 'typed' } }, data: { a: '1' } },
    })
    expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date)
    const read = await core.readNamespacedConfigMap({ namespace, name: 'typed' })
    await core.replaceNamespacedConfigMap({ namespace, name: 'typed', body: { ...read, data: { a: '2' } } })
    await expect(core.replaceNamespacedConfigMap({ namespace, name: 'typed', body: read })).rejects.toMatchObject({
      code: 409,
    })
    const { items } = await core.listNamespacedConfigMap({ namespace, labelSelector: 'of=typed', limit: 5 })
    expect(items.map(({ data }) => data)).toEqual([{ a: '2' }])
    await core.deleteNamespacedConfigMap({ namespace, name: 'typed' })
    await expect(core.readNamespacedConfigMap({ namespace, name: 'typed' })).rejects.toMatchObject({ code: 404 })
  })

  it('scale, patch statuses, evict and bind', async () => {
    const apps = config.makeApiClient(AppsV1Api)
    const labels = { app: 'web' }
    await apps.createNamespacedDeployment({
      namespace,
      body: {
        metadata: { name: 'web' },
        spec: {
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
        },
      },
    })
    await apps.patchNamespacedDeploymentScale(
      { namespace, name: 'web', body: { spec: { replicas: 2 } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    )
    const pods = await eventually('two pods', async () => {
      const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'app=web' })
      return items.length === 2 ? items : undefined
    })
    const name = pods[0]?.metadata?.name ?? ''
    await core.createNamespacedPodEviction({ namespace, name, body: { metadata: { name } } })
    await eventually('another pod', async () => {
      const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'app=web' })
      return items.length === 2 && items.every(({ metadata }) => metadata?.name !== name)
    })
    const review = await config.makeApiClient(AuthorizationV1Api).createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes: { verb: 'delete', resource: 'pods', namespace } } },
    })
    expect(review.status?.allowed).toBe(true)
    await apps.deleteNamespacedDeployment({ namespace, name: 'web', propagationPolicy: 'Foreground' })
  })

  it('apply on the server side, of any kind', async () => {
    const any = KubernetesObjectApi.makeApiClient(config)
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied', namespace }, data: { a: '1' } }
    const apply = (data: Record<string, string>, manager: string) =>
      any.patch<V1ConfigMap>({ ...object, data }, undefined, undefined, manager, false, PatchStrategy.ServerSideApply)
    expect((await apply({ a: '1' }, 'one')).metadata?.managedFields?.[0]?.manager).toBe('one')
    await expect(apply({ a: '2' }, 'two')).rejects.toMatchObject({ code: 409 })
    const { items } = await any.list('v1', 'ConfigMap', namespace)
    expect(items.map(({ metadata }) => metadata?.name)).toContain('applied')
    await any.delete(object)
  })

  it('hold leases with microseconds', async () => {
    const coordination = config.makeApiClient(CoordinationV1Api)
    const renewTime = new V1MicroTime()
    const body = { metadata: { name: 'leader' }, spec: { holderIdentity: 'me', leaseDurationSeconds: 5, renewTime } }
    await coordination.createNamespacedLease({ namespace, body })
    const lease = await coordination.readNamespacedLease({ namespace, name: 'leader' })
    expect(new Date(String(lease.spec?.renewTime)).getTime()).toBe(renewTime.getTime())
  })
})

describe('informers and watches', () => {
  it('see everything that happens, in order', async () => {
    const seen: string[] = []
    const informer = makeInformer<V1ConfigMap>(
      config,
      `/api/v1/namespaces/${namespace}/configmaps`,
      () => core.listNamespacedConfigMap({ namespace, labelSelector: 'of=informer' }),
      'of=informer',
    )
    for (const event of ['add', 'update', 'delete'] as const)
      informer.on(event, ({ metadata }) => seen.push(`${event} ${metadata?.name ?? ''}`))
    await informer.start()
    const body = { metadata: { name: 'watched', labels: { of: 'informer' } } }
    await core.createNamespacedConfigMap({ namespace, body })
    await core.replaceNamespacedConfigMap({ namespace, name: 'watched', body: { ...body, data: { a: '1' } } })
    await core.deleteNamespacedConfigMap({ namespace, name: 'watched' })
    await eventually('three events', () => Promise.resolve(seen.length >= 3))
    expect(seen).toEqual(['add watched', 'update watched', 'delete watched'])
    await informer.stop()
  })

  it('go on after the version they ended at', async () => {
    const { metadata } = await core.listNamespacedConfigMap({ namespace })
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'missed' } } })
    const seen: string[] = []
    const controller = await new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      { resourceVersion: metadata?.resourceVersion ?? '', allowWatchBookmarks: true },
      (phase, object: V1ConfigMap) => seen.push(`${phase} ${object.metadata?.name ?? ''}`),
      () => undefined,
    )
    await eventually('the missed event', () => Promise.resolve(seen.includes('ADDED missed')))
    controller.abort()
  })
})

describe('an operator', () => {
  const definition = (versions: readonly string[]): V1CustomResourceDefinition => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: 'garden', kind: 'Garden', listKind: 'GardenList', shortNames: ['gd'] },
      versions: versions.map((name, index) => ({
        name,
        served: true,
        storage: index === versions.length - 1,
        subresources: { status: {} },
        additionalPrinterColumns: [{ name: 'Planted', type: 'integer', jsonPath: '.status.planted' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: { plants: { type: 'array', maxItems: 10, items: { type: 'string', pattern: '^[a-z]+$' } } },
              },
              status: {
                type: 'object',
                properties: { planted: { type: 'integer' }, observedGeneration: { type: 'integer', format: 'int64' } },
              },
            },
          },
        },
      })),
    },
  })

  it('serves its kind through its whole life', async () => {
    const extensions = config.makeApiClient(ApiextensionsV1Api)
    const custom = config.makeApiClient(CustomObjectsApi)
    const name = `${plural}.${group}`
    await extensions.createCustomResourceDefinition({ body: definition(['v1']) })
    await eventually('Established', async () =>
      (await extensions.readCustomResourceDefinition({ name })).status?.conditions?.some(
        ({ type, status }) => type === 'Established' && status === 'True',
      ),
    )
    const operator = await startOperator(config, namespace, 'v1')
    const garden = {
      apiVersion: `${group}/v1`,
      kind: 'Garden',
      metadata: { name: 'front' },
      spec: { plants: ['rose'] },
    }
    const at = { group, version: 'v1', namespace, plural }
    await custom.createNamespacedCustomObject({ ...at, body: garden })
    const planted = async (version: string, count: number): Promise<Garden> =>
      eventually(`${String(count)} planted`, async () => {
        const found = (await custom.getNamespacedCustomObject({ ...at, version, name: 'front' })) as Garden
        return found.status?.planted === count ? found : undefined
      })
    await planted('v1', 1)
    const beds = await core.readNamespacedConfigMap({ namespace, name: 'front-beds' })
    expect(beds.data).toEqual({ plants: 'rose' })
    await expect(
      custom.createNamespacedCustomObject({
        ...at,
        body: { ...garden, metadata: { name: 'bad' }, spec: { plants: ['X1'] } },
      }),
    ).rejects.toMatchObject({ code: 422 })

    // A second version, stored from now on; both show the same object.
    const { metadata } = await extensions.readCustomResourceDefinition({ name })
    const upgraded = definition(['v1', 'v2'])
    await extensions.replaceCustomResourceDefinition({
      name,
      body: { ...upgraded, metadata: { name, resourceVersion: metadata?.resourceVersion } },
    })
    await eventually('v2', async () => (await planted('v2', 1)).apiVersion === `${group}/v2`)
    const current = (await custom.getNamespacedCustomObject({ ...at, version: 'v2', name: 'front' })) as Garden
    await custom.replaceNamespacedCustomObject({
      ...at,
      version: 'v2',
      name: 'front',
      body: { ...current, spec: { plants: ['rose', 'tulip'] } },
    })
    expect((await planted('v1', 2)).metadata?.generation).toBe(2)

    // Deletion goes through the operator's finalizer; what the garden owned goes after it.
    await custom.deleteNamespacedCustomObject({ ...at, name: 'front' })
    await eventually('the garden gone', async () => {
      const { items } = (await custom.listNamespacedCustomObject(at)) as { items: unknown[] }
      return items.length === 0
    })
    expect(operator.tidied).toEqual(['front'])
    await eventually('its beds gone', async () => {
      const { items } = await core.listNamespacedConfigMap({ namespace })
      return items.every((each) => each.metadata?.name !== 'front-beds')
    })
    expect(operator.failures).toEqual([])
    await operator.stop()
    await extensions.deleteCustomResourceDefinition({ name })
    await eventually('the kind gone', async () =>
      custom.listNamespacedCustomObject(at).then(
        () => false,
        (error: unknown) => (error as { code?: number }).code === 404,
      ),
    )
  })
})
