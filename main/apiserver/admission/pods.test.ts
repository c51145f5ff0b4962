import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PersistentVolumeClaim, Pod } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { create, newNamespace, podSpec } from './testing.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

describe('LimitRanger', () => {
  beforeAll(async () => {
    await newNamespace(server, 'limits')
    await create(server, 'v1 LimitRange limits/all', {
      spec: {
        limits: [
          {
            type: 'Container',
            default: { cpu: '500m' },
            defaultRequest: { cpu: '100m' },
            max: { memory: '1Gi' },
            min: { cpu: '50m' },
            maxLimitRequestRatio: { cpu: '10' },
          },
          { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } },
        ],
      },
    })
  })
  it('fills in what a container does not say', async () => {
    const { object, status, message } = await create<KubeObject & Pod>(server, 'v1 Pod limits/a', podSpec())
    expect(status, message).toBe(201)
    expect(object.spec?.containers[0]?.resources).toEqual({
      requests: { cpu: '100m', memory: '1Gi' },
      limits: { cpu: '500m', memory: '1Gi' },
    })
    expect(object.metadata.annotations?.['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c',
    )
  })
  it.each([
    [{ limits: { memory: '2Gi' } }, 'maximum memory usage per Container is 1Gi, but limit is 2Gi'],
    [
      { requests: { cpu: '10m' }, limits: { cpu: '20m' } },
      'minimum cpu usage per Container is 50m, but request is 10m',
    ],
    [
      { requests: { cpu: '60m' }, limits: { cpu: '1' } },
      'cpu max limit to request ratio per Container is 10, but provided ratio is 16.666667',
    ],
  ])('%j is refused', async (resources, why) => {
    const { status, message } = await create(server, 'v1 Pod limits/b', podSpec({ resources }))
    expect(status).toBe(403)
    expect(message).toBe(`pods "b" is forbidden: ${why}`)
  })
  it('keeps claims within bounds', async () => {
    const claim = (storage: string): { spec: object } => ({
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
    })
    expect((await create(server, 'v1 PersistentVolumeClaim limits/p', claim('3Gi'))).message).toBe(
      'persistentvolumeclaims "p" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi',
    )
    expect((await create(server, 'v1 PersistentVolumeClaim limits/p', claim('1Gi'))).status).toBe(201)
  })
})

describe('Priority', () => {
  beforeAll(async () => {
    await newNamespace(server, 'priority')
    await create(server, 'scheduling.k8s.io/v1 PriorityClass high', { value: 1000, preemptionPolicy: 'Never' })
  })
  it('knows the classes of the system, which are there to stay', async () => {
    const path = '/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical'
    expect((await server.call(path)).body).toMatchObject({ value: 2_000_001_000 })
    expect(await server.call(path, { method: 'DELETE' })).toMatchObject({
      status: 403,
      body: {
        message:
          'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted',
      },
    })
  })

  it('is zero without a class, and the class’s number with one', async () => {
    const plain = await create<KubeObject & Pod>(server, 'v1 Pod priority/plain', podSpec())
    expect(plain.object.spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' })
    const high = await create<KubeObject & Pod>(
      server,
      'v1 Pod priority/high',
      podSpec({}, { priorityClassName: 'high' }),
    )
    expect(high.object.spec).toMatchObject({ priority: 1000, preemptionPolicy: 'Never' })
    const system = await create<KubeObject & Pod>(
      server,
      'v1 Pod priority/s',
      podSpec({}, { priorityClassName: 'system-node-critical' }),
    )
    expect(system.object.spec?.priority).toBe(2_000_001_000)
  })
  it('must be of a class that exists, and its own', async () => {
    expect((await create(server, 'v1 Pod priority/x', podSpec({}, { priorityClassName: 'none' }))).message).toBe(
      'pods "x" is forbidden: no PriorityClass with name none was found',
    )
    expect((await create(server, 'v1 Pod priority/x', podSpec({}, { priority: 7 }))).message).toBe(
      'pods "x" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    )
  })
  it('has one default at most', async () => {
    expect(
      (await create(server, 'scheduling.k8s.io/v1 PriorityClass d1', { value: 5, globalDefault: true })).status,
    ).toBe(201)
    expect(
      (await create(server, 'scheduling.k8s.io/v1 PriorityClass d2', { value: 6, globalDefault: true })).message,
    ).toBe(
      'priorityclasses.scheduling.k8s.io "d2" is forbidden: PriorityClass d1 is already marked as globalDefault. Only one default can exist',
    )
    const pod = await create<KubeObject & Pod>(server, 'v1 Pod priority/d', podSpec())
    expect(pod.object.spec).toMatchObject({ priority: 5, priorityClassName: 'd1' })
  })
})

describe('RuntimeClass', () => {
  it('writes overhead and scheduling into the pod', async () => {
    await newNamespace(server, 'runtime')
    await create(server, 'node.k8s.io/v1 RuntimeClass kata', {
      handler: 'kata',
      overhead: { podFixed: { cpu: '250m' } },
      scheduling: { nodeSelector: { vm: 'yes' }, tolerations: [{ key: 'vm', operator: 'Exists' }] },
    })
    const { object } = await create<KubeObject & Pod>(
      server,
      'v1 Pod runtime/p',
      podSpec({}, { runtimeClassName: 'kata' }),
    )
    expect(object.spec).toMatchObject({ overhead: { cpu: '250m' }, nodeSelector: { vm: 'yes' } })
    expect(object.spec?.tolerations).toContainEqual({ key: 'vm', operator: 'Exists' })
    expect((await create(server, 'v1 Pod runtime/q', podSpec({}, { runtimeClassName: 'none' }))).message).toBe(
      'pods "q" is forbidden: pod rejected: RuntimeClass "none" not found',
    )
    expect((await create(server, 'v1 Pod runtime/q', podSpec({}, { overhead: { cpu: '1' } }))).message).toBe(
      'pods "q" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    )
  })
})

describe('storage', () => {
  it('gives claims the default class', async () => {
    await newNamespace(server, 'claims')
    await create(server, 'storage.k8s.io/v1 StorageClass fast', {
      metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'example.com/fast',
    })
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
    const { object } = await create<KubeObject & PersistentVolumeClaim>(server, 'v1 PersistentVolumeClaim claims/a', {
      spec,
    })
    expect(object.spec?.storageClassName).toBe('fast')
    const none = await create<KubeObject & PersistentVolumeClaim>(server, 'v1 PersistentVolumeClaim claims/b', {
      spec: { ...spec, storageClassName: '' },
    })
    expect(none.object.spec?.storageClassName).toBe('')
    const grown = await server.call<{ message: string }>('/api/v1/namespaces/claims/persistentvolumeclaims/a', {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { spec: { resources: { requests: { storage: '2Gi' } } } },
    })
    expect(grown.body.message).toContain('spec is immutable after creation except resources.requests')
  })
  it('gives ingresses the default class', async () => {
    await create(server, 'networking.k8s.io/v1 IngressClass main', {
      metadata: { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
      spec: { controller: 'example.com/main' },
    })
    const { object } = await create(server, 'networking.k8s.io/v1 Ingress claims/i', {
      spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
    })
    expect(object).toMatchObject({ spec: { ingressClassName: 'main' } })
  })
})
