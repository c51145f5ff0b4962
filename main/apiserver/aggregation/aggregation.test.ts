import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { IncomingHttpHeaders } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { discoverResources } from '../../../common/client/discovery.ts'
import { createAuthority, issueCertificate, type KeyPair } from '../../pki/certificates.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

interface Seen {
  path: string
  headers: IncomingHttpHeaders
  proxy: string | undefined
  body: string
}

let server: TestServer
let extension: Server
let authority: KeyPair
const seen: Seen[] = []

const resources = [
  {
    name: 'flunders',
    singularName: 'flunder',
    namespaced: true,
    kind: 'Flunder',
    verbs: ['get', 'list'],
    shortNames: ['fl'],
  },
  { name: 'flunders/status', singularName: '', namespaced: true, kind: 'Flunder', verbs: ['get'] },
]

const reference = (name: string): object => ({ 200: { schema: { $ref: `#/definitions/${name}` } } })
const v3Url = '/openapi/v3/apis/wardle.example.com/v1?hash=ABC'
const openApi: Record<string, object> = {
  '/openapi/v3': {
    paths: { apis: { serverRelativeURL: 'x' }, 'apis/wardle.example.com/v1': { serverRelativeURL: v3Url } },
  },
  [v3Url]: { openapi: '3.0.0', paths: {} },
  '/openapi/v2': {
    swagger: '2.0',
    paths: {
      '/apis/': { get: { responses: reference('Unused') } },
      '/apis/wardle.example.com/v1/flunders': { get: { responses: reference('wardle.Flunder') } },
    },
    definitions: {
      Unused: {},
      'wardle.Flunder': {
        properties: { metadata: { $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' } },
      },
      'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta': { description: 'an older one' },
    },
  },
}

const refusal = {
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  reason: 'Conflict',
  message: 'not now',
  code: 409,
}

async function startExtension(trusted: string): Promise<Server> {
  const { cert, key } = await issueCertificate(authority, {
    commonName: 'extension',
    dnsNames: ['extension.default.svc'],
    usages: ['server'],
  })
  const https = createServer({ cert, key, ca: trusted, requestCert: true, rejectUnauthorized: false }, (req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const { subject } = (req.socket as TLSSocket).getPeerCertificate() as { subject?: { CN?: string } }
      const authorized = (req.socket as TLSSocket).authorized
      seen.push({
        path: req.url ?? '',
        headers: req.headers,
        proxy: authorized ? subject?.CN : undefined,
        body: Buffer.concat(chunks).toString(),
      })
      res.setHeader('content-type', 'application/json')
      if (req.url === '/apis/wardle.example.com/v1')
        res.end(JSON.stringify({ kind: 'APIResourceList', groupVersion: 'wardle.example.com/v1', resources }))
      else if (req.url?.startsWith('/openapi/') === true) res.end(JSON.stringify(openApi[req.url]))
      else if (req.url?.includes('watch=true') === true)
        res.end(`${JSON.stringify({ type: 'ADDED', object: { kind: 'Flunder', metadata: { name: 'a' } } })}\n`)
      else if (req.method === 'DELETE') res.writeHead(409).end(JSON.stringify(refusal))
      else res.writeHead(201).end(JSON.stringify({ kind: 'Flunder', path: req.url }))
    })
  })
  await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve))
  return https
}

