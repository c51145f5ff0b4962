import type { ClientRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

type Schema = FlowSchema & KubeObject

let server: TestServer | undefined
const held: ClientRequest[] = []
afterEach(async () => {
  for (const request of held.splice(0)) request.destroy()
  await server?.close()
})

const group = '/apis/flowcontrol.apiserver.k8s.io/v1'
const everything = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
}
const schemaFor = (user: string, level: string): object => ({
  metadata: { name: user },
  spec: {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence: 500,
    distinguisherMethod: { type: 'ByUser' },
    rules: [{ subjects: [{ kind: 'User', user: { name: user } }], ...everything }],
  },
})
const levelOf = (name: string, limitResponse: object): object => ({
  metadata: { name },
  spec: { type: 'Limited', limited: { nominalConcurrencyShares: 1, borrowingLimitPercent: 0, limitResponse } },
})
const queue = { type: 'Queue', queuing: { queues: 1, handSize: 1, queueLengthLimit: 1 } }

const start = async (seats = 600, fair = true): Promise<TestServer> =>
  (server = await startTestServer({
    tokens: { ada: { name: 'ada', groups: [] } },
    settings: { flowControl: { reads: seats - 1, writes: 1, fair }, authorizationModes: ['AlwaysAllow'] },
  }))

/** Is at work until its body ends. */
function hold({ address, ca }: TestServer): ClientRequest {
  const request = httpsRequest({
    ...{ host: address.host, port: address.port, ca, servername: 'localhost', agent: false, method: 'POST' },
    path: '/api/v1/namespaces/default/configmaps',
    headers: { authorization: 'Bearer ada', 'content-type': 'application/json', 'content-length': '100' },
  })
  request.on('error', () => undefined)
  request.write('{')
  held.push(request)
  return request
}

const metric = async ({ call }: TestServer, name: string, labels: string): Promise<number> => {
  const { text } = await call('/metrics')
  const line = text.split('\n').find((each) => each.startsWith(`${name}{`) && each.includes(labels))
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1))
}

