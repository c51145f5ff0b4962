// What admission sees of writes that are not of a stored object's own kind.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../testing/test-server.ts'
import { create, newNamespace, podSpec } from '../testing.ts'
import { patchAnswer, registerWebhook, unregisterWebhooks, WebhookProgram } from './testing.ts'

let server: TestServer
let hooks: WebhookProgram
const pod = '/api/v1/namespaces/hooked/pods/p'

beforeAll(async () => {
  hooks = await WebhookProgram.start()
  server = await startTestServer()
  await newNamespace(server, 'hooked', { hooks: 'yes' })
  await create(server, 'v1 Node n1', { metadata: { labels: { 'topology.kubernetes.io/zone': 'z' } } })
})
afterAll(async () => {
  await server.close()
  await hooks.close()
})
beforeEach(async () => {
  hooks.forget()
  await unregisterWebhooks(server)
  await server.call(`${pod}?gracePeriodSeconds=0`, { method: 'DELETE' })
  await create(server, 'v1 Pod hooked/p', podSpec())
})

const rules = (operation: string, ...resources: readonly string[]): object => ({
  rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: [operation], resources }],
})
const refuse = (path: string): void => {
  hooks.answer(path, () => ({ allowed: false, status: { message: 'no' } }))
}

describe('a stream', () => {
  it('is a CONNECT with its options', async () => {
    await registerWebhook(server, hooks, 'validating', '/connect', rules('CONNECT', 'pods/exec', 'pods/proxy'))
    refuse('/connect')
    const exec = await server.call(`${pod}/exec?command=ls&command=-l&stdin=true&container=c`, { method: 'POST' })
    expect(exec.status).toBe(400)
    expect(exec.body['message']).toBe('admission webhook "hooks-connect.example.com" denied the request: no')
    await server.call(`${pod}/proxy/a/b?x=y`)
    expect(hooks.reviews.map(({ request }) => request)).toMatchObject([
      {
        operation: 'CONNECT',
        kind: { group: '', version: 'v1', kind: 'PodExecOptions' },
        resource: { group: '', version: 'v1', resource: 'pods' },
        subResource: 'exec',
        name: 'p',
        namespace: 'hooked',
        object: { kind: 'PodExecOptions', apiVersion: 'v1', command: ['ls', '-l'], stdin: true, container: 'c' },
        oldObject: null,
        options: null,
      },
      { subResource: 'proxy', object: { kind: 'PodProxyOptions', apiVersion: 'v1', path: '/a/b' } },
    ])
  })

  it('is refused before the connection is upgraded', async () => {
    await registerWebhook(server, hooks, 'validating', '/attach', rules('CONNECT', 'pods/attach'))
    refuse('/attach')
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1' }
    const attach = await server.call(`${pod}/attach?stdin=true`, { method: 'POST', headers })
    expect(attach.status).toBe(400)
    expect(attach.text).toContain('denied the request: no')
  })
})

describe('an eviction', () => {
  it('is seen as it is, and not as a deletion of the pod', async () => {
    await registerWebhook(server, hooks, 'validating', '/evict', rules('*', 'pods', 'pods/*'))
    refuse('/evict')
    const evict = (): Promise<{ status: number; text: string }> =>
      server.call(`${pod}/eviction`, {
        body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p', namespace: 'hooked' } },
      })
    expect((await evict()).text).toContain('denied the request: no')
    hooks.answer('/evict', () => ({}))
    expect((await evict()).status).toBe(201)
    expect(hooks.reviews).toHaveLength(2)
    expect(hooks.reviews[1]?.request).toMatchObject({
      operation: 'CREATE',
      kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      subResource: 'eviction',
      name: 'p',
      object: { kind: 'Eviction', metadata: { name: 'p' } },
    })
  })
})

