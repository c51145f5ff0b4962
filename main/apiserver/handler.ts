// The chain every HTTP request goes through: host and origin, who, what, may they, do it. One try/catch makes every failure a Status.
import { randomUUID } from 'node:crypto'
import { badRequest, isReason, type Status, StatusError } from '../../common/machinery/status.ts'
import { findDuplicateFields } from '../../common/machinery/schema/duplicate-fields.ts'
import type { HttpRequest, HttpResponse, UserInfo } from './apiserver.ts'
import type { AuditRecord } from './audit/auditor.ts'
import { cborApplyPatchType, cborMediaType } from './cbor/media-types.ts'
import { anonymous } from './auth/authenticator.ts'
import { attributesOf, forbiddenError, requireCreation, type Decision } from './auth/authorizer.ts'
import { impersonatedUser } from './chain/impersonation.ts'
import { mediaTypeOf, parseBody, parseJson, parseApply, readBody, summaryOf } from './chain/body.ts'
import { type Accepted, encodingOfErrors, negotiate } from './chain/negotiation.ts'
import { parseRequestInfo, type RequestInfo, type ResourceRequestInfo } from './chain/request-info.ts'
import { CannotTell, NoSuchPath, PlainError } from './chain/plain-error.ts'
import { type Responder, sendStatusError, sendText } from './chain/respond.ts'
import type { Place } from './flow-control/gate.ts'
import type { WriteRequest } from './registry/context.ts'
import { nameInFieldSelector } from './registry/selection.ts'
import { toStatusError } from './registry/store-errors.ts'
import type { ServedResource } from './registry/served-resource.ts'
import { protobufEncoder } from './protobuf/encoder.ts'
import { isStream } from './flow-control/gate.ts'
import { type ApiCall, type CallResult, resultObject } from './routes/api-call.ts'
import { isApplyPatch, mergePatchType } from './routes/patch-types.ts'
import { booleanParameter, watchRequestOf } from './routes/list-parameters.ts'
import { eventEncoder } from './routes/event-encoders.ts'
import { renderResult, shapesFor } from './routes/render.ts'
import { performVerb } from './routes/resource-verbs.ts'
import { convertResult } from './crd/conversion/convert-result.ts'
import type { ServerParts } from './server-parts.ts'
import { admitConnect } from './streaming/connect-options.ts'
import { serveHttpWatch } from './watch/http-watch.ts'
import type { YamlReader } from './yaml/yaml-reader.ts'

export interface ConnectionUser {
  /** The user this connection was authenticated as before it came here. */
  readonly user: UserInfo
}

type MutableResponder = { -readonly [K in keyof Responder]: Responder[K] }

/** What accompanies one request and must end with it. */
export interface Visit {
  record: AuditRecord | undefined
  /** Among the requests at work. */
  place: Place | undefined
  /** What is served at the path, once it is known to be. */
  resource: ServedResource | undefined
  subresource: string
  /** Set while a watch or a stream is under way. */
  endLong?: () => void
}

interface IdentifyCall {
  readonly info: RequestInfo
  readonly visit: Visit
  readonly connection: ConnectionUser | undefined
}

