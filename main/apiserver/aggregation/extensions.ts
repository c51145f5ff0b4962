// The aggregation layer, put together: extension API servers and the requests that go to them.
import { createClient } from '../../../common/client/create-client.ts'
import type { Transport } from '../../../common/client/transport.ts'
import { serviceUnavailable } from '../../../common/machinery/status.ts'
import type { ApiServerOptions, HttpRequest, HttpResponse, UserInfo } from '../apiserver.ts'
import { type Gauge, label } from '../metrics.ts'
import type { Registry } from '../registry/context.ts'
import type { Upgrade } from '../streaming/upgrade.ts'
import { publishAuthentication } from './authentication-config.ts'
import { ExtensionConnections } from './extension-connections.ts'
import { ExtensionTransport } from './extension-transport.ts'
import { ExtensionServers } from './extension-servers.ts'
import type { ExtensionVersion } from './extension-version.ts'
import { forwardRequest, forwardUpgrade } from './forward.ts'
import { syncLocalServices } from './local-services.ts'

/** This server itself, to extensions. */
const aggregator: UserInfo = { name: 'system:kube-aggregator', groups: ['system:masters'] }

export class Extensions {
  readonly #registry: Registry
  readonly #connections: ExtensionConnections
  readonly #aggregation: ApiServerOptions['aggregation']
  #servers: ExtensionServers | undefined
  #stopSync: (() => void) | undefined
  #syncing: Promise<void> = Promise.resolve()

  constructor(registry: Registry, options: Pick<ApiServerOptions, 'nodes' | 'aggregation'>) {
    this.#registry = registry
    this.#aggregation = options.aggregation
    const { nodes, aggregation } = options
    this.#connections = new ExtensionConnections({ registry, nodes, identity: aggregation?.identity })
  }

  /** `transport`: as the server itself. Nothing to do where APIServices are not served. */
  async start(transport: Transport): Promise<void> {
    const { store, clock, logger, resources } = this.#registry
    if (resources.findAnyVersion('apiregistration.k8s.io', 'apiservices') === undefined) return
    this.#servers = new ExtensionServers({ store, connections: this.#connections, clock, logger, transport })
    const client = createClient(transport, { fieldManager: 'kube-apiserver' })
    const sync = (): Promise<void> =>
      (this.#syncing = this.#syncing
        .then(() => syncLocalServices(resources, client))
        .catch((error: unknown) => {
          if (this.#stopSync !== undefined) logger.warn('APIServices of this server could not be written', { error })
        }))
    this.#stopSync = resources.onChange(() => void sync())
    const publish =
      this.#aggregation === undefined ? Promise.resolve() : publishAuthentication(client, this.#aggregation)
    await Promise.all([sync(), publish])
  }

  close(): void {
    this.#stopSync?.()
    this.#stopSync = undefined
    this.#servers?.close()
  }

  get generation(): number {
    return this.#servers?.generation ?? 0
  }

  versions(): readonly ExtensionVersion[] {
    return this.#servers?.versions() ?? []
  }

  gauges(): Gauge[] {
    return [
      {
        name: 'aggregator_unavailable_apiservice',
        help: 'APIServices: 1 for one that does not answer.',
        read: () =>
          this.versions().map(({ group, version, available }) => ({
            labels: `name="${label(`${version}.${group}`)}"`,
            value: available ? 0 : 1,
          })),
      },
      {
        name: 'aggregator_unavailable_apiservice_total',
        type: 'counter',
        help: 'How often an APIService was found not to answer, by reason.',
        read: () =>
          this.versions().flatMap(({ group, version, failures }) =>
            [...failures].map(([reason, value]) => ({
              labels: `name="${label(`${version}.${group}`)}",reason="${reason}"`,
              value,
            })),
          ),
      },
    ]
  }

  owns(path: string): boolean {
    return this.#servers?.find(path) !== undefined
  }

  async forward(
    path: string,
    exchange: { readonly req: HttpRequest; readonly res: HttpResponse; readonly user: UserInfo },
  ): Promise<void> {
    await forwardRequest(this.#connections, this.#require(path), exchange)
  }

  /** The OpenAPI v3 document of "apis/GROUP/VERSION", straight from the extension; false when it has none. */
  async forwardOpenApi(
    path: string,
    exchange: { readonly req: HttpRequest; readonly res: HttpResponse },
  ): Promise<boolean> {
    const version = this.#servers?.find(`/${path}`)
    if (version?.documents?.v3 === undefined || path !== `apis/${version.group}/${version.version}`) return false
    await forwardRequest(this.#connections, version, { ...exchange, user: aggregator })
    return true
  }

  async upgrade(path: string, upgrade: Upgrade, user: UserInfo): Promise<void> {
    await forwardUpgrade(this.#connections, this.#require(path), upgrade, user)
  }

  /** The in-process road, for paths that `owns` says yes to. */
  transport(user: UserInfo): Transport {
    return new ExtensionTransport({ connections: this.#connections, require: (path) => this.#require(path), user })
  }

  #require(path: string): ExtensionVersion {
    const version = this.#servers?.find(path)
    if (version?.available !== true) throw serviceUnavailable('service unavailable')
    return version
  }
}
