// Policies in a file, and a webhook that decides.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createManualClock } from '../../../../common/client/testing/manual-clock.ts'
import { startTestServer, type TestServer } from '../../testing/test-server.ts'
import { AbacAuthorizer, parseAbacPolicies } from './abac.ts'
import type { AuthorizationMode } from './modes.ts'
import { WebhookAuthorizer, type WebhookAuthorizerOptions } from './webhook.ts'

interface Review {
  apiVersion: string
  spec: { user: string; groups?: string[]; group?: string[]; resourceAttributes?: Record<string, unknown> }
}

let webhook: Server | undefined
let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  webhook?.closeAllConnections()
  webhook?.close()
})

/** Answers reviews; returns its address and what it was asked. */
async function decideBy(
  decide: (review: Review) => { allowed: boolean; denied?: boolean; reason?: string } | undefined,
): Promise<{ options: WebhookAuthorizerOptions; asked: Review[] }> {
  const asked: Review[] = []
  webhook = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString()) as Review
      asked.push(review)
      const status = decide(review)
      res.statusCode = status === undefined ? 400 : 200
      res.end(JSON.stringify({ ...review, status }))
    })
  })
  await new Promise<void>((resolve) => webhook?.listen(0, '127.0.0.1', resolve))
  const { port } = webhook.address() as AddressInfo
  return {
    asked,
    options: {
      name: 'test',
      endpoint: { url: `http://127.0.0.1:${String(port)}/authorize` },
      version: 'v1',
      authorizedTtlMs: 300_000,
      unauthorizedTtlMs: 30_000,
      timeoutMs: 20_000,
      failurePolicy: 'NoOpinion',
      matchConditions: [],
    },
  }
}

const start = async (modes: readonly AuthorizationMode[]): Promise<TestServer> =>
  (server = await startTestServer({
    tokens: { ada: { name: 'ada', groups: ['dev'] } },
    settings: { authorizationModes: modes },
  }))

const question = (verb: string) => ({
  user: { name: 'ada', groups: ['dev'] },
  ...{ verb, group: 'apps', version: 'v1', resource: 'deployments', subresource: '', namespace: 'shop', name: '' },
})

describe('policies in a file', () => {
  const line = (spec: object): string =>
    JSON.stringify({ apiVersion: 'abac.authorization.kubernetes.io/v1beta1', kind: 'Policy', spec })
  const decide = (spec: object, verb = 'list'): boolean =>
    new AbacAuthorizer(parseAbacPolicies(`# a comment\n\n${line(spec)}`)).authorize(question(verb)).allowed

  it.each([
    [{ user: 'ada', namespace: '*', resource: '*', apiGroup: '*' }, true],
    [{ group: 'dev', namespace: 'shop', resource: 'deployments', apiGroup: 'apps' }, true],
    [{ user: 'ada', group: 'other', namespace: '*', resource: '*', apiGroup: '*' }, false],
    [{ user: 'ada', namespace: 'shop', resource: 'deployments' }, false],
    [{ namespace: '*', resource: '*', apiGroup: '*' }, false],
    [{ user: '*', nonResourcePath: '*' }, false],
  ])('%j allows the list of deployments: %j', (spec, allows) => {
    expect(decide(spec)).toBe(allows)
  })

  it('allow no writing when they say so', () => {
    const spec = { user: 'ada', namespace: '*', resource: '*', apiGroup: '*', readonly: true }
    expect([decide(spec, 'watch'), decide(spec, 'delete')]).toEqual([true, false])
  })

  it('match paths', () => {
    const [policy] = parseAbacPolicies(line({ group: '*', nonResourcePath: '/healthz*' }))
    const at = (path: string): boolean =>
      new AbacAuthorizer(policy === undefined ? [] : [policy]).authorize({ ...question('get'), path }).allowed
    expect([at('/healthz/ping'), at('/metrics')]).toEqual([true, false])
  })

  it('are told apart from other text by line', () => {
    expect(() => parseAbacPolicies(`${line({ user: 'a' })}\n{"kind":"Policy"}`)).toThrow('line 2: is no Policy')
  })
})