export interface ParsedRequest {
  /** As it was sent. */
  readonly uri: string
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
    const headers = { 'audit-id': auditIdOf(req) }
    const to: MutableResponder = { req, res, encoding: 'json', pretty: false, warnings: [], headers }
    res.on('error', () => undefined)
    const visit: Visit = { record: undefined, place: undefined, resource: undefined, subresource: '' }
    let info: RequestInfo | undefined
    let failure: Status | undefined
    try {
      if (connection === undefined) this.#parts.hosts.check(req)
      const parsed = this.parse(req)
      info = parsed.info
      to.pretty = wantsPretty(parsed.query, req)
      if (this.#parts.http.begin(req, res)) return
      const isLong = info.verb === 'watch' || isStream(info)
      await this.#parts.deadlines.within(parsed.query.get('timeout'), isLong, () =>
        this.#serve(to, parsed, visit, connection),
      )
    } catch (error) {
      failure = await this.#fail(to, error)
    } finally {
      visit.place?.leave()
      visit.record?.complete(res.statusCode, failure)
      visit.endLong?.()
      this.#parts.requests.observe({
        info,
        code: res.statusCode,
        ms: performance.now() - started,
        bytes: to.bytes,
        isApply: info?.verb === 'patch' && isApplyPatch(mediaTypeOf(req.headers['content-type'])),
        ...visit,
      })
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
      return { uri: url, path, query, info }
    } catch (error) {
      if (error instanceof URIError) throw badRequest(`invalid URL escape in ${JSON.stringify(path)}`)
      throw error
    }
  }

  /** Who asks: authentication, audit, impersonation. Throws 401 and 403. */
  async identify(req: HttpRequest, auditId: string, call: IdentifyCall): Promise<UserInfo> {
    const { authorizer, audit } = this.#parts
    const { info, visit, connection } = call
    const asked = await this.#authenticate(req, connection)
    const begin = (impersonated?: UserInfo): void => {
      visit.record = audit?.begin({
        id: auditId,
        info,
        uri: req.url ?? '/',
        user: asked,
        impersonated,
        sourceIPs: [req.socket.remoteAddress ?? ''],
        userAgent: req.headers['user-agent'] ?? '',
      })
    }
    try {
      const impersonating = impersonatedUser(req, asked, authorizer)
      const other = impersonating instanceof Promise ? await impersonating : impersonating
      begin(other)
      return other ?? asked
    } catch (error) {
      begin()
      throw error
    }
  }

  /** May they. Throws 403; 500 when it could not be found out. */
  authorize(user: UserInfo, { info, query, uri }: ParsedRequest, visit: Visit): void | Promise<void> {
    const attributes = attributesOf(user, info, query)
    const act = ({ allowed, reason, error }: Decision): void => {
      visit.record?.annotate('authorization.k8s.io/decision', allowed ? 'allow' : 'forbid')
      visit.record?.annotate('authorization.k8s.io/reason', reason)
      if (allowed) return
      if (error !== undefined) throw new CannotTell(uri, error)
      throw forbiddenError(attributes, reason)
    }
    const deciding = this.#parts.authorizer.decide(attributes)
    return deciding instanceof Promise ? deciding.then(act) : act(deciding)
  }

  #authenticate(req: HttpRequest, connection: ConnectionUser | undefined): UserInfo | Promise<UserInfo> {
    return connection?.user ?? this.#parts.authenticator.authenticate(req)
  }

  async #serve(
    to: MutableResponder,
    parsed: ParsedRequest,
    visit: Visit,
    connection: ConnectionUser | undefined,
  ): Promise<void> {
    const { req, res } = to
    const { parts } = { parts: this.#parts }
    const { info, path } = parsed
    if (!info.isResource && !parts.paths.owns(path)) {
      // Window files and sign-in come before authentication: that is where a session begins.
      let session: UserInfo | undefined
      try {
        session = await this.#authenticate(req, connection)
      } catch {
        session = undefined
      }
      if ((await parts.fallback?.(req, res, session === anonymous ? undefined : session)) === true) return
    }
    const { headers } = to
    const user = await this.identify(req, headers['audit-id'] ?? '', { info, visit, connection })
    const entering = parts.gate.enter({ user, info, query: parsed.query, res, headers })
    visit.place = entering instanceof Promise ? await entering : entering
    const authorizing = this.authorize(user, parsed, visit)
    if (authorizing !== undefined) await authorizing
    if (parts.extensions.owns(path)) {
      visit.record?.started(200)
      setHeaders(res, headers)
      // One request, one record of it on both servers.
      req.headers['audit-id'] = headers['audit-id']
      await parts.extensions.forward(path, { req, res, user })
      return
    }
    if (!info.isResource) {
      await parts.paths.serve({ req, res, to, path, query: parsed.query, user })
      return
    }
    await this.#serveResource(to, parsed.query, info, user, visit)
  }

  async #serveResource(
    to: MutableResponder,
    query: URLSearchParams,
    info: ResourceRequestInfo,
    user: UserInfo,
    visit: Visit,
  ): Promise<void> {
    const { req, res } = to
    const { record } = visit
    const { registry, subresources, connects } = this.#parts
    const resource = requireResource(this.#parts, info)
    if (resource.kind.deprecation !== undefined) to.warnings.push(resource.kind.deprecation)
    visit.resource = resource
    if (info.subresource !== '') {
      const connect = connects.find(resource, info.subresource)
      if (connect !== undefined || subresources.find(resource, info.subresource) !== undefined)
        visit.subresource = info.subresource
      if (connect !== undefined) {
        const call = { req, res, to, info, query, user, resource, registry }
        const admitted = await admitConnect(call, connect, notesOf(to, record))
        record?.started(200)
        visit.endLong = this.#parts.requests.begin({ info, ...visit, isStream: true })
        setHeaders(res, to.headers)
        await connect.serve(admitted)
        return
      }
    }
    const watching = info.verb === 'watch'
    // A streamed list is made for caches, and they hold objects.
    const withoutTable =
      subresources.virtual(resource)?.withoutTable === true || (watching && query.get('sendInitialEvents') === 'true')
    const accepted: Accepted = negotiate(req.headers.accept, {
      shapes: shapesFor(info.verb, withoutTable),
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
      body: async () => {
        const body = await readCallBody(
          req,
          this.#parts.yaml,
          info.verb === 'delete' ? 'DeleteOptions' : resource.kind.kind,
        )
        record?.requestObject(body?.value)
        return body
      },
      contentType: mediaTypeOf(req.headers['content-type']),
      userAgent: req.headers['user-agent'] ?? '',
      mayCreate: () => requireCreation(this.#parts.authorizer, user, info),
      ...notesOf(to, record),
    }
    const options = { resource, accepted, query, now: new Date(registry.clock.now()) }
    if (watching) {
      requireVerb(resource, 'watch')
      record?.started(200)
      const { requests } = this.#parts
      visit.endLong = requests.begin({ info, ...visit })
      const series = requests.of({ info, ...visit })
      await serveHttpWatch(
        registry,
        resource,
        {
          request: watchRequestOf(call, this.#parts.minWatchMs),
          encoder: eventEncoder(options),
          headers: to.headers,
          onBegun: () => {
            visit.place?.leave()
            visit.place = undefined
          },
          onEvent: () => {
            series.events += 1
          },
          onSlow: () => {
            this.#parts.metrics.slowWatchers += 1
          },
        },
        res,
      )
      return
    }
    const result = await performCall(call, subresources)
    record?.responseObject(() => resultObject(resource, result))
    await renderResult(to, result, options)
  }

  /** Tells the client; resolves with what it was told. */
  async #fail(to: MutableResponder, error: unknown): Promise<Status> {
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
      else if (status instanceof PlainError) await sendText(to, status.code, status.text, status.headers)
      else {
        if (!to.req.complete && !('stream' in to.res)) to.res.setHeader('connection', 'close')
        await sendStatusError(to, status)
      }
    } catch (failure) {
      this.#parts.registry.logger.debug('answer could not be sent', { error: failure })
      to.res.destroy()
    }
    return status.status
  }
}

/** For answers that others write. */
function setHeaders(res: HttpResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
}

/** What names this request in the audit log; who calls may have named it. */
export function auditIdOf(req: HttpRequest): string {
  const given = req.headers['audit-id']
  return typeof given === 'string' && given !== '' ? given : randomUUID()
}

/** Where warnings for the client and annotations for the audit log go. */
export const notesOf = (
  { warnings }: { readonly warnings: string[] },
  record: AuditRecord | undefined,
): Pick<WriteRequest, 'warn' | 'audit'> => ({
  warn: (text) => {
    if (!warnings.includes(text) && warnings.length < 100) warnings.push(text)
  },
  ...(record === undefined
    ? {}
    : {
        audit: (key: string, value: string) => {
          record.annotate(key, value)
        },
      }),
})

export function performCall(call: ApiCall, subresources: ServerParts['subresources']): Promise<CallResult> {
  const conversion = call.resource.custom?.conversion
  const performed = perform(call, subresources)
  return conversion === undefined ? performed : performed.then((result) => convertResult(result, conversion))
}

async function perform(call: ApiCall, subresources: ServerParts['subresources']): Promise<CallResult> {
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
  const { resources } = parts.registry
  const resource = resources.find(info.group, info.version, info.resource)
  if (resource === undefined) throw resources.serves(info.group, info.version) ? pageNotFound() : new NoSuchPath()
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

/** `expected`: the kind that the body should be of, for messages. */
async function readCallBody(
  req: HttpRequest,
  yaml: YamlReader,
  expected: string,
): Promise<{ value: unknown; duplicates: readonly string[] } | undefined> {
  const bytes = await readBody(req)
  if (bytes.length === 0) return undefined
  const type = req.headers['content-type']
  const media = mediaTypeOf(type)
  if (media.endsWith('+yaml')) return await parseApply(bytes.toString('utf8'), yaml)
  if (media === cborApplyPatchType) return { value: await parseBody(bytes, cborMediaType, yaml), duplicates: [] }
  if (media.endsWith('+json')) {
    const prefix = media === mergePatchType ? 'error decoding patch: ' : ''
    const text = bytes.toString('utf8')
    return { value: parseJson(text, prefix), duplicates: findDuplicateFields(text) }
  }
  let value: unknown
  try {
    value = await parseBody(bytes, type, yaml)
  } catch (error) {
    if (!isReason(error, 'BadRequest')) throw error
    throw badRequest(
      `the object provided is unrecognized (must be of type ${expected}): ${error.message} (${summaryOf(bytes)})`,
    )
  }
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
