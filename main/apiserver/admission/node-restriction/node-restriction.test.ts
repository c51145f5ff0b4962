import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../testing/test-server.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { create, newNamespace } from '../testing.ts'

let server: TestServer
let uid = ''
beforeAll(async () => {
  // What nodes may do at all is the authorizer's to say; here they may do everything, so that admission has the word.
  server = await startTestServer({
    tokens: {
      node: { name: 'system:node:n1', groups: ['system:nodes', 'system:masters'] },
      nameless: { name: 'system:node:', groups: ['system:nodes', 'system:masters'] },
    },
  })
  await newNamespace(server, 'n')
  const node = await create<KubeObject>(server, 'v1 Node n1', { metadata: { labels: { disk: 'ssd' } } })
  uid = node.object.metadata.uid ?? ''
  await create(server, 'v1 Pod n/mine', { spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] } })
  await create(server, 'v1 PersistentVolumeClaim n/claim', {
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  })
})
afterAll(() => server.close())

const lease = (name: string): object => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name },
  spec: { holderIdentity: name, leaseDurationSeconds: 40 },
})
const pod = (fields: object): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'p',
    annotations: { 'kubernetes.io/config.mirror': 'x' },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid, controller: true }],
  },
  spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }], ...fields },
})
const mirror = { name: 'q', annotations: { 'kubernetes.io/config.mirror': 'x' } }
function owners(): [() => object[], string][] {
  const owner = (fields: object): object => ({
    apiVersion: 'v1',
    kind: 'Node',
    name: 'n1',
    uid,
    controller: true,
    ...fields,
  })
  return [
    [() => [], 'node "n1" can only create pods with an owner reference set to itself'],
    [() => [owner({ name: 'n2' })], 'node "n1" can only create pods with an owner reference set to itself'],
    [() => [owner({ controller: false })], 'node "n1" can only create pods with a controller owner reference'],
    [() => [owner({ blockOwnerDeletion: true })], 'node "n1" must not set blockOwnerDeletion on an owner reference'],
    [() => [owner({ uid: 'other' })], `node n1 UID mismatch: expected other got `],
  ]
}
const leases = (namespace: string): string => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`

it.each<[string, object | (() => object), number, string]>([
  [leases('kube-node-lease'), lease('n1'), 201, ''],
  [leases('kube-node-lease'), lease('n2'), 403, 'can only access node lease with the same name as the requesting node'],
  [leases('n'), lease('n1'), 403, 'can only access leases in the "kube-node-lease" system namespace'],
  [
    '/api/v1/nodes',
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n2' } },
    403,
    'node "n1" is not allowed to modify node "n2"',
  ],
  ['/api/v1/namespaces/n/pods', () => pod({}), 201, ''],
  [
    '/api/v1/namespaces/n/pods',
    () => pod({ nodeName: 'n2' }),
    403,
    'node "n1" can only create pods with spec.nodeName set to itself',
  ],
  [
    '/api/v1/namespaces/n/pods',
    () => pod({ volumes: [{ name: 's', secret: { secretName: 's' } }] }),
    403,
    'node "n1" can not create pods that reference secrets',
  ],
  [
    '/api/v1/namespaces/n/pods',
    () => pod({ containers: [{ name: 'c', image: 'i', envFrom: [{ configMapRef: { name: 'm' } }] }] }),
    403,
    'node "n1" can not create pods that reference configmaps',
  ],
  [
    '/api/v1/namespaces/n/pods',
    () => pod({ serviceAccountName: 'default' }),
    403,
    'node "n1" can not create pods that reference serviceaccounts',
  ],
  [
    '/api/v1/namespaces/n/pods',
    () => pod({ volumes: [{ name: 'v', csi: { driver: 'd.example.com' } }] }),
    403,
    'node "n1" can not create pods that reference csidrivers (via CSI volumes)',
  ],
  ...owners().map(([reference, message]): [string, () => object, number, string] => [
    '/api/v1/namespaces/n/pods',
    () => ({ ...pod({}), metadata: { ...mirror, ownerReferences: reference() } }),
    403,
    message,
  ]),
  [
    '/apis/resource.k8s.io/v1/resourceslices',
    {
      metadata: { name: 's' },
      spec: { driver: 'd.example.com', nodeName: 'n2', pool: { name: 'p', generation: 1, resourceSliceCount: 1 } },
    },
    403,
    'can only create ResourceSlice with the same NodeName as the requesting node',
  ],
])('%s', async (path, given, status, message) => {
  const body = typeof given === 'function' ? (given as () => object)() : given
  const answer = await server.call<{ message?: string }>(path, { body, token: 'node' })
  expect(answer.body.message ?? '').toContain(message)
  expect(answer.status).toBe(status)
})

const merge = { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, token: 'node' }

it.each<[string, object, number, string]>([
  ['/api/v1/nodes/n1', { metadata: { labels: { disk: 'hdd', 'topology.kubernetes.io/zone': 'z' } } }, 200, ''],
  [
    '/api/v1/nodes/n1',
    { metadata: { labels: { 'node-role.kubernetes.io/x': '', 'a.node-restriction.kubernetes.io/y': '' } } },
    403,
    'is not allowed to modify labels: a.node-restriction.kubernetes.io/y, node-role.kubernetes.io/x',
  ],
  [
    '/api/v1/nodes/n1',
    { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } },
    403,
    'node "n1" is not allowed to modify taints',
  ],
  [
    '/api/v1/nodes/n1',
    { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }] } },
    403,
    'node "n1" is not allowed to modify ownerReferences',
  ],
  [
    '/api/v1/namespaces/n/pods/mine',
    { metadata: { labels: { a: 'b' } } },
    403,
    'unexpected operation "UPDATE", node "n1" can only create and delete mirror pods',
  ],
  [
    '/api/v1/namespaces/n/pods/mine/status',
    { metadata: { labels: { a: 'b' } } },
    403,
    'node "n1" cannot update labels through pod status',
  ],
  ['/api/v1/namespaces/n/pods/mine/status', { status: { phase: 'Running' } }, 200, ''],
  [
    '/api/v1/namespaces/n/pods/mine/ephemeralcontainers',
    { spec: { ephemeralContainers: [{ name: 'e', image: 'i' }] } },
    403,
    `unexpected pod subresource "ephemeralcontainers", only 'status' and 'eviction' are allowed`,
  ],
  [
    '/api/v1/namespaces/n/persistentvolumeclaims/claim',
    { metadata: { labels: { a: 'b' } } },
    403,
    'may only update PVC',
  ],
  ['/api/v1/namespaces/n/persistentvolumeclaims/claim/status', { status: { capacity: { storage: '2Gi' } } }, 200, ''],
  [
    '/api/v1/namespaces/n/persistentvolumeclaims/claim/status',
    { status: { phase: 'Lost' } },
    403,
    'node "n1" is not allowed to update fields other than status.quantity and status.conditions',
  ],
])('patch %s %o', async (path, body, status, message) => {
  const answer = await server.call<{ message?: string }>(path, { ...merge, body })
  expect(answer.body.message ?? '').toContain(message)
  expect(answer.status).toBe(status)
})

it('refuses nodes without a name', async () => {
  const { status, body } = await server.call<{ message: string }>('/api/v1/nodes/n1', {
    ...merge,
    token: 'nameless',
    body: { metadata: { labels: { a: 'b' } } },
  })
  expect({ status, message: body.message }).toMatchObject({
    status: 403,
    message: expect.stringContaining('could not determine node from user "system:node:"') as string,
  })
})
