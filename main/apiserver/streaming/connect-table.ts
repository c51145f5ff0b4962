// Subresources that are streams or actions of the host: found by resource and name, listed in discovery like any other.
import type { HttpRequest, HttpResponse, UserInfo } from '../apiserver.ts'
import type { ResourceRequestInfo } from '../chain/request-info.ts'
import type { Responder } from '../chain/respond.ts'
import type { SubresourceInfo } from '../discovery/discovery.ts'
import type { Registry } from '../registry/context.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { Upgrade } from './upgrade.ts'

export interface ConnectCall {
  readonly info: ResourceRequestInfo
  readonly query: URLSearchParams
  readonly user: UserInfo
  readonly resource: ServedResource
  readonly registry: Registry
}

export interface HttpConnectCall extends ConnectCall {
  readonly req: HttpRequest
  readonly res: HttpResponse
  readonly to: Responder
}

export interface Connect {
  readonly info: SubresourceInfo
  /** A plain request. */
  serve(call: HttpConnectCall): Promise<void>
  /** A request to upgrade (WebSocket or SPDY). Absent: upgrades are refused. */
  upgrade?(call: ConnectCall, upgrade: Upgrade): Promise<void>
}

export class ConnectTable {
  readonly #byPath: ReadonlyMap<string, Connect>

  /** Keys: "group/plural/subresource". */
  constructor(entries: Iterable<readonly [string, Connect]>) {
    this.#byPath = new Map(entries)
  }

  find(resource: ServedResource, subresource: string): Connect | undefined {
    return this.#byPath.get(`${resource.kind.group}/${resource.kind.plural}/${subresource}`)
  }

  of(resource: ServedResource): Connect[] {
    const prefix = `${resource.kind.group}/${resource.kind.plural}/`
    return [...this.#byPath].filter(([path]) => path.startsWith(prefix)).map(([, connect]) => connect)
  }
}
