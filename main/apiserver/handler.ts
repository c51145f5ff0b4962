// The chain every HTTP request goes through: host and origin, who, what, may they, do it. One try/catch makes every failure a Status.
import { badRequest, StatusError } from '../../common/machinery/status.ts'
import { findDuplicateFields } from '../../common/machinery/schema/duplicate-fields.ts'
import type { HttpRequest, HttpResponse, UserInfo } from './apiserver.ts'
import { anonymous } from './auth/authenticator.ts'
import { attributesOf, forbiddenError } from './auth/authorizer.ts'
import { mediaTypeOf, parseBody, parseJson, parseYamlText, readBody } from './chain/body.ts'
import { type Accepted, encodingOfErrors, negotiate } from './chain/negotiation.ts'
import { parseRequestInfo, type RequestInfo, type ResourceRequestInfo } from './chain/request-info.ts'
import { type Responder, sendStatusError } from './chain/respond.ts'
import { nameInFieldSelector } from './registry/selection.ts'
import { toStatusError } from './registry/store-errors.ts'
import type { ServedResource } from './registry/served-resource.ts'
import { protobufEncoder } from './protobuf/encoder.ts'
import type { ApiCall } from './routes/api-call.ts'
import { booleanParameter, watchRequestOf } from './routes/list-parameters.ts'
import { eventEncoder } from './routes/event-encoders.ts'
import { renderResult, shapesFor } from './routes/render.ts'
import { performVerb } from './routes/resource-verbs.ts'
import type { ServerParts } from './server-parts.ts'
import { serveHttpWatch } from './watch/http-watch.ts'

export interface ConnectionUser {
  /** The user this connection was authenticated as before it came here. */
  readonly user: UserInfo
}

export interface ParsedRequest {
  readonly path: string
  readonly query: URLSearchParams
  readonly info: RequestInfo
}

export class RequestHandler {
  readonly #parts: ServerParts

  constructor(parts: ServerParts) {
    this.#parts = parts
  }

  async handle(req: HttpRequest, res: HttpResponse, connection: ConnectionUser | undefined): Promise<void> {
    const started = performance.now()
    const to: { -readonly [K in keyof Responder]: Responder[K] } = {
      req,
      res,
      encoding: 'json',
      pretty: false,
      warnings: [],
    }
    res.on('error', () => undefined)
    let verb = 'unknown'
    try {
      if (connection === undefined) this.#parts.hosts.check(req)
      const parsed = this.parse(req)
      verb = parsed.info.verb
      to.pretty = wantsPretty(parsed.query, req)
      await this.#serve(req, res, parsed, to, connection)
    } catch (error) {
      await this.#fail(to, error)
    } finally {
      this.#parts.metrics.observe(verb, res.statusCode, performance.now() - started)
    }
  }

