// The in-process road to the API: the same authorization, admission, validation and store as HTTP, without serialization.
import type { ApiRequest, Transport } from '../../common/client/transport.ts'
import type { KubeObject, WatchEvent } from '../../common/machinery/meta.ts'
import { badRequest, methodNotAllowed } from '../../common/machinery/status.ts'
import type { UserInfo } from './apiserver.ts'
import { attributesOf, forbiddenError } from './auth/authorizer.ts'
import { parseRequestInfo, type ResourceRequestInfo } from './chain/request-info.ts'
import { pageNotFound, performCall, requireResource } from './handler.ts'
import { nameInFieldSelector } from './registry/selection.ts'
import { toStatusError } from './registry/store-errors.ts'
import type { ApiCall, CallResult } from './routes/api-call.ts'
import { booleanParameter, watchRequestOf } from './routes/list-parameters.ts'
import { listMetadata } from './routes/render.ts'
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
    const document = request.method === 'GET' ? this.#parts.paths.document(request.path) : undefined
    if (document !== undefined) return document as T
    try {
      const call = this.#prepare(request)
      return plain(call, await performCall(call, this.#parts.subresources)) as T
    } catch (error) {
      throw toStatusError(error)
    }
  }

  async *watch<T extends KubeObject>(request: ApiRequest): AsyncGenerator<WatchEvent<T>> {
    const call = this.#prepare({ ...request, query: { ...request.query, watch: true } })
    if (!call.resource.verbs.has('watch')) throw methodNotAllowed(call.resource.name, 'watch')
    yield* watchInProcess<T>(this.#parts.registry, call.resource, watchRequestOf(call), request.signal, () => {
      this.#parts.metrics.slowWatchers += 1
    })
  }

  #prepare(request: ApiRequest): ApiCall {
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
      warn: () => undefined,
    }
  }

  #authorize(info: ResourceRequestInfo): void {
    const attributes = attributesOf(this.#user, info)
    const decision = this.#parts.authorizer.authorize(attributes)
    if (!decision.allowed) throw forbiddenError(attributes, decision.reason)
  }
}

function plain({ resource }: ApiCall, result: CallResult): unknown {
  switch (result.type) {
    case 'plain':
      return result.object
    case 'stored':
      return result.object.object
    case 'list':
      return {
        kind: `${resource.kind.kind}List`,
        apiVersion: resource.apiVersion,
        metadata: listMetadata(result.list),
        items: result.list.items.map((item) => item.object),
      }
  }
}
