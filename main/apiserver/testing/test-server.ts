// A listening API server over the in-memory store, with certificates of its own, and a small HTTPS client that shows everything.
import { generateKeyPairSync } from 'node:crypto'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { systemClock, type Clock } from '../../../common/machinery/clock.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import { serviceUnavailable } from '../../../common/machinery/status.ts'
import type { NodeConnections } from '../../channel/node-connections.ts'
import { builtinKinds } from '../../kinds/index.ts'
import { createAuthority, issueCertificate, type KeyPair } from '../../pki/certificates.ts'
import { createMemoryStore } from '../../store/memory/index.ts'
import type { Store } from '../../store/store.ts'
import type { ApiServer, ApiServerOptions, UserInfo } from '../apiserver.ts'
import { createApiServer } from '../index.ts'

export interface Answer<T = Record<string, unknown>> {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly bytes: Buffer
  readonly body: T
}

export interface CallOptions {
  readonly method?: string
  readonly body?: unknown
  readonly token?: string | undefined
  readonly certificate?: KeyPair
  readonly headers?: Readonly<Record<string, string>>
}

export interface TestServer {
  readonly api: ApiServer
  readonly store: Store
  readonly authority: KeyPair
  readonly address: { host: string; port: number }
  readonly ca: string
  /** As the administrator unless a token or certificate is given; `token: undefined` is anonymous. */
  readonly call: <T = Record<string, unknown>>(path: string, options?: CallOptions) => Promise<Answer<T>>
  close(): Promise<void>
}

export const adminToken = 'test-admin-token'
export const serviceAccountKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' })

export async function startTestServer(
  options: {
    readonly nodes?: NodeConnections
    readonly tokens?: Readonly<Record<string, UserInfo>>
    readonly clock?: Clock
    readonly connects?: ApiServerOptions['connects']
    readonly admissionPlugins?: ApiServerOptions['admissionPlugins']
    /** PEM of a further authority of client certificates. */
    readonly trustedCa?: string
    /** What a flag of the engine would set. */
    readonly settings?: Partial<ApiServerOptions>
  } = {},
): Promise<TestServer> {
  const store = createMemoryStore()
  const authority = await createAuthority('test-ca')
  const server = await issueCertificate(authority, {
    commonName: 'apiserver',
    addresses: ['127.0.0.1'],
    dnsNames: ['localhost'],
    usages: ['server'],
  })
  const api = createApiServer({
    store,
    kinds: builtinKinds,
    cluster: {
      serviceCIDRs: ['10.96.0.0/16'],
      nodePortRange: { from: 30000, to: 32767 },
      clusterDomain: 'cluster.local',
    },
    nodes: options.nodes ?? {
      isConnected: () => false,
      request: () => Promise.reject(serviceUnavailable('there are no nodes here')),
    },
    connects: options.connects ?? [],
    ...(options.admissionPlugins === undefined ? {} : { admissionPlugins: options.admissionPlugins }),
    logger: silentLogger,
    clock: options.clock ?? systemClock,
    tls: { cert: server.cert, key: server.key, clientCa: `${authority.cert}\n${options.trustedCa ?? ''}` },
    serviceAccountKey: {
      privatePem: serviceAccountKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      publicPem: serviceAccountKeys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      issuer: 'https://kubernetes.default.svc.cluster.local',
    },
    tokens: new Map(Object.entries({ [adminToken]: { name: 'admin', groups: ['system:masters'] }, ...options.tokens })),
    allowedHosts: ['orrery.test'],
    ...options.settings,
  })
  await api.ready
  const address = await api.listen({ host: '127.0.0.1', port: 0 })
  return {
    api,
    store,
    authority,
    address,
    ca: authority.cert,
    call: (path, call = {}) =>
      send(
        { host: address.host, port: address.port, ca: authority.cert, servername: 'localhost', agent: false, path },
        call,
      ),
    async close() {
      await api.close()
      await store.close()
    },
  }
}

function send<T>(target: RequestOptions, options: CallOptions): Promise<Answer<T>> {
  const { body, certificate } = options
  const token = 'token' in options ? options.token : certificate === undefined ? adminToken : undefined
  const payload =
    body === undefined ? undefined : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const req = httpsRequest(
      {
        ...target,
        method: options.method ?? (payload === undefined ? 'GET' : 'POST'),
        ...(certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }),
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(payload)) }),
          ...options.headers,
        },
      },
      (res) => {
        const chunks: Buffer[] = []
        res.on('data', (chunk: Buffer) => chunks.push(chunk))
        res.on('error', reject)
        res.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const text = bytes.toString()
          let parsed: unknown
          try {
            parsed = JSON.parse(text)
          } catch {
            parsed = undefined
          }
          resolve({ status: res.statusCode ?? 0, headers: res.headers, text, bytes, body: parsed as T })
        })
      },
    )
    req.on('error', reject)
    req.end(payload)
  })
}
