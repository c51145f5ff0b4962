import { afterEach, beforeEach, expect, it } from 'vitest'
import type { EndpointSlice, Endpoints, Service } from '../../../common/api/generated/types.ts'
import { endpointSlices, endpoints, pods, services } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'
import { addNode, reportPod, testNode, testPod } from '../testing/objects.ts'

let cluster: TestControllers
beforeEach(async () => {
  cluster = await startTestControllers([
    'endpoints-controller',
    'endpointslice-controller',
    'endpointslice-mirroring-controller',
    'serviceaccount-controller',
  ])
})
afterEach(() => cluster.stop())

const service = (selector?: Record<string, string>): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { ports: [{ port: 80, targetPort: 8080 }], ...(selector === undefined ? {} : { selector }) },
})
const handMade = (ips: string[], labels: Record<string, string> = {}): Endpoints => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name: 'web', namespace: 'default', labels },
  subsets: [{ addresses: ips.map((ip) => ({ ip })), ports: [{ port: 8080 }] }],
})
const slices = async (): Promise<EndpointSlice[]> =>
  (await cluster.client.list(endpointSlices, { namespace: 'default' })).items
const addresses = async (): Promise<string[]> =>
  (await slices()).flatMap((slice) => (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses)).sort()

it('mirrors hand-made endpoints of a service without a selector, and follows their changes and their end', async () => {
  await cluster.client.create(services, service())
  await cluster.client.create(endpoints, handMade(['192.0.2.1', '2001:db8::1'], { team: 'a' }))
  await eventually(async () => {
    const found = await slices()
    expect(found.map(({ addressType }) => addressType).sort()).toEqual(['IPv4', 'IPv6'])
    expect(found[0]?.metadata.labels).toEqual({
      team: 'a',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
    })
  })
  const [before] = (await slices()).filter(({ addressType }) => addressType === 'IPv4')
  await cluster.client.patch(endpoints, { name: 'web', namespace: 'default' }, 'application/merge-patch+json', {
    subsets: handMade(['192.0.2.1', '192.0.2.2']).subsets,
  })
  await eventually(async () => {
    expect(await addresses()).toEqual(['192.0.2.1', '192.0.2.2'])
  })
  expect((await slices())[0]?.metadata.uid).toBe(before?.metadata.uid)
  await cluster.client.delete(endpoints, 'web', 'default')
  await eventually(async () => {
    expect(await slices()).toEqual([])
  })
})

it('leaves endpoints alone that ask for it', async () => {
  await cluster.client.create(endpoints, handMade(['192.0.2.1'], { 'endpointslice.kubernetes.io/skip-mirror': 'true' }))
  await cluster.client.create(services, service())
  await eventually(() => {
    expect(cluster.controllers.controllers.every(({ idle }) => idle)).toBe(true)
  })
  expect(await slices()).toEqual([])
})

it('a service with a selector has Endpoints and slices of its pods, and loses the Endpoints with itself', async () => {
  await cluster.client.create(services, service({ app: 'web' }))
  await addNode(cluster.client, testNode('node-1'))
  await eventually(() => cluster.client.create(pods, testPod('p', { nodeName: 'node-1' }, { app: 'web' })))
  await reportPod(cluster.client, testPod('p'), { podIP: '10.244.0.5' })
  await eventually(async () => {
    const object = await cluster.client.get(endpoints, 'web', 'default')
    expect(object.subsets).toMatchObject([{ addresses: [{ ip: '10.244.0.5' }], ports: [{ port: 8080 }] }])
    expect(await addresses()).toEqual(['10.244.0.5'])
  })
  await cluster.client.delete(services, 'web', 'default')
  await eventually(async () => {
    expect((await cluster.client.list(endpoints, { namespace: 'default' })).items).toEqual([])
  })
})