describe('every answer', () => {
  it('names the flow schema and the priority level that decided about it', async () => {
    const { call } = await start()
    const level = await call<KubeObject>(`${group}/prioritylevelconfigurations`, { body: levelOf('own', queue) })
    const schema = await call<KubeObject>(`${group}/flowschemas`, { body: schemaFor('ada', 'own') })
    const uids = [schema.body.metadata.uid, level.body.metadata.uid]
    for (const path of ['/version', '/api/v1/nodes', '/api/v1/nodes/missing', '/nowhere']) {
      const { headers } = await call(path, { token: 'ada' })
      expect([headers['x-kubernetes-pf-flowschema-uid'], headers['x-kubernetes-pf-prioritylevel-uid']]).toEqual(uids)
    }
    const exempt = await call<Schema>(`${group}/flowschemas/exempt`)
    expect(exempt.headers['x-kubernetes-pf-flowschema-uid']).toBe(exempt.body.metadata.uid)
  })

  it('has an audit ID, the one given if there is one', async () => {
    const { call } = await start()
    expect((await call('/api')).headers['audit-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect((await call('/api', { headers: { 'Audit-ID': 'mine' } })).headers['audit-id']).toBe('mine')
  })
})

describe('when there are no seats left', () => {
  it('lets one wait, and sends away who finds the queue full', async () => {
    const plane = await start(2)
    const { call } = plane
    await call(`${group}/prioritylevelconfigurations`, { body: levelOf('own', queue) })
    await call(`${group}/flowschemas`, { body: schemaFor('ada', 'own') })
    const first = hold(plane)
    const own = 'priority_level="own"'
    await eventually(async () => {
      expect(await metric(plane, 'apiserver_flowcontrol_current_executing_requests', own)).toBe(1)
    })
    const waiting = call('/version', { token: 'ada' })
    await eventually(async () => {
      expect(await metric(plane, 'apiserver_flowcontrol_current_inqueue_requests', own)).toBe(1)
    })
    const refused = await call('/version', { token: 'ada' })
    expect([refused.status, refused.text, refused.headers['retry-after']]).toEqual([
      429,
      'Too many requests, please try again later.\n',
      '1',
    ])
    expect(refused.headers['x-kubernetes-pf-flowschema-uid']).toBeDefined()
    expect(await metric(plane, 'apiserver_flowcontrol_rejected_requests_total', `${own},reason="queue-full"`)).toBe(1)
    first.destroy()
    expect((await waiting).status).toBe(200)
    await eventually(async () => {
      expect(await metric(plane, 'apiserver_flowcontrol_current_executing_requests', own)).toBe(0)
    })
  })

  it('keeps no seat for a watch that has begun', async () => {
    const plane = await start(2)
    const { call, address, ca } = plane
    await call(`${group}/prioritylevelconfigurations`, { body: levelOf('own', queue) })
    await call(`${group}/flowschemas`, { body: schemaFor('ada', 'own') })
    for (let each = 0; each < 3; each += 1) {
      await new Promise((resolve, reject) => {
        const watch = httpsRequest({
          ...{ host: address.host, port: address.port, ca, servername: 'localhost', agent: false },
          path: '/api/v1/nodes?watch=1',
          headers: { authorization: 'Bearer ada' },
        })
        watch.on('response', resolve).on('error', reject).end()
        held.push(watch)
      })
    }
    expect((await call('/version', { token: 'ada' })).status).toBe(200)
  })

  it('sends away at once without priority and fairness', async () => {
    const plane = await start(2, false)
    hold(plane)
    await eventually(async () => {
      expect(await metric(plane, 'apiserver_current_inflight_requests', 'request_kind="mutating"')).toBe(1)
    })
    const refused = await plane.call('/api/v1/namespaces/default/configmaps', { token: 'ada', body: {} })
    expect([refused.status, refused.headers['x-kubernetes-pf-flowschema-uid']]).toEqual([429, undefined])
  })
})

describe('the objects', () => {
  const dangling = async ({ call }: TestServer, name: string): Promise<string | undefined> => {
    const { body } = await call<Schema>(`${group}/flowschemas/${name}`)
    return body.status?.conditions?.find(({ type }) => type === 'Dangling')?.status
  }

  it('say whether the priority level exists', async () => {
    const plane = await start()
    await plane.call(`${group}/flowschemas`, { body: schemaFor('ada', 'own') })
    await eventually(async () => {
      expect([await dangling(plane, 'ada'), await dangling(plane, 'probes')]).toEqual(['True', 'False'])
    })
    await plane.call(`${group}/prioritylevelconfigurations`, { body: levelOf('own', queue) })
    await eventually(async () => {
      expect(await dangling(plane, 'ada')).toBe('False')
    })
  })

  it('are made again, and kept as they are until a person takes them over', async () => {
    const { call } = await start()
    const { body: before } = await call<KubeObject>(`${group}/flowschemas/catch-all`)
    await call(`${group}/flowschemas/catch-all`, { method: 'DELETE' })
    await eventually(async () => {
      const { status, body } = await call<KubeObject>(`${group}/flowschemas/catch-all`)
      expect(status).toBe(200)
      expect(body.metadata.uid).not.toBe(before.metadata.uid)
    })
    const shares = async (): Promise<number | undefined> =>
      (await call<PriorityLevelConfiguration>(`${group}/prioritylevelconfigurations/global-default`)).body.spec?.limited
        ?.nominalConcurrencyShares
    const patch = (annotation: string, nominalConcurrencyShares: number): Promise<unknown> =>
      call(`${group}/prioritylevelconfigurations/global-default`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/merge-patch+json' },
        body: {
          metadata: { annotations: { 'apf.kubernetes.io/autoupdate-spec': annotation } },
          spec: { limited: { nominalConcurrencyShares } },
        },
      })
    await patch('true', 7)
    await eventually(async () => {
      expect(await shares()).toBe(20)
    })
    await patch('false', 7)
    expect(await shares()).toBe(7)
  })
})
