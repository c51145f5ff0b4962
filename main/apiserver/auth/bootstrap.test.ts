import { afterEach, expect, it } from 'vitest'
import type { ClusterRole } from '../../../common/api/generated/types.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

const servers: TestServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0).reverse()) await server.close()
})

const start = async (first?: TestServer): Promise<TestServer> => {
  const server = await startTestServer(first === undefined ? {} : { settings: { store: first.store } })
  servers.push(server)
  return server
}

const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:basic-user'
const patch = { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' } }
const own = { verbs: ['get'], apiGroups: [''], resources: ['pods'] }

it('adds to roles what they lack, and leaves what a person added', async () => {
  const first = await start()
  const { body: before } = await first.call<ClusterRole>(role)
  await first.call(role, { ...patch, body: { rules: [own] } })
  const { body: after } = await (await start(first)).call<ClusterRole>(role)
  expect(after.rules).toEqual([own, ...(before.rules ?? [])])
})

it('leaves a role alone that a person has taken over', async () => {
  const first = await start()
  const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' }
  await first.call(role, { ...patch, body: { metadata: { annotations }, rules: [own] } })
  const { body } = await (await start(first)).call<ClusterRole>(role)
  expect(body.rules).toEqual([own])
})

it('lets nobody into the role of nodes, and says so without an empty list', async () => {
  const server = await start()
  const { body } = await server.call<object>('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:node')
  expect(body).not.toHaveProperty('subjects')
})

it('gives view what it has elsewhere, and metrics by a role of their own', async () => {
  const server = await start()
  const roles = '/apis/rbac.authorization.k8s.io/v1/clusterroles'
  const { body: view } = await server.call<ClusterRole>(`${roles}/system:aggregate-to-view`)
  const groups = (view.rules ?? []).flatMap(({ apiGroups = [] }) => apiGroups)
  expect(groups).toContain('extensions')
  expect(groups).not.toContain('metrics.k8s.io')
  const { body: reader } = await server.call<ClusterRole>(`${roles}/system:aggregated-metrics-reader`)
  expect(reader.metadata?.labels).toMatchObject({ 'rbac.authorization.k8s.io/aggregate-to-view': 'true' })
})
