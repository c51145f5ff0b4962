// Extension API servers: groups and versions that an APIService gives to a Service. Which there are, whether they answer, what they
// serve; requests for them are carried over (forward.ts).
import type { APIResourceList, APIService } from '../../../common/api/generated/types.ts'
import { createClient } from '../../../common/client/create-client.ts'
import { apiServices } from '../../../common/client/resources.ts'
import type { Transport } from '../../../common/client/transport.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { Store } from '../../store/store.ts'
import type { ExtensionConnections } from './extension-connections.ts'
import { fetchDocuments } from './extension-documents.ts'
import type { ExtensionVersion } from './extension-version.ts'

const prefix = '/registry/apiregistration.k8s.io/apiservices/'
/** How often an extension is asked whether it is there. */
const checkEveryMs = 30_000
/** After a change of what it consists of (its Service, its endpoints), and while it does not answer. */
const retryMs = 1_000

interface Verdict {
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

export class ExtensionServers {
  readonly #store: Store
  readonly #connections: ExtensionConnections
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #transport: Transport
  #versions = new Map<string, ExtensionVersion>()
  /** Raised when what is served changes (cache key of discovery). */
  generation = 0
  #cancel: (() => void) | undefined
  #checking = false
  #again = false
  #closed = false
  readonly #watch: { close(): void }

  constructor(options: {
    readonly store: Store
    readonly connections: ExtensionConnections
    readonly clock: Clock
    readonly logger: Logger
    /** As a user that may write status. */
    readonly transport: Transport
  }) {
    this.#store = options.store
    this.#connections = options.connections
    this.#clock = options.clock
    this.#logger = options.logger
    this.#transport = options.transport
    this.#watch = options.store.watch({
      prefix,
      fromRevision: options.store.revision + 1,
      onEvents: () => {
        this.#read()
      },
    })
    this.#read()
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
    this.#watch.close()
  }

  versions(): readonly ExtensionVersion[] {
    return [...this.#versions.values()]
  }

  /** Whose path it is: "/apis/GROUP/VERSION" and what lies below; undefined for this server's own. */
  find(path: string): ExtensionVersion | undefined {
    if (this.#versions.size === 0 || !path.startsWith('/apis/')) return undefined
    const [, , group = '', version = ''] = path.split('/', 4)
    return this.#versions.get(`${group}/${version}`)
  }

  #read(): void {
    const found = new Map<string, ExtensionVersion>()
    for (const { value } of this.#store.range({ prefix }).entries) {
      const { spec } = JSON.parse(value) as APIService
      if (spec?.service === undefined) continue
      const { group = '', version = '' } = spec
      const key = `${group}/${version}`
      const known = this.#versions.get(key)
      const same = known !== undefined && JSON.stringify(known.spec) === JSON.stringify(spec)
      found.set(
        key,
        same
          ? known
          : { group, version, spec, available: false, resources: [], failures: new Map(), documents: undefined },
      )
    }
    const changed =
      found.size !== this.#versions.size || [...found].some(([key, value]) => this.#versions.get(key) !== value)
    if (!changed) return
    this.#versions = found
    this.generation += 1
    this.#schedule(0)
  }

  #schedule(ms: number): void {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#closed || this.#versions.size === 0) return
    this.#cancel = this.#clock.after(ms, () => {
      void this.#checkAll()
    })
  }

  async #checkAll(): Promise<void> {
    if (this.#checking) {
      this.#again = true
      return
    }
    this.#checking = true
    try {
      await Promise.all(this.versions().map((version) => this.#check(version)))
    } finally {
      this.#checking = false
    }
    const again = this.#again
    this.#again = false
    this.#schedule(again ? 0 : this.versions().every(({ available }) => available) ? checkEveryMs : retryMs)
  }

  async #check(version: ExtensionVersion): Promise<void> {
    const verdict = await this.#ask(version)
    const available = verdict.status === 'True'
    if (!available) version.failures.set(verdict.reason, (version.failures.get(verdict.reason) ?? 0) + 1)
    if (available !== version.available) {
      version.available = available
      this.generation += 1
    }
    try {
      await this.#writeCondition(version, verdict)
    } catch (error) {
      // Gone, or written by another engine meanwhile: the next check says it again.
      if (!this.#closed && !isReason(error, 'NotFound') && !isReason(error, 'Conflict'))
        this.#logger.warn('availability of an extension API server could not be written', { error })
    }
    if (available) await this.#readDocuments(version)
  }

  async #readDocuments(version: ExtensionVersion): Promise<void> {
    const documents = await fetchDocuments(this.#connections, version, version.documents)
    if (documents === version.documents) return
    version.documents = documents
    this.generation += 1
  }

  async #ask(version: ExtensionVersion): Promise<Verdict> {
    const path = `/apis/${version.group}/${version.version}`
    try {
      const list = (await this.#connections.getJson(version.spec, path)) as Partial<APIResourceList>
      const resources = list.resources ?? []
      if (JSON.stringify(resources) !== JSON.stringify(version.resources)) {
        version.resources = resources
        this.generation += 1
      }
      return { status: 'True', reason: 'Passed', message: 'all checks passed' }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const { service } = version.spec
      const place = `${service?.namespace ?? ''}/${service?.name ?? ''}`
      if (/^service ".*" not found$/.test(why))
        return {
          status: 'False',
          reason: 'ServiceNotFound',
          message: `service/${service?.name ?? ''} in ${JSON.stringify(service?.namespace ?? '')} is not present`,
        }
      if (why.startsWith('no service port'))
        return {
          status: 'False',
          reason: 'ServicePortError',
          message: `service/${service?.name ?? ''} in ${JSON.stringify(service?.namespace ?? '')} is not listening on port ${String(service?.port ?? 443)}`,
        }
      if (why.startsWith('no endpoints'))
        return {
          status: 'False',
          reason: 'MissingEndpoints',
          message: `endpoints for service/${service?.name ?? ''} in ${JSON.stringify(service?.namespace ?? '')} have no addresses with port name ${JSON.stringify('https')}`,
        }
      return {
        status: 'False',
        reason: 'FailedDiscoveryCheck',
        message: `failing or missing response from https://${place}${path}: ${why}`,
      }
    }
  }

  async #writeCondition({ group, version }: ExtensionVersion, verdict: Verdict): Promise<void> {
    const client = createClient(this.#transport, { fieldManager: 'kube-apiserver' })
    const object = await client.get(apiServices, `${version}.${group}`)
    const others = (object.status?.conditions ?? []).filter(({ type }) => type !== 'Available')
    const old = object.status?.conditions?.find(({ type }) => type === 'Available')
    if (old?.status === verdict.status && old.reason === verdict.reason && old.message === verdict.message) return
    const lastTransitionTime =
      old?.status === verdict.status && old.lastTransitionTime !== undefined
        ? old.lastTransitionTime
        : formatTime(this.#clock.now())
    const condition = { type: 'Available', ...verdict, lastTransitionTime }
    await client.updateStatus(apiServices, { ...object, status: { conditions: [...others, condition] } })
  }
}