  parse(req: HttpRequest): ParsedRequest {
    const url = req.url ?? '/'
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))
    try {
      const info = parseRequestInfo(
        req.method ?? 'GET',
        path,
        query.has('watch') && booleanParameter(query, 'watch'),
        nameInFieldSelector(query.get('fieldSelector')),
      )
      return { path, query, info }
    } catch (error) {
      if (error instanceof URIError) throw badRequest(`invalid URL escape in ${JSON.stringify(path)}`)
      throw error
    }
  }

  /** Throws 401. */
  async authenticate(req: HttpRequest, connection: ConnectionUser | undefined): Promise<UserInfo> {
    const user = connection?.user ?? (await this.#parts.authenticator.authenticate(req))
    return impersonated(req, user, this.#parts)
  }

  authorize(user: UserInfo, info: RequestInfo): void {
    const attributes = attributesOf(user, info)
    const decision = this.#parts.authorizer.authorize(attributes)
    if (!decision.allowed) throw forbiddenError(attributes, decision.reason)
  }

  async #serve(
    req: HttpRequest,
    res: HttpResponse,
    parsed: ParsedRequest,
    to: { -readonly [K in keyof Responder]: Responder[K] },
    connection: ConnectionUser | undefined,
  ): Promise<void> {
    const { parts } = { parts: this.#parts }
    const { info, path } = parsed
    if (!info.isResource && !parts.paths.owns(path)) {
      // Window files and sign-in come before authentication: that is where a session begins.
      let session: UserInfo | undefined
      try {
        session = await this.authenticate(req, connection)
      } catch {
        session = undefined
      }
      if ((await parts.fallback?.(req, res, session === anonymous ? undefined : session)) === true) return
    }
    const user = await this.authenticate(req, connection)
    this.authorize(user, info)
    if (!info.isResource) {
      await parts.paths.serve({ req, res, to, path, query: parsed.query, user })
      return
    }
    await this.#serveResource(req, res, parsed.query, info, user, to)
  }

  async #serveResource(
    req: HttpRequest,
    res: HttpResponse,
    query: URLSearchParams,
    info: ResourceRequestInfo,
    user: UserInfo,
    to: { -readonly [K in keyof Responder]: Responder[K] },
  ): Promise<void> {
    const { registry, subresources, connects } = this.#parts
    const resource = requireResource(this.#parts, info)
    if (info.subresource !== '') {
      const connect = connects.find(resource, info.subresource)
      if (connect !== undefined) {
        await connect.serve({ req, res, to, info, query, user, resource, registry })
        return
      }
    }
    const watching = info.verb === 'watch'
    const accepted: Accepted = negotiate(req.headers.accept, {
      shapes: shapesFor(info.verb),
      protobuf: info.subresource !== '' || hasProtobuf(resource, req.headers.accept),
      stream: watching,
    })
    to.encoding = accepted.encoding
    const call: ApiCall = {
      registry,
      resource,
      info,
      query,
      user,
      body: () => readCallBody(req),
      contentType: mediaTypeOf(req.headers['content-type']),
      userAgent: req.headers['user-agent'] ?? '',
      warn: (text) => {
        if (!to.warnings.includes(text) && to.warnings.length < 100) to.warnings.push(text)
      },
    }
    const options = { resource, accepted, query, now: new Date(registry.clock.now()) }
    if (watching) {
      requireVerb(resource, 'watch')
      await serveHttpWatch(
        registry,
        resource,
        {
          request: watchRequestOf(call),
          encoder: eventEncoder(options),
          onSlow: () => {
            this.#parts.metrics.slowWatchers += 1
          },
        },
        res,
      )
      return
    }
    const result = await performCall(call, subresources)
    await renderResult(to, result, options)
  }

  async #fail(to: { -readonly [K in keyof Responder]: Responder[K] }, error: unknown): Promise<void> {
    const status = toStatusError(error)
    to.encoding = status.code === 406 ? 'json' : encodingOfErrors(to.req.headers.accept)
    if (status.code >= 500 && status.cause !== undefined) {
      this.#parts.registry.logger.error('request failed', {
        method: to.req.method,
        url: to.req.url,
        error: status.cause,
      })
    }
    try {
      // An answer before the body has arrived: do not wait for the rest of it.
      if (to.res.headersSent) to.res.destroy()
      else {
        if (!to.req.complete && !('stream' in to.res)) to.res.setHeader('connection', 'close')
        await sendStatusError(to, status)
      }
    } catch (failure) {
      this.#parts.registry.logger.debug('answer could not be sent', { error: failure })
      to.res.destroy()
    }
  }
}

export async function performCall(
  call: ApiCall,
  subresources: ServerParts['subresources'],
): ReturnType<typeof performVerb> {
  const { info, resource } = call
  if (info.subresource === '') {
    const virtual = subresources.virtual(resource)
    if (virtual !== undefined) {
      requireVerb(resource, info.verb)
      return virtual.perform(call)
    }
    requireVerb(resource, info.verb)
    if (info.verb === 'create' && info.name !== '') throw methodNotRouted()
    if (info.name === '' && (info.verb === 'update' || info.verb === 'patch')) throw methodNotRouted()
    if (resource.namespaced && info.namespace === '' && info.verb !== 'list' && info.verb !== 'watch') {
      // Upstream routes objects of namespaced kinds only below their namespace.
      throw info.name === '' ? methodNotRouted() : pageNotFound()
    }
    return performVerb(call)
  }
  const subresource = subresources.find(resource, info.subresource)
  if (subresource === undefined) throw pageNotFound()
  if (!subresource.info.verbs.includes(info.verb)) throw methodNotRouted()
  return subresource.perform(call)
}