beforeAll(async () => {
  authority = await createAuthority('extension-ca')
  const proxies = await createAuthority('front-proxy-ca')
  server = await startTestServer({
    settings: {
      aggregation: {
        identity: await issueCertificate(proxies, { commonName: 'front-proxy-client', usages: ['client'] }),
        requestHeader: {
          clientCa: proxies.cert,
          allowedNames: ['front-proxy-client'],
          usernameHeaders: ['X-Remote-User'],
          groupHeaders: ['X-Remote-Group'],
          extraHeaderPrefixes: ['X-Remote-Extra-'],
        },
        clientCa: 'CA',
      },
    },
  })
  extension = await startExtension(proxies.cert)
  const { port } = extension.address() as AddressInfo
  await server.call('/api/v1/namespaces/default/services', {
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'extension' },
      spec: { type: 'ExternalName', externalName: '127.0.0.1' },
    },
  })
  const created = await server.call('/apis/apiregistration.k8s.io/v1/apiservices', {
    body: {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1.wardle.example.com' },
      spec: {
        group: 'wardle.example.com',
        version: 'v1',
        groupPriorityMinimum: 2000,
        versionPriority: 15,
        caBundle: Buffer.from(authority.cert).toString('base64'),
        service: { namespace: 'default', name: 'extension', port },
      },
    },
  })
  expect(created.status).toBe(201)
})
afterAll(async () => {
  await server.close()
  extension.closeAllConnections()
  extension.close()
})

const condition = async (name: string): Promise<object | undefined> =>
  (await server.call<{ status: { conditions?: object[] } }>(`/apis/apiregistration.k8s.io/v1/apiservices/${name}`)).body
    .status.conditions?.[0]

