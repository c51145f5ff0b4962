// The OCI distribution API (distribution-spec v1.1) below /v2/: finds the operation for a request and turns failures into coded errors.
import type { Logger } from '../../common/machinery/logger.ts'
import { DigestMismatch, UploadUnknown } from './blob-store.ts'
import {
  answer,
  answerError,
  answerJson,
  RegistryError,
  type RegistryRequest,
  type RegistryResponse,
} from './http-answer.ts'
import { ManifestRejected } from './images.ts'
import { deleteManifest, getManifest, getReferrers, getTags, putManifest } from './manifest-routes.ts'
import { deleteUpload, getBlob, getUpload, patchUpload, postUpload, putUpload } from './blob-routes.ts'
import { paginate, type HandlerContext, type Operation } from './operation.ts'
import { pathPattern } from './reference.ts'

export interface HandleOptions {
  /** Nodes pull; only people push. */
  readOnly?: boolean
}

type Route = Record<string, (operation: Operation) => Promise<void>>

const routes: { pattern: RegExp; methods: Route }[] = [
  {
    pattern: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
    methods: { GET: getManifest, HEAD: getManifest, PUT: putManifest, DELETE: deleteManifest },
  },
  { pattern: /^\/v2\/(.+)\/blobs\/uploads\/?()$/, methods: { POST: postUpload } },
  {
    pattern: /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/,
    methods: { GET: getUpload, PATCH: patchUpload, PUT: putUpload, DELETE: deleteUpload },
  },
  { pattern: /^\/v2\/(.+)\/blobs\/([^/]+)$/, methods: { GET: getBlob, HEAD: getBlob } },
  { pattern: /^\/v2\/(.+)\/tags\/list()$/, methods: { GET: getTags } },
  { pattern: /^\/v2\/(.+)\/referrers\/([^/]+)$/, methods: { GET: getReferrers } },
]

const reading = new Set(['GET', 'HEAD'])

/** Returns false, touching nothing, when the path is not below /v2. */
export function newRegistryHandler(
  context: HandlerContext,
  logger: Logger,
): (request: RegistryRequest, response: RegistryResponse, options?: HandleOptions) => boolean {
  return (request, response, options = {}) => {
    const url = new URL(request.url ?? '/', 'http://registry')
    if (url.pathname !== '/v2' && !url.pathname.startsWith('/v2/')) return false
    response.setHeader('docker-distribution-api-version', 'registry/2.0')
    serve(context, { request, response, url, options }).catch((error: unknown) => {
      const known = explainFailure(error)
      if (known === undefined)
        logger.error('registry request failed', { method: request.method, path: url.pathname, error: String(error) })
      if (response.headersSent) response.destroy()
      else if (known === undefined)
        answerJson(response, 500, { errors: [{ code: 'UNKNOWN', message: 'internal error' }] })
      else answerError(response, known)
      request.resume()
    })
    return true
  }
}

async function serve(
  context: HandlerContext,
  call: { request: RegistryRequest; response: RegistryResponse; url: URL; options: HandleOptions },
): Promise<void> {
  const { request, response, url } = call
  const method = request.method ?? 'GET'
  if (call.options.readOnly === true && !reading.has(method))
    throw new RegistryError('DENIED', 'nodes may only pull images')
  if (url.pathname === '/v2' || url.pathname === '/v2/') {
    answer(response, 200, { 'content-type': 'application/json' }, '{}')
    return
  }
  if (url.pathname === '/v2/_catalog') {
    answerCatalog(context, response, url.searchParams)
    return
  }
  for (const { pattern, methods } of routes) {
    const match = pattern.exec(decodePath(url.pathname))
    const [, clientName, target] = match ?? []
    if (clientName === undefined || target === undefined) continue
    const run = methods[method]
    if (run === undefined) throw new RegistryError('UNSUPPORTED', `The operation is unsupported: ${method}`)
    await run({
      ...context,
      request,
      response,
      clientName,
      repository: repositoryFor(clientName, url.searchParams.get('ns')),
      query: url.searchParams,
      target,
    })
    return
  }
  throw new RegistryError('NAME_UNKNOWN', 'repository name not known to registry')
}

/** containerd names the original registry as ?ns= when it asks its mirror; other clients push and pull by path alone. */
export function repositoryFor(clientName: string, namespace: string | null): string {
  if (!pathPattern.test(clientName.replace(/^[A-Za-z0-9.-]+(:\d+)?\//, '')))
    throw new RegistryError('NAME_INVALID', 'invalid repository name', { detail: clientName })
  if (namespace !== null && namespace !== '' && !isLoopback(namespace)) {
    if (!/^[A-Za-z0-9.\-[\]:]+$/.test(namespace))
      throw new RegistryError('NAME_INVALID', 'invalid namespace', { detail: namespace })
    return `${namespace === 'registry-1.docker.io' || namespace === 'index.docker.io' ? 'docker.io' : namespace}/${clientName}`
  }
  const first = clientName.split('/', 1)[0] ?? ''
  if (clientName.includes('/') && /[.:]/.test(first)) return clientName
  return clientName.includes('/') ? `docker.io/${clientName}` : `docker.io/library/${clientName}`
}

/** "localhost:5000/hello" in a pod means this very registry, like "hello". */
const isLoopback = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host)

function answerCatalog(context: HandlerContext, response: RegistryResponse, query: URLSearchParams): void {
  const { page, link } = paginate(Object.keys(context.index.repositories).sort(), query, '/v2/_catalog')
  answerJson(response, 200, { repositories: page }, link)
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new RegistryError('NAME_INVALID', 'invalid repository name', { detail: path })
  }
}

function explainFailure(error: unknown): RegistryError | undefined {
  if (error instanceof RegistryError) return error
  if (error instanceof DigestMismatch)
    return new RegistryError('DIGEST_INVALID', 'provided digest did not match uploaded content', {
      detail: { expected: error.expected, actual: error.actual },
    })
  if (error instanceof UploadUnknown) return new RegistryError('BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry')
  if (error instanceof ManifestRejected) return new RegistryError(error.code, error.message, { detail: error.detail })
  return undefined
}
