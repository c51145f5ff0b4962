import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { newNamespace } from './testing.ts'

let server: TestServer
beforeAll(async () => {
  // What nodes may do at all is the authorizer's to say; here they may do everything, so that admission has the word.
  server = await startTestServer({
    tokens: { node: { name: 'system:node:n1', groups: ['system:nodes', 'system:masters'] } },
  })
  await newNamespace(server, 'n')
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
  metadata: { name: 'p', annotations: { 'kubernetes.io/config.mirror': 'x' } },
  spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }], ...fields },
})
const leases = (namespace: string): string => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`

it.each<[string, object, number, string]>([
  [leases('kube-node-lease'), lease('n1'), 201, ''],
  [leases('kube-node-lease'), lease('n2'), 403, 'can only access node lease with the same name as the requesting node'],
  [leases('n'), lease('n1'), 403, 'can only access leases in the "kube-node-lease" system namespace'],
  [
    '/api/v1/nodes',
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n2' } },
    403,
    'node "n1" is not allowed to modify node "n2"',
  ],
  ['/api/v1/namespaces/n/pods', pod({}), 201, ''],
  [
    '/api/v1/namespaces/n/pods',
    pod({ nodeName: 'n2' }),
    403,
    'node "n1" can only create pods with spec.nodeName set to itself',
  ],
  [
    '/api/v1/namespaces/n/pods',
    pod({ volumes: [{ name: 's', secret: { secretName: 's' } }] }),
    403,
    'node "n1" can not create pods that reference secrets',
  ],
])('%s', async (path, body, status, message) => {
  const answer = await server.call<{ message?: string }>(path, { body, token: 'node' })
  expect(answer.body.message ?? '').toContain(message)
  expect(answer.status).toBe(status)
})