describe('an extension API server', () => {
  it('becomes available and part of discovery', async () => {
    await expect
      .poll(() => condition('v1.wardle.example.com'))
      .toMatchObject({ type: 'Available', status: 'True', reason: 'Passed' })
    const groups = await server.call<{ groups: { name: string }[] }>('/apis')
    const names = groups.body.groups.map(({ name }) => name)
    // By priority: before what comes by name.
    expect(names).toContain('wardle.example.com')
    expect([names[0], names.at(-1)]).toEqual(['apiregistration.k8s.io', 'metrics.k8s.io'])
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    const aggregated = await server.call<{ items: { metadata: { name: string }; versions: object[] }[] }>('/apis', {
      headers: { accept },
    })
    const group = aggregated.body.items.find(({ metadata }) => metadata.name === 'wardle.example.com')
    expect(group?.versions[0]).toMatchObject({
      version: 'v1',
      freshness: 'Current',
      resources: [
        {
          resource: 'flunders',
          scope: 'Namespaced',
          responseKind: { group: 'wardle.example.com', version: 'v1', kind: 'Flunder' },
          shortNames: ['fl'],
          subresources: [{ subresource: 'status' }],
        },
      ],
    })
    expect((await server.call('/apis/wardle.example.com')).body).toMatchObject({ kind: 'APIGroup' })
    expect((await server.call('/apis/wardle.example.com/v1')).body).toMatchObject({ kind: 'APIResourceList' })
  })

  it('gets requests in the name of the user, from the front proxy, without their credentials', async () => {
    await expect.poll(() => condition('v1.wardle.example.com')).toMatchObject({ status: 'True' })
    const path = '/apis/wardle.example.com/v1/namespaces/default/flunders?x=1'
    const { status, body, headers } = await server.call(path, {
      body: { kind: 'Flunder' },
      headers: { 'x-remote-user': 'somebody-else', 'impersonate-user': 'jane', 'impersonate-group': 'system:masters' },
    })
    expect([status, body]).toEqual([201, { kind: 'Flunder', path }])
    const last = seen.findLast((each) => each.path === path)
    expect(last).toMatchObject({ proxy: 'front-proxy-client', body: '{"kind":"Flunder"}' })
    expect(last?.headers).toMatchObject({
      'x-remote-user': 'jane',
      'x-remote-group': 'system:masters, system:authenticated',
    })
    expect(last?.headers['audit-id']).toBe(headers['audit-id'])
    expect(headers).toHaveProperty('x-kubernetes-pf-flowschema-uid')
    expect(last?.headers).not.toHaveProperty('authorization')
    expect(last?.headers).not.toHaveProperty('impersonate-user')
  })

  it('is reached by controllers in this process', async () => {
    await expect.poll(() => condition('v1.wardle.example.com')).toMatchObject({ status: 'True' })
    const transport = server.api.transport({ name: 'system:kube-controller-manager', groups: ['system:masters'] })
    const { resources: found, failures } = await discoverResources(transport)
    expect(failures).toEqual([])
    expect(found).toContainEqual({
      group: 'wardle.example.com',
      version: 'v1',
      plural: 'flunders',
      kind: 'Flunder',
      namespaced: true,
      verbs: ['get', 'list'],
    })
    const path = '/apis/wardle.example.com/v1/namespaces/default/flunders'
    expect(await transport.request({ method: 'POST', path, query: { dryRun: 'All' }, body: { a: 1 } })).toEqual({
      kind: 'Flunder',
      path: `${path}?dryRun=All`,
    })
    expect(seen.at(-1)).toMatchObject({
      proxy: 'front-proxy-client',
      body: '{"a":1}',
      headers: { 'x-remote-user': 'system:kube-controller-manager', 'content-type': 'application/json' },
    })
    await expect(transport.request({ method: 'DELETE', path })).rejects.toThrow('not now')
    const events: unknown[] = []
    for await (const event of transport.watch({ method: 'GET', path })) events.push(event)
    expect(events).toEqual([{ type: 'ADDED', object: { kind: 'Flunder', metadata: { name: 'a' } } }])
    const nobody = server.api.transport({ name: 'nobody', groups: [] })
    await expect(nobody.request({ method: 'GET', path })).rejects.toThrow('is forbidden')
  })

  it('is part of the OpenAPI documents', async () => {
    const paths = async (): Promise<Record<string, unknown>> =>
      (await server.call<{ paths: Record<string, unknown> }>('/openapi/v3')).body.paths
    await expect.poll(paths).toMatchObject({ 'apis/wardle.example.com/v1': { serverRelativeURL: v3Url } })
    expect((await server.call(v3Url)).body).toEqual(openApi[v3Url])
    expect(seen.findLast(({ path }) => path === v3Url)?.headers['x-remote-user']).toBe('system:kube-aggregator')

    const { body } = await server.call<{ paths: object; definitions: Record<string, { description?: string }> }>(
      '/openapi/v2',
    )
    expect(body.paths).toHaveProperty(['/apis/wardle.example.com/v1/flunders'])
    expect(body.definitions).not.toHaveProperty('Unused')
    // Two things of one name: each keeps its meaning.
    const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'
    expect(body.definitions['wardle.Flunder']).toEqual({
      properties: { metadata: { $ref: `#/definitions/${objectMeta}_v2` } },
    })
    expect(body.definitions[`${objectMeta}_v2`]).toEqual({ description: 'an older one' })
    expect(body.definitions[objectMeta]?.description).toMatch(/^ObjectMeta is metadata/)
  })

  it('is asked only by those who may', async () => {
    const refused = await server.call('/apis/wardle.example.com/v1/flunders', { token: undefined })
    expect(refused.status).toBe(403)
  })

  it('that is not there is told as such', async () => {
    await server.call('/apis/apiregistration.k8s.io/v1/apiservices', {
      body: {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: 'v1.gone.example.com' },
        spec: {
          group: 'gone.example.com',
          version: 'v1',
          groupPriorityMinimum: 1000,
          versionPriority: 15,
          insecureSkipTLSVerify: true,
          service: { namespace: 'default', name: 'nowhere' },
        },
      },
    })
    await expect
      .poll(() => condition('v1.gone.example.com'))
      .toMatchObject({
        status: 'False',
        reason: 'ServiceNotFound',
        message: 'service/nowhere in "default" is not present',
      })
    expect((await server.call('/apis/gone.example.com/v1/things')).status).toBe(503)
  })
})

describe('this server', () => {
  it('has APIServices for what it serves itself', async () => {
    await expect.poll(() => condition('v1.apps')).toMatchObject({ status: 'True', reason: 'Local' })
  })

  it('tells extensions whom to believe', async () => {
    const { body } = await server.call<{ data: Record<string, string> }>(
      '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication',
    )
    expect(body.data).toMatchObject({
      'client-ca-file': 'CA',
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-username-headers': '["X-Remote-User"]',
    })
  })
})
