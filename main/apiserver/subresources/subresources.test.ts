import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Pod, PodDisruptionBudget, Scale, Service } from '../../../common/api/generated/types.ts'
import type { KubeList, KubeObject } from '../../../common/machinery/meta.ts'
import { startTestServer, type Answer, type TestServer } from '../testing/test-server.ts'

interface Failure {
  code: number
  reason: string
  message: string
  details?: { causes?: { reason: string; message: string }[]; retryAfterSeconds?: number }
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.call('/api/v1/namespaces/default/serviceaccounts', {
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
  })
})
afterAll(() => server.close())

const pods = '/api/v1/namespaces/default/pods'
let count = 0
let name = ''
beforeEach(() => {
  count += 1
  name = `pod-${String(count)}`
})

async function createPod(labels: Record<string, string> = {}): Promise<void> {
  const spec = { containers: [{ name: 'main', image: 'hello' }], terminationGracePeriodSeconds: 30 }
  const { status, text } = await server.call(pods, {
    body: { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec },
  })
  expect([status, text.slice(0, status === 201 ? 0 : 200)]).toEqual([201, ''])
}
const readPod = async (): Promise<Pod> => (await server.call<Pod>(`${pods}/${name}`)).body

const binding = (target: object, metadata: object = { name }): object => ({
  apiVersion: 'v1',
  kind: 'Binding',
  metadata,
  target,
})

describe('pods/binding', () => {
  it.each([() => `${pods}/${name}/binding`, () => '/api/v1/namespaces/default/bindings'])(
    'gives a pod to a node, once (%#)',
    async (path) => {
      const labels = { 'topology.kubernetes.io/zone': 'a', other: 'b' }
      await server.call('/api/v1/nodes', { body: { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', labels } } })
      await createPod({ app: 'web' })
      const bound = await server.call<Failure>(path(), { body: binding({ kind: 'Node', name: 'n1' }) })
      expect(bound.body).toMatchObject({ status: 'Success', code: 201 })
      const pod = await readPod()
      expect(pod).toMatchObject({
        metadata: { generation: 1, labels: { app: 'web', 'topology.kubernetes.io/zone': 'a' } },
        spec: { nodeName: 'n1' },
        status: { conditions: [{ type: 'PodScheduled', status: 'True' }] },
      })
      expect(pod.metadata.labels).not.toHaveProperty('other')
      const again = await server.call<Failure>(path(), { body: binding({ kind: 'Node', name: 'n2' }) })
      expect(again.body).toMatchObject({ code: 409, reason: 'Conflict' })
      expect(again.body.message).toContain(`pod ${name} is already assigned to node "n1"`)
    },
  )

  it('checks what it is given', async () => {
    await createPod()
    const to = (target: object) => server.call<Failure>(`${pods}/${name}/binding`, { body: binding(target) })
    expect((await to({})).body.message).toContain('target.name: Required value')
    expect((await to({ kind: 'Moon', name: 'x' })).body.message).toContain('target.kind: Unsupported value: "Moon"')
  })
})

describe('pods/eviction', () => {
  const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
  const evict = (deleteOptions: object = {}): Promise<Answer<Failure>> =>
    server.call<Failure>(`${pods}/${name}/eviction`, {
      body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name }, deleteOptions },
    })
  const readBudget = async (): Promise<PodDisruptionBudget> =>
    (await server.call<PodDisruptionBudget>(`${budgets}/${name}`)).body

  async function createRunningPod(): Promise<void> {
    await createPod({ app: name })
    await server.call(`${pods}/${name}/binding`, { body: binding({ name: 'n1' }) })
    const pod = await readPod()
    const conditions = [{ type: 'Ready', status: 'True' }]
    const { status, text } = await server.call(`${pods}/${name}/status`, {
      method: 'PUT',
      body: { ...pod, status: { ...pod.status, phase: 'Running', conditions } },
    })
    expect([status, status === 200 ? '' : text]).toEqual([200, ''])
  }

  async function createBudget(disruptionsAllowed: number, observedGeneration = 1): Promise<void> {
    const budget = await server.call<PodDisruptionBudget>(budgets, {
      body: {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name },
        spec: { minAvailable: 1, selector: { matchLabels: { app: name } } },
      },
    })
    const status = { disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, observedGeneration }
    await server.call(`${budgets}/${name}/status`, { method: 'PUT', body: { ...budget.body, status } })
  }

  it('deletes a pod, and says on it why', async () => {
    await createRunningPod()
    expect((await evict()).body).toMatchObject({ status: 'Success', code: 201 })
    const pod = await readPod()
    expect(pod.metadata.deletionGracePeriodSeconds).toBe(30)
    expect(pod.status?.conditions?.at(-1)).toMatchObject({
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'Eviction API: evicting',
    })
  })

  it('takes from the budget, and is refused when nothing is left', async () => {
    await createRunningPod()
    await createBudget(1)
    expect((await evict({ dryRun: ['All'] })).status).toBe(201)
    expect((await readBudget()).status?.disruptionsAllowed).toBe(1)
    expect((await readPod()).metadata.deletionTimestamp).toBeUndefined()
    expect((await evict({ gracePeriodSeconds: 7 })).status).toBe(201)
    expect((await readPod()).metadata.deletionGracePeriodSeconds).toBe(7)
    const { status } = await readBudget()
    expect(status).toMatchObject({ disruptionsAllowed: 0 })
    expect(Object.keys(status?.disruptedPods ?? {})).toEqual([name])
  })

  it('answers 429 with the reason', async () => {
    await createRunningPod()
    await createBudget(0)
    expect((await evict()).body).toMatchObject({
      code: 429,
      reason: 'TooManyRequests',
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: {
        causes: [
          {
            reason: 'DisruptionBudget',
            message: `The disruption budget ${name} needs 1 healthy pods and has 1 currently`,
          },
        ],
      },
    })
  })

  it('waits for a budget that has not been looked at', async () => {
    await createRunningPod()
    await createBudget(1, 0)
    const { headers, body } = await evict()
    expect(headers['retry-after']).toBe('10')
    expect(body.details?.causes?.[0]?.message).toBe(
      `The disruption budget ${name} is still being processed by the server.`,
    )
  })

  it('holds to its preconditions', async () => {
    await createRunningPod()
    const { metadata } = await readPod()
    expect((await evict({ preconditions: { uid: 'other' } })).body).toMatchObject({ code: 409 })
    expect((await evict({ preconditions: { resourceVersion: '1' } })).body).toMatchObject({ code: 409 })
    const { uid, resourceVersion } = metadata
    expect((await evict({ preconditions: { uid, resourceVersion } })).status).toBe(201)
  })
})

