// What a request asks for, read from method and path the way every part of the chain (authorization, audit, routing) needs it.
export type ResourceVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

export interface ResourceRequestInfo {
  readonly isResource: true
  readonly verb: ResourceVerb
  readonly group: string
  readonly version: string
  readonly namespace: string
  readonly resource: string
  readonly subresource: string
  /** Path segments after the subresource (proxy paths), joined with "/", with its leading slash; "" when absent. */
  readonly rest: string
  readonly name: string
  readonly path: string
}

export interface PathRequestInfo {
  readonly isResource: false
  /** Lower-case HTTP method. */
  readonly verb: string
  readonly path: string
}

export type RequestInfo = ResourceRequestInfo | PathRequestInfo

const verbOfMethod: Readonly<Record<string, ResourceVerb>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** Subresources of namespaces: /api/v1/namespaces/x/status is not a resource called "status" in namespace x. */
const namespaceSubresources = new Set(['status', 'finalize'])

/** Throws URIError when a segment is not valid percent-encoding. */
export function parseRequestInfo(
  method: string,
  path: string,
  watchQuery: boolean,
  nameFromFieldSelector?: string,
): RequestInfo {
  const nonResource: PathRequestInfo = { isResource: false, verb: method.toLowerCase(), path }
  const encoded = path.split('/').filter((segment) => segment !== '')
  const segments = path.includes('%') ? encoded.map(decodeURIComponent) : encoded
  let group: string
  let version: string
  let rest: string[]
  if (segments[0] === 'api' && segments.length >= 3) {
    group = ''
    version = segments[1] ?? ''
    rest = segments.slice(2)
  } else if (segments[0] === 'apis' && segments.length >= 4) {
    group = segments[1] ?? ''
    version = segments[2] ?? ''
    rest = segments.slice(3)
  } else return nonResource

  let verb = verbOfMethod[method]
  if (verb === undefined) return nonResource
  let watchPath = false
  if (rest[0] === 'watch' && rest.length > 1) {
    watchPath = true
    rest = rest.slice(1)
  }
  let namespace = ''
  if (rest[0] === 'namespaces') {
    if (rest.length > 1) {
      namespace = rest[1] ?? ''
      if (rest.length > 2 && !namespaceSubresources.has(rest[2] ?? '')) rest = rest.slice(2)
    }
  }
  const [resource = '', name = '', subresource = '', ...tail] = rest
  if (name === '' && verb === 'get') verb = 'list'
  if (name === '' && verb === 'delete') verb = 'deletecollection'
  if (watchPath || (watchQuery && verb === 'list')) verb = 'watch'
  if (watchQuery && verb === 'get' && subresource === '') verb = 'watch'
  const effectiveName =
    name === '' && (verb === 'list' || verb === 'watch' || verb === 'deletecollection')
      ? (nameFromFieldSelector ?? '')
      : name
  return {
    isResource: true,
    verb,
    group,
    version,
    namespace,
    resource,
    subresource,
    rest: tail.length === 0 ? '' : path.slice(nthSlash(path, segments.length - tail.length + 1)),
    name: effectiveName,
    path,
  }
}

/** Index of the slash that precedes the n-th path segment (1-based), so that the raw rest of a proxy path survives unchanged. */
function nthSlash(path: string, n: number): number {
  let index = -1
  for (let i = 0; i < n; i += 1) index = path.indexOf('/', index + 1)
  return index
}