describe('a binding', () => {
  it('is seen as it is, and carries the labels of the node', async () => {
    await registerWebhook(server, hooks, 'mutating', '/bind', rules('*', 'pods/*'))
    hooks.answer('/bind', () => patchAnswer([{ op: 'add', path: '/metadata/annotations', value: { by: 'hook' } }]))
    const bound = await server.call(`${pod}/binding`, {
      body: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'p' }, target: { kind: 'Node', name: 'n1' } },
    })
    expect(bound.status, bound.text).toBe(201)
    expect(hooks.reviews.map(({ request }) => request)).toMatchObject([
      {
        operation: 'CREATE',
        kind: { group: '', version: 'v1', kind: 'Binding' },
        subResource: 'binding',
        object: {
          kind: 'Binding',
          target: { name: 'n1' },
          metadata: { labels: { 'topology.kubernetes.io/zone': 'z' } },
        },
      },
    ])
    expect((await server.call(pod)).body['metadata']).toMatchObject({
      annotations: { by: 'hook' },
      labels: { 'topology.kubernetes.io/zone': 'z' },
    })
  })
})

describe('a scale', () => {
  it('is seen, and changed, as a Scale', async () => {
    const path = '/apis/apps/v1/namespaces/hooked/deployments'
    const labels = { a: 'b' }
    await server.call(path, {
      body: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'd' },
        spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, ...podSpec() } },
      },
    })
    await registerWebhook(server, hooks, 'mutating', '/scale', rules('*', 'deployments', 'deployments/scale'))
    hooks.answer('/scale', () => patchAnswer([{ op: 'replace', path: '/spec/replicas', value: 3 }]))
    const scaled = await server.call(`${path}/d/scale`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { spec: { replicas: 9 } },
    })
    expect(scaled.body['spec'], scaled.text).toEqual({ replicas: 3 })
    expect(hooks.reviews.map(({ request }) => request)).toMatchObject([
      {
        operation: 'UPDATE',
        kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
        resource: { group: 'apps', version: 'v1', resource: 'deployments' },
        subResource: 'scale',
        object: { kind: 'Scale', spec: { replicas: 9 } },
        oldObject: { kind: 'Scale', spec: { replicas: 1 } },
      },
    ])
  })
})

describe('a token request and a review', () => {
  it('are seen as they are', async () => {
    await registerWebhook(server, hooks, 'validating', '/ask', {
      ...rules('CREATE', 'serviceaccounts/token', 'selfsubjectaccessreviews'),
      namespaceSelector: {},
    })
    refuse('/ask')
    const token = await server.call('/api/v1/namespaces/hooked/serviceaccounts/default/token', { body: { spec: {} } })
    expect(token.status).toBe(400)
    const review = await server.call('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      body: { spec: { nonResourceAttributes: { path: '/', verb: 'get' } } },
    })
    expect(review.status).toBe(400)
    expect(hooks.reviews.map(({ request }) => request)).toMatchObject([
      {
        kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
        subResource: 'token',
        name: 'default',
        object: { kind: 'TokenRequest', metadata: { name: 'default' }, spec: { expirationSeconds: 3600 } },
      },
      { kind: { kind: 'SelfSubjectAccessReview' }, object: { spec: { nonResourceAttributes: { path: '/' } } } },
    ])
  })
})

describe('a policy', () => {
  it('judges evictions and the options of streams', async () => {
    const group = '/apis/admissionregistration.k8s.io/v1'
    const apiVersion = 'admissionregistration.k8s.io/v1'
    await server.call(`${group}/validatingadmissionpolicies`, {
      body: {
        apiVersion,
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: 'streams' },
        spec: {
          matchConstraints: {
            resourceRules: [
              { apiGroups: [''], apiVersions: ['v1'], operations: ['CONNECT'], resources: ['pods/exec'] },
              { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods/eviction'] },
            ],
          },
          validations: [
            {
              expression:
                "request.kind.kind == 'PodExecOptions' ? object.command[0] != 'sh' : object.metadata.name != 'p'",
              message: 'not that',
            },
          ],
        },
      },
    })
    await server.call(`${group}/validatingadmissionpolicybindings`, {
      body: {
        apiVersion,
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name: 'streams' },
        spec: { policyName: 'streams', validationActions: ['Deny'] },
      },
    })
    const exec = (command: string): Promise<{ text: string }> =>
      server.call(`${pod}/exec?command=${command}&stdout=true`, { method: 'POST' })
    expect((await exec('sh')).text).toContain(
      "ValidatingAdmissionPolicy 'streams' with binding 'streams' denied request",
    )
    expect((await exec('ls')).text).not.toContain('denied request')
    const evict = await server.call(`${pod}/eviction`, { body: { metadata: { name: 'p' } } })
    expect(evict.status, evict.text).toBe(422)
  })
})