describe('replicationcontrollers/scale', () => {
  it('shows and sets replicas', async () => {
    const path = '/api/v1/namespaces/default/replicationcontrollers'
    const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'm', image: 'x' }] } }
    await server.call(path, {
      body: { apiVersion: 'v1', kind: 'ReplicationController', metadata: { name }, spec: { replicas: 2, template } },
    })
    const { body } = await server.call<Scale>(`${path}/${name}/scale`)
    expect(body).toMatchObject({ kind: 'Scale', spec: { replicas: 2 }, status: { replicas: 0, selector: 'app=a' } })
    const scaled = await server.call<Scale>(`${path}/${name}/scale`, {
      method: 'PUT',
      body: { ...body, spec: { replicas: 5 } },
    })
    expect(scaled.body.spec).toEqual({ replicas: 5 })
  })
})

describe('kinds that are answered and never stored', () => {
  it('componentstatuses says how the store is, and that it is deprecated', async () => {
    const { body, headers } = await server.call<KubeList>('/api/v1/componentstatuses')
    expect(body.items).toMatchObject([
      { metadata: { name: 'etcd-0' }, conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }] },
    ])
    expect(headers.warning).toBe('299 - "v1 ComponentStatus is deprecated in v1.19+"')
    expect((await server.call('/api/v1/componentstatuses/nobody')).status).toBe(404)
  })
})

describe('addresses of Services', () => {
  const services = '/api/v1/namespaces/default/services'
  const addresses = '/apis/networking.k8s.io/v1/ipaddresses'
  const create = (clusterIP?: string): Promise<Answer<Service & Failure>> =>
    server.call<Service & Failure>(services, {
      body: { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { clusterIP, ports: [{ port: 80 }] } },
    })

  it('are objects that live as long as the Service', async () => {
    const { body } = await create()
    const address = `${addresses}/${body.spec?.clusterIP ?? ''}`
    expect((await server.call<KubeObject>(address)).body).toMatchObject({
      spec: { parentRef: { resource: 'services', namespace: 'default', name } },
    })
    await server.call(`${services}/${name}`, { method: 'DELETE' })
    expect((await server.call(address)).status).toBe(404)
  })

  it('go when the Service becomes an alias', async () => {
    const { body } = await create('10.96.77.7')
    expect((await server.call(`${addresses}/10.96.77.7`)).status).toBe(200)
    const spec = { ...body.spec, type: 'ExternalName', externalName: 'example.com', ports: undefined }
    const changed = await server.call(`${services}/${name}`, { method: 'PUT', body: { ...body, spec } })
    expect(changed.status).toBe(200)
    expect((await server.call(`${addresses}/10.96.77.7`)).status).toBe(404)
  })

  it('cannot be had twice', async () => {
    const parentRef = { resource: 'vips', name: 'mine' }
    await server.call(addresses, {
      body: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IPAddress',
        metadata: { name: '10.96.77.8' },
        spec: { parentRef },
      },
    })
    const { body } = await create('10.96.77.8')
    expect(body.message).toContain('failed to allocate IP 10.96.77.8: provided IP is already allocated')
  })

  it('come from the default ServiceCIDR, which is ready from the start', async () => {
    const { body } = await server.call<KubeObject>('/apis/networking.k8s.io/v1/servicecidrs/kubernetes')
    expect(body).toMatchObject({
      spec: { cidrs: ['10.96.0.0/16'] },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    })
    expect((await server.call(`${addresses}/10.96.0.1`)).status).toBe(200)
  })
})

describe('updates that must name a revision', () => {
  it('are refused without one', async () => {
    const path = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
    const budget = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name },
      spec: { minAvailable: 1 },
    }
    await server.call(path, { body: budget })
    const { body } = await server.call<Failure>(`${path}/${name}`, { method: 'PUT', body: budget })
    expect(body).toMatchObject({
      code: 422,
      message: `PodDisruptionBudget.policy "${name}" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update`,
    })
  })
})

describe('deletion of a Job', () => {
  const path = '/apis/batch/v1/namespaces/default/jobs'
  const create = (): Promise<unknown> => {
    const template = { spec: { containers: [{ name: 'm', image: 'x' }], restartPolicy: 'Never' } }
    return server.call(path, { body: { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { template } } })
  }

  it('warns that pods stay, unless the client says what it wants', async () => {
    await create()
    const silent = await server.call(`${path}/${name}?propagationPolicy=Background`, { method: 'DELETE' })
    expect([silent.status, silent.headers.warning]).toEqual([200, undefined])
    await create()
    const { headers, body } = await server.call<KubeObject>(`${path}/${name}`, { method: 'DELETE' })
    expect(headers.warning).toContain('child pods are preserved by default when jobs are deleted')
    expect(body.metadata.finalizers).toContain('orphan')
  })
})
