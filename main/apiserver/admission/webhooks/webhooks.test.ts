import { createServer, type Server } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ConfigMap } from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { createAuthority, issueCertificate } from '../../../pki/certificates.ts'
import { startTestServer, type TestServer } from '../../testing/test-server.ts'
import { create, newNamespace } from '../testing.ts'

interface Review {
  readonly apiVersion: string
  readonly request: {
    readonly uid: string
    readonly operation: string
    readonly object: (KubeObject & ConfigMap) | null
    readonly oldObject: KubeObject | null
    readonly resource: object
    readonly userInfo: { readonly username: string }
    readonly dryRun: boolean
    readonly options: object
    readonly name: string
    readonly namespace?: string
  }
}

let server: TestServer
let hooks: Server
let port: number
let caBundle: string
let reviews: Review[] = []
/** What the webhook program answers, by path. */
const answers = new Map<string, (review: Review) => object | string | undefined>()

beforeAll(async () => {
  // The one node reaches every address: at the webhook's own port.
  server = await startTestServer({
    nodes: {
      isConnected: (node) => node === 'n1',
      request: () => Promise.resolve({ status: 200, headers: {}, stream: connect(port, '127.0.0.1') }),
    },
  })
  const authority = await createAuthority('webhook-ca')
  const { cert, key } = await issueCertificate(authority, {
    commonName: 'webhook',
    addresses: ['127.0.0.1'],
    dnsNames: ['hook.hooks.svc'],
    usages: ['server'],
  })
  caBundle = Buffer.from(authority.cert).toString('base64')
  hooks = createServer({ cert, key }, (req, res) => {
    let text = ''
    req.on('data', (chunk: Buffer) => (text += chunk.toString()))
    req.on('end', () => {
      const review = JSON.parse(text) as Review
      reviews.push(review)
      const answer = answers.get((req.url ?? '').split('?')[0] ?? '')?.(review)
      // No answer: the connection stays open until the caller gives up.
      if (answer === undefined) return
      if (typeof answer === 'string') {
        res.writeHead(500)
        res.end(answer)
        return
      }
      const response = { uid: review.request.uid, allowed: true, ...answer }
      res.end(JSON.stringify({ kind: 'AdmissionReview', apiVersion: review.apiVersion, response }))
    })
  })
  await new Promise<void>((resolve) => hooks.listen(0, '127.0.0.1', resolve))
  port = (hooks.address() as AddressInfo).port
  await newNamespace(server, 'hooked', { hooks: 'yes' })
  await newNamespace(server, 'free')
})
afterAll(async () => {
  await server.close()
  hooks.closeAllConnections()
  await new Promise((resolve) => hooks.close(resolve))
})

const group = '/apis/admissionregistration.k8s.io/v1'
const configurations = { v: 'validatingwebhookconfigurations', m: 'mutatingwebhookconfigurations' } as const
const kinds = { v: 'ValidatingWebhookConfiguration', m: 'MutatingWebhookConfiguration' } as const

beforeEach(async () => {
  reviews = []
  answers.clear()
  for (const plural of Object.values(configurations)) await server.call(`${group}/${plural}`, { method: 'DELETE' })
})

async function register(
  type: 'v' | 'm',
  path: string,
  fields: object = {},
  name = `hooks${path.replaceAll('/', '-')}`,
): Promise<void> {
  const answer = await server.call(`${group}/${configurations[type]}`, {
    body: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: kinds[type],
      metadata: { name },
      webhooks: [
        {
          name: `${name}.example.com`,
          clientConfig: { url: `https://127.0.0.1:${String(port)}${path}`, caBundle },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
          namespaceSelector: { matchLabels: { hooks: 'yes' } },
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          ...fields,
        },
      ],
    },
  })
  expect(answer.status, answer.text).toBe(201)
}
const patchAnswer = (patch: readonly object[]): object => ({
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
})

