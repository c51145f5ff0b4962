// The in-process road to the API: the same authorization, admission, validation and store as HTTP, without serialization.
import type { ApiRequest, Transport } from '../../common/client/transport.ts'
import type { KubeObject, WatchEvent } from '../../common/machinery/meta.ts'
import { badRequest, methodNotAllowed } from '../../common/machinery/status.ts'
import type { UserInfo } from './apiserver.ts'
import type { AuditRecord } from './audit/auditor.ts'
import { attributesOf, forbiddenError, requireCreation } from './auth/authorizer.ts'
import { parseRequestInfo, type ResourceRequestInfo } from './chain/request-info.ts'
import { pageNotFound, performCall, requireResource } from './handler.ts'
import { nameInFieldSelector } from './registry/selection.ts'
import { toStatusError } from './registry/store-errors.ts'
import { type ApiCall, resultObject } from './routes/api-call.ts'
import { booleanParameter, watchRequestOf } from './routes/list-parameters.ts'
import type { ServerParts } from './server-parts.ts'
import { watchInProcess } from './watch/async-watch.ts'

export class InProcessTransport implements Transport {
  readonly #parts: ServerParts
  readonly #user: UserInfo

  constructor(parts: ServerParts, user: UserInfo) {
    this.#parts = parts
    this.#user = user.groups.includes('system:authenticated')
      ? user
      : { ...user, groups: [...user.groups, 'system:authenticated'] }
  }

  async request<T>(request: ApiRequest): Promise<T> {
    request.signal?.throwIfAborted()
    if (this.#parts.extensions.owns(request.path)) return this.#extension(request).request<T>(request)
    const document = request.method === 'GET' ? this.#parts.paths.document(request.path) : undefined
    if (document !== undefined) return document as T
    let record: AuditRecord | undefined
    try {
      const { info, query } = parseApiRequest(request)
      record = this.#audit(info, request.path)
      record?.requestObject(request.body)
      const call = this.#prepare(request, info, query)
      const result = resultObject(call.resource, await performCall(call, this.#parts.subresources))
      record?.responseObject(() => result)
      record?.complete(200)
      return result as T
    } catch (error) {
      const failure = toStatusError(error)
      record?.complete(failure.code, failure.status)
      throw failure
    }
  }

  async *watch<T extends KubeObject>(request: ApiRequest): AsyncGenerator<WatchEvent<T>> {
    const watching = { ...request, query: { ...request.query, watch: true } }
    if (this.#parts.extensions.owns(request.path)) {
      yield* this.#extension(watching).watch<T>(request)
      return
    }
    const { info, query } = parseApiRequest(watching)
    const call = this.#prepare(watching, info, query)
    if (!call.resource.verbs.has('watch')) throw methodNotAllowed(call.resource.name, 'watch')
    yield* watchInProcess<T>(this.#parts.registry, call.resource, watchRequestOf(call), request.signal, () => {
      this.#parts.metrics.slowWatchers += 1
    })
  }

  /** Its discovery documents are for everybody. */
  #extension(request: ApiRequest): Transport {
    const isDocument = request.method === 'GET' && request.path.split('/').length === 4
    if (!isDocument) this.#authorize(parseApiRequest(request).info)
    return this.#parts.extensions.transport(this.#user)
  }

  #audit(info: ResourceRequestInfo, uri: string): AuditRecord | undefined {
    return this.#parts.audit?.begin({ info, uri, user: this.#user, sourceIPs: ['127.0.0.1'], userAgent: 'orrery' })
  }

  #prepare(request: ApiRequest, info: ResourceRequestInfo, query: URLSearchParams): ApiCall {
    this.#authorize(info)
    const resource = requireResource(this.#parts, info)
    if (info.subresource !== '' && this.#parts.connects.find(resource, info.subresource) !== undefined)
      throw pageNotFound()
    const { body } = request
    return {
      registry: this.#parts.registry,
      resource,
      info,
      query,
      user: this.#user,
      body: () => Promise.resolve(body === undefined ? undefined : { value: body, duplicates: [] }),
      contentType: request.patchType ?? 'application/json',
      userAgent: this.#user.name.slice(this.#user.name.lastIndexOf(':') + 1),
      mayCreate: () => requireCreation(this.#parts.authorizer, this.#user, info),
      warn: () => undefined,
    }
  }

  #authorize(info: ResourceRequestInfo): void {
    const attributes = attributesOf(this.#user, info)
    const decision = this.#parts.authorizer.authorize(attributes)
    if (!decision.allowed) throw forbiddenError(attributes, decision.reason)
  }
}

function parseApiRequest(request: ApiRequest): { info: ResourceRequestInfo; query: URLSearchParams } {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(request.query ?? {}))
    if (value !== undefined) query.append(name, String(value))
  const mark = request.path.indexOf('?')
  const path = mark < 0 ? request.path : request.path.slice(0, mark)
  if (mark >= 0)
    new URLSearchParams(request.path.slice(mark + 1)).forEach((value, name) => {
      query.append(name, value)
    })
  const info = parseRequestInfo(
    request.method,
    path,
    query.has('watch') && booleanParameter(query, 'watch'),
    nameInFieldSelector(query.get('fieldSelector')),
  )
  if (!info.isResource) throw badRequest(`${JSON.stringify(path)} is not the path of a resource`)
  return { info, query }
}