function requireVerb(resource: ServedResource, verb: ResourceRequestInfo['verb']): void {
  if (!resource.verbs.has(verb)) throw methodNotRouted()
}

export function requireResource(parts: Pick<ServerParts, 'registry'>, info: ResourceRequestInfo): ServedResource {
  const resource = parts.registry.resources.find(info.group, info.version, info.resource)
  if (resource === undefined) throw pageNotFound()
  if (!resource.namespaced && info.namespace !== '' && info.resource !== 'namespaces') throw pageNotFound()
  return resource
}

export const pageNotFound = (): StatusError =>
  new StatusError({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  })

/** The path exists, not with this method. */
const methodNotRouted = (): StatusError =>
  new StatusError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  })

async function readCallBody(req: HttpRequest): Promise<{ value: unknown; duplicates: readonly string[] } | undefined> {
  const bytes = await readBody(req)
  if (bytes.length === 0) return undefined
  const type = req.headers['content-type']
  const media = mediaTypeOf(type)
  if (media.endsWith('+yaml')) return { value: parseYamlText(bytes.toString('utf8')), duplicates: [] }
  if (media.endsWith('+json')) return { value: parseJson(bytes.toString('utf8')), duplicates: [] }
  const value = parseBody(bytes, type)
  return { value, duplicates: media === 'application/json' ? findDuplicateFields(bytes.toString('utf8')) : [] }
}

/** Asked only of clients that speak protobuf: the answer loads its tables. */
const hasProtobuf = ({ apiVersion, kind }: ServedResource, accept: string | undefined): boolean =>
  accept?.includes('protobuf') === true && protobufEncoder().has({ apiVersion, kind: kind.kind })

function wantsPretty(query: URLSearchParams, req: HttpRequest): boolean {
  if (query.has('pretty')) return booleanParameter(query, 'pretty')
  // People with a terminal or a browser, as upstream guesses them.
  return /^(curl|Wget|Mozilla)\//.test(req.headers['user-agent'] ?? '')
}

/** Acting as somebody else, for those who may (kubectl --as). */
function impersonated(req: HttpRequest, user: UserInfo, parts: ServerParts): UserInfo {
  const name = req.headers['impersonate-user']
  const groupsHeader = req.headers['impersonate-group']
  if (name === undefined && groupsHeader === undefined) return user
  if (typeof name !== 'string' || name === '') throw badRequest('requested groups without impersonating a user')
  const groups =
    groupsHeader === undefined
      ? []
      : (Array.isArray(groupsHeader) ? groupsHeader : groupsHeader.split(',')).map((group) => group.trim())
  const mayImpersonate = (group: string, resource: string, namespace: string, target: string): void => {
    const attributes = {
      user,
      verb: 'impersonate',
      group,
      version: 'v1',
      resource,
      subresource: '',
      namespace,
      name: target,
    }
    const decision = parts.authorizer.authorize(attributes)
    if (!decision.allowed) throw forbiddenError(attributes, decision.reason)
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name)
  if (account === null) mayImpersonate('', 'users', '', name)
  else mayImpersonate('', 'serviceaccounts', account[1] ?? '', account[2] ?? '')
  for (const group of groups) mayImpersonate('', 'groups', '', group)
  const implied =
    account === null
      ? groups
      : groups.length > 0
        ? groups
        : ['system:serviceaccounts', `system:serviceaccounts:${account[1] ?? ''}`]
  const last = name === anonymous.name ? 'system:unauthenticated' : 'system:authenticated'
  return { name, groups: implied.includes(last) ? implied : [...implied, last] }
}
