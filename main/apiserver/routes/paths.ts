// Everything that is not a resource: discovery, OpenAPI, version, health and metrics.
import type { HttpRequest, HttpResponse, UserInfo } from '../apiserver.ts'
import { negotiate, parseAccept } from '../chain/negotiation.ts'
import { NoSuchPath } from '../chain/plain-error.ts'
import { type Responder, sendBytes, sendObject } from '../chain/respond.ts'
import type { Discovery } from '../discovery/discovery.ts'
import { versionInfo } from '../discovery/version.ts'
import type { Health } from '../health.ts'
import type { OpenIdDocuments } from '../auth/openid.ts'
import type { Metrics } from '../metrics.ts'
import type { OpenApi } from '../openapi/openapi.ts'
import { methodNotAllowed } from '../../../common/machinery/status.ts'

export interface PathRequest {
  readonly req: HttpRequest
  readonly res: HttpResponse
  readonly to: { -readonly [K in keyof Responder]: Responder[K] }
  readonly path: string
  readonly query: URLSearchParams
  readonly user: UserInfo
}

export interface PathRoutesOptions {
  readonly discovery: Discovery
  readonly openapi: OpenApi
  readonly health: Health
  readonly metrics: Metrics
  readonly openid: OpenIdDocuments
}

const exact = new Set([
  '/',
  '/api',
  '/apis',
  '/version',
  '/healthz',
  '/livez',
  '/readyz',
  '/metrics',
  '/metrics/slis',
  '/openapi/v2',
  '/openapi/v3',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
])
/** Documents with paths of their own. */
const openApiPaths = ['/openapi/v3/']
const prefixes = ['/api/', '/apis/', '/healthz/', '/livez/', '/readyz/', '/openapi/', '/version/']

export class PathRoutes {
  readonly #options: PathRoutesOptions

  constructor(options: PathRoutesOptions) {
    this.#options = options
  }

  /** Whether a path belongs to the API (all others are asked of the fallback first). "/" is shared: the window wins when there is one. */
  owns(path: string): boolean {
    return path !== '/' && (exact.has(path) || prefixes.some((prefix) => path.startsWith(prefix)))
  }

  async serve(request: PathRequest): Promise<void> {
    const { req, to, path } = request
    if (req.method !== 'GET' && req.method !== 'HEAD')
      throw methodNotAllowed({ group: '', resource: path }, (req.method ?? '').toLowerCase())
    const { health, metrics, openapi } = this.#options
    const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
    if (trimmed === '/version') {
      to.pretty = true
      await sendObject(to, 200, versionInfo)
    } else if (trimmed === '/') await sendObject(to, 200, { paths: this.#paths() })
    else if (/^\/(healthz|livez|readyz)(\/|$)/.test(trimmed)) await health.serve(request)
    else if (trimmed === '/metrics' || trimmed === '/metrics/slis') {
      const text = metrics.render(trimmed === '/metrics' ? '' : 'kubernetes_healthcheck')
      await sendBytes(to, 200, 'text/plain; version=0.0.4; charset=utf-8', Buffer.from(text))
    } else if (trimmed === '/openapi/v2' || trimmed.startsWith('/openapi/v3')) await openapi.serve(request, trimmed)
    else if (trimmed === '/api' || trimmed === '/apis' || trimmed.startsWith('/api/') || trimmed.startsWith('/apis/'))
      await this.#discover(request, trimmed)
    else if (trimmed === '/.well-known/openid-configuration')
      await sendObject(to, 200, this.#options.openid.configuration)
    else if (trimmed === '/openid/v1/jwks')
      await sendBytes(to, 200, 'application/jwk-set+json', Buffer.from(JSON.stringify(this.#options.openid.keys)))
    else throw new NoSuchPath()
  }

  async #discover({ req, to }: PathRequest, path: string): Promise<void> {
    const { discovery } = this.#options
    const { accept } = req.headers
    if (path === '/api' || path === '/apis') {
      const version = aggregatedVersion(accept)
      if (version !== undefined) {
        const { text, etag } = discovery.aggregated(path === '/api', version)
        const headers = { etag, vary: 'Accept', 'cache-control': 'public' }
        if (req.headers['if-none-match'] === etag)
          await sendBytes(to, 304, 'application/json', Buffer.alloc(0), headers)
        else
          await sendBytes(
            to,
            200,
            `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
            Buffer.from(text),
            headers,
          )
        return
      }
    }
    // Discovery clients read no CBOR, even those of programs that prefer it for everything: "application/cbor, */*" is JSON here.
    to.encoding = negotiate(accept, { protobuf: true, cbor: false }).encoding
    const document = this.document(path, req.headers.host ?? String(req.headers[':authority'] ?? ''))
    if (document === undefined) throw new NoSuchPath()
    await sendObject(to, 200, document)
  }

  /** The legacy discovery document at a path; undefined when there is none of this server's own. */
  document(path: string, host = ''): object | undefined {
    const { discovery } = this.#options
    const [root = '', first = '', second = '', ...more] = path.split('/').slice(1)
    if (more.length > 0) return undefined
    if (path === '/api') return discovery.coreVersions(host)
    if (path === '/apis') return discovery.groupList()
    if (root === 'api' && second === '') return discovery.resourceList('', first)
    if (root !== 'apis') return undefined
    return second === '' ? discovery.group(first) : discovery.resourceList(first, second)
  }

  #paths(): string[] {
    const groups = this.#options.discovery
      .groups()
      .flatMap(({ group, versions }) =>
        group === ''
          ? ['/api', '/api/v1']
          : [`/apis/${group}`, ...versions.map(({ version }) => `/apis/${group}/${version}`)],
      )
    const own = [...exact, ...this.#options.health.paths(), ...openApiPaths].filter((path) => path !== '/')
    return [...new Set([...groups, ...own])].sort()
  }
}

/** The apidiscovery version the client prefers over the legacy document, if any. */
function aggregatedVersion(accept: string | undefined): string | undefined {
  if (accept?.includes('APIGroupDiscoveryList') !== true) return undefined
  for (const { type, parameters } of parseAccept(accept)) {
    if (type !== 'application/json') continue
    const { g, v, as } = parameters
    if (as === undefined) return undefined
    if (g === 'apidiscovery.k8s.io' && as === 'APIGroupDiscoveryList' && (v === 'v2' || v === 'v2beta1')) return v
  }
  return undefined
}
