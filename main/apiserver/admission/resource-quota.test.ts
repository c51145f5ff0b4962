import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ResourceQuota } from '../../../common/api/generated/types.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { create, type Fields, newNamespace, podSpec } from './testing.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

/** A quota as its controller leaves it: limits and usage in the status. */
async function newQuota(namespace: string, hard: Record<string, string>, spec: Fields = {}): Promise<void> {
  await create(server, `v1 ResourceQuota ${namespace}/q`, { spec: { hard, ...spec } })
  const used = Object.fromEntries(Object.keys(hard).map((name) => [name, '0']))
  const path = `/api/v1/namespaces/${namespace}/resourcequotas/q/status`
  const headers = { 'content-type': 'application/merge-patch+json' }
  await server.call(path, { method: 'PATCH', headers, body: { status: { hard, used } } })
}
const usedIn = async (namespace: string): Promise<unknown> =>
  (await server.call<ResourceQuota>(`/api/v1/namespaces/${namespace}/resourcequotas/q`)).body.status?.used

describe('ResourceQuota', () => {
  it('counts what is created and refuses what does not fit', async () => {
    await newNamespace(server, 'q1')
    await newQuota('q1', { 'requests.cpu': '1', 'limits.memory': '2Gi', pods: '2' })
    const asks = (cpu: string, memory = '1Gi'): object => ({ resources: { requests: { cpu }, limits: { memory } } })
    expect((await create(server, 'v1 Pod q1/silent', podSpec())).message).toBe(
      'pods "silent" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c',
    )
    expect((await create(server, 'v1 Pod q1/a', podSpec(asks('600m') as Fields))).status).toBe(201)
    expect(await usedIn('q1')).toEqual({ 'requests.cpu': '600m', 'limits.memory': '1Gi', pods: '1' })
    expect((await create(server, 'v1 Pod q1/b', podSpec(asks('600m') as Fields))).message).toBe(
      'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1',
    )
    expect((await create(server, 'v1 Pod q1/dry', podSpec(asks('100m') as Fields), '?dryRun=All')).status).toBe(201)
    expect(await usedIn('q1')).toEqual({ 'requests.cpu': '600m', 'limits.memory': '1Gi', pods: '1' })
  })

  it('never gives the same room twice', async () => {
    await newNamespace(server, 'q2')
    await newQuota('q2', { 'count/configmaps': '5', configmaps: '5' })
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, index) => create(server, `v1 ConfigMap q2/c${String(index)}`)),
    )
    expect(made.filter(({ status }) => status === 201)).toHaveLength(5)
    expect(made.filter(({ status }) => status === 403)).toHaveLength(15)
    expect(await usedIn('q2')).toEqual({ 'count/configmaps': '5', configmaps: '5' })
  })

  it('is about its scopes only', async () => {
    await newNamespace(server, 'q3')
    await newQuota('q3', { pods: '0' }, { scopes: ['BestEffort'] })
    expect((await create(server, 'v1 Pod q3/a', podSpec())).status).toBe(403)
    expect((await create(server, 'v1 Pod q3/b', podSpec({ resources: { requests: { cpu: '1m' } } }))).status).toBe(201)
  })

  it('charges updates for what they add', async () => {
    await newNamespace(server, 'q4')
    await newQuota('q4', { 'services.nodeports': '1' })
    const service = (type: string, ports: number): Fields => ({
      spec: {
        type,
        ports: Array.from({ length: ports }, (_, index) => ({ name: `p${String(index)}`, port: 80 + index })),
      },
    })
    const made = await create(server, 'v1 Service q4/s', service('ClusterIP', 2))
    expect(made.status).toBe(201)
    const patch = (type: string): Promise<{ status: number; body: { message?: string } }> =>
      server.call('/api/v1/namespaces/q4/services/s', {
        method: 'PATCH',
        headers: { 'content-type': 'application/merge-patch+json' },
        body: { spec: { type } },
      })
    expect((await patch('NodePort')).body.message).toBe(
      'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1',
    )
  })
})