describe('a validating webhook', () => {
  it('is told of the request and may refuse it in its own words', async () => {
    await register('v', '/deny')
    answers.set('/deny', () => ({
      allowed: false,
      status: { code: 403, message: 'not today' },
      warnings: ['think twice'],
    }))
    const { status, message, warnings } = await create(
      server,
      'v1 ConfigMap hooked/a',
      { data: { x: 'y' } },
      '?fieldManager=me',
    )
    expect(status).toBe(403)
    expect(message).toBe('admission webhook "hooks-deny.example.com" denied the request: not today')
    expect(warnings).toContain('think twice')
    expect(reviews[0]).toMatchObject({
      apiVersion: 'admission.k8s.io/v1',
      request: {
        operation: 'CREATE',
        name: 'a',
        namespace: 'hooked',
        resource: { group: '', version: 'v1', resource: 'configmaps' },
        userInfo: { username: 'admin' },
        object: { kind: 'ConfigMap', data: { x: 'y' } },
        oldObject: null,
        dryRun: false,
        options: { kind: 'CreateOptions', fieldManager: 'me' },
      },
    })
    answers.set('/deny', () => ({ allowed: false }))
    expect(await create(server, 'v1 ConfigMap hooked/a')).toMatchObject({
      status: 400,
      message: 'admission webhook "hooks-deny.example.com" denied the request without explanation',
    })
    expect((await create(server, 'v1 ConfigMap free/a')).status).toBe(201)
  })

  it('sees updates and deletions', async () => {
    await register('v', '/see')
    answers.set('/see', () => ({}))
    await create(server, 'v1 ConfigMap hooked/b')
    const path = '/api/v1/namespaces/hooked/configmaps/b'
    await server.call(path, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { data: { a: 'b' } },
    })
    await server.call(path, { method: 'DELETE' })
    expect(reviews.map(({ request }) => request.operation)).toEqual(['CREATE', 'UPDATE', 'DELETE'])
    expect(reviews[1]?.request.oldObject).not.toBeNull()
    expect(reviews[2]?.request.object).toBeNull()
  })

  it('that cannot be reached fails the write, unless that is to be ignored', async () => {
    await register('v', '/x', { clientConfig: { url: 'https://127.0.0.1:1/x', caBundle } })
    expect(await create(server, 'v1 ConfigMap hooked/c')).toMatchObject({
      status: 500,
      message:
        'Internal error occurred: failed calling webhook "hooks-x.example.com": failed to call webhook: Post "https://127.0.0.1:1/x?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused',
    })
    await server.call(`${group}/validatingwebhookconfigurations`, { method: 'DELETE' })
    await register('v', '/x', { clientConfig: { url: 'https://127.0.0.1:1/x' }, failurePolicy: 'Ignore' })
    expect((await create(server, 'v1 ConfigMap hooked/c')).status).toBe(201)
  })

  it('has its time, a certificate to show and an answer to give', async () => {
    await register('v', '/slow', { timeoutSeconds: 1 })
    const slow = await create(server, 'v1 ConfigMap hooked/d')
    expect(slow.message).toContain('context deadline exceeded')
    await server.call(`${group}/validatingwebhookconfigurations`, { method: 'DELETE' })
    await register('v', '/tls', { clientConfig: { url: `https://127.0.0.1:${String(port)}/tls` } })
    expect((await create(server, 'v1 ConfigMap hooked/d')).message).toContain(
      'x509: certificate signed by unknown authority',
    )
    await server.call(`${group}/validatingwebhookconfigurations`, { method: 'DELETE' })
    await register('v', '/broken')
    answers.set('/broken', () => 'boom')
    expect((await create(server, 'v1 ConfigMap hooked/d')).message).toContain(
      'an error on the server ("boom") has prevented the request from succeeding',
    )
  })

  it('is asked only when its conditions and selectors hold', async () => {
    await register('v', '/cond', {
      objectSelector: { matchLabels: { watched: 'yes' } },
      matchConditions: [
        { name: 'big', expression: 'object.data.size == "big" && request.userInfo.username == "admin"' },
      ],
    })
    answers.set('/cond', () => ({ allowed: false }))
    const make = (name: string, labels: object, size: string): Promise<{ status: number; message: string }> =>
      create(server, `v1 ConfigMap hooked/${name}`, { metadata: { labels }, data: { size } })
    expect((await make('e1', {}, 'big')).status).toBe(201)
    expect((await make('e2', { watched: 'yes' }, 'small')).status).toBe(201)
    expect((await make('e3', { watched: 'yes' }, 'big')).status).toBe(400)
    const failed = await create(server, 'v1 ConfigMap hooked/e4', { metadata: { labels: { watched: 'yes' } } })
    expect(failed.message).toBe('configmaps "e4" is forbidden: matchCondition "big" failed: no such key: data')
  })

  it('with side effects is not asked in dry runs', async () => {
    await register('v', '/dry', { sideEffects: 'NoneOnDryRun' })
    answers.set('/dry', () => ({}))
    expect((await create(server, 'v1 ConfigMap hooked/f', {}, '?dryRun=All')).status).toBe(201)
    expect(reviews[0]?.request.dryRun).toBe(true)
  })

  it('can be a service', async () => {
    await newNamespace(server, 'hooks')
    await create(server, 'v1 Service hooks/hook', { spec: { ports: [{ port: 443 }] } })
    await server.call('/apis/discovery.k8s.io/v1/namespaces/hooks/endpointslices', {
      body: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'hook-1', labels: { 'kubernetes.io/service-name': 'hook' } },
        addressType: 'IPv4',
        ports: [{ name: '', port }],
        endpoints: [{ addresses: ['10.1.2.3'], nodeName: 'n1' }],
      },
    })
    await register('v', '/svc', {
      clientConfig: { service: { namespace: 'hooks', name: 'hook', path: '/svc' }, caBundle },
    })
    answers.set('/svc', () => ({ allowed: false, status: { message: 'from a service' } }))
    const { message } = await create(server, 'v1 ConfigMap hooked/g')
    expect(message).toContain('from a service')
    await server.call('/apis/discovery.k8s.io/v1/namespaces/hooks/endpointslices', { method: 'DELETE' })
    expect((await create(server, 'v1 ConfigMap hooked/g')).message).toBe(
      'Internal error occurred: failed calling webhook "hooks-svc.example.com": failed to call webhook: Post "https://hook.hooks.svc:443/svc?timeout=10s": no endpoints available for service "hook"',
    )
  })
})