describe('a webhook', () => {
  it('is asked once in a while, and about what conditions let through', async () => {
    const { options, asked } = await decideBy(({ spec }) => ({ allowed: spec.resourceAttributes?.['verb'] === 'list' }))
    const clock = createManualClock()
    const authorizer = new WebhookAuthorizer(
      { ...options, matchConditions: ["has(request.resourceAttributes) && request.user == 'ada'"] },
      () => clock.now(),
    )
    expect(await authorizer.decide(question('list'))).toMatchObject({ allowed: true })
    expect(authorizer.decide(question('list'))).toMatchObject({ allowed: true })
    expect(authorizer.authorize(question('list'))).toMatchObject({ allowed: true })
    expect(await authorizer.decide(question('delete'))).toMatchObject({ allowed: false })
    expect(authorizer.decide({ ...question('get'), path: '/version' })).toEqual({ allowed: false, reason: '' })
    expect(asked).toHaveLength(2)
    await clock.advance(31_000)
    await authorizer.decide(question('delete'))
    await authorizer.decide(question('list'))
    expect(asked).toHaveLength(3)
    expect(asked[0]).toMatchObject({
      apiVersion: 'authorization.k8s.io/v1',
      spec: {
        user: 'ada',
        groups: ['dev'],
        resourceAttributes: { verb: 'list', group: 'apps', version: 'v1', resource: 'deployments', namespace: 'shop' },
      },
    })
    authorizer.close()
  })

  it('decides about requests, with those beside it', async () => {
    const { options, asked } = await decideBy(({ spec }) =>
      spec.resourceAttributes?.['resource'] === 'secrets'
        ? { allowed: false, denied: true, reason: 'no secrets' }
        : { allowed: spec.resourceAttributes?.['resource'] === 'pods', reason: 'as you like' },
    )
    const { call } = await start([{ type: 'Webhook', ...options, version: 'v1beta1' }, 'AlwaysAllow'])
    expect((await call('/api/v1/pods?fieldSelector=spec.nodeName%3Da', { token: 'ada' })).status).toBe(200)
    expect(asked[0]).toMatchObject({
      apiVersion: 'authorization.k8s.io/v1beta1',
      spec: {
        group: ['dev', 'system:authenticated'],
        resourceAttributes: {
          fieldSelector: { requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['a'] }] },
        },
      },
    })
    expect((await call('/api/v1/nodes', { token: 'ada' })).status).toBe(200)
    const { status, body } = await call<{ message: string }>('/api/v1/secrets', { token: 'ada' })
    expect([status, body.message]).toEqual([
      403,
      'secrets is forbidden: User "ada" cannot list resource "secrets" in API group "" at the cluster scope: no secrets',
    ])
    const review = await call<{ status: object }>('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user: 'ada', resourceAttributes: { resource: 'secrets', verb: 'get' } },
      },
    })
    expect(review.body.status).toEqual({ allowed: false, denied: true, reason: 'no secrets' })
  })

  it('that cannot be asked is an error when nobody else allows', async () => {
    const { options } = await decideBy(() => undefined)
    const { call } = await start(['RBAC', { type: 'Webhook', ...options }])
    expect((await call('/version', { token: 'ada' })).status).toBe(200)
    expect((await call('/api/v1/pods', { token: 'ada' })).status).toBe(500)
    server?.api.authorizeBy(['RBAC', { type: 'Webhook', ...options, failurePolicy: 'Deny' }])
    expect((await call('/api/v1/pods', { token: 'ada' })).status).toBe(500)
    server?.api.authorizeBy(['AlwaysAllow'])
    expect((await call('/api/v1/pods', { token: 'ada' })).status).toBe(200)
  })
})