describe('mutating webhooks', () => {
  it('change objects one after the other, and again when asked for', async () => {
    await register('m', '/first', { reinvocationPolicy: 'IfNeeded' }, 'a-first')
    await register('m', '/second', {}, 'b-second')
    const seen: string[] = []
    answers.set('/first', ({ request }) => {
      const count = Object.keys(request.object?.data ?? {}).length
      seen.push(String(count))
      return patchAnswer([{ op: 'add', path: `/data/first${String(count)}`, value: 'yes' }])
    })
    answers.set('/second', () => patchAnswer([{ op: 'add', path: '/data/second', value: 'yes' }]))
    const { object, status, message } = await create<KubeObject & ConfigMap>(server, 'v1 ConfigMap hooked/m', {
      data: { own: 'x' },
    })
    expect(status, message).toBe(201)
    expect(object.data).toEqual({ own: 'x', first1: 'yes', second: 'yes', first3: 'yes' })
    expect(seen).toEqual(['1', '3'])
  })

  it('whose patch does not apply fail the write', async () => {
    await register('m', '/bad')
    answers.set('/bad', () => patchAnswer([{ op: 'remove', path: '/data/none' }]))
    const { status, message } = await create(server, 'v1 ConfigMap hooked/n')
    expect(status).toBe(500)
    expect(message).toContain('Internal error occurred')
  })
})
