// Keeps this node's objects in the API: registers the Node, renews its Lease every 10 s, writes the status when something changed and
// at least every 5 minutes.
import type { ContainerImage, Lease, Node, NodeStatus } from '../../../common/api/generated/types.ts'
import type { GuestConfig } from '../../../common/channel/guest-config.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { delay } from '../../../common/client/delay.ts'
import type { EventRecorder } from '../../../common/client/event-recorder.ts'
import { leases, nodes } from '../../../common/client/resources.ts'
import { formatMicroTime, type Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { describeError } from '../logger.ts'
import { ImageService, type Runtime } from '../runtime/runtime.ts'
import { readPressure, type MachineFacts } from './node-facts.ts'
import { newNode, nodeLabels, nodeStatus } from './node-object.ts'

const leaseNamespace = 'kube-node-lease'
const leaseSeconds = 40
const renewMs = 10_000
const statusMs = 300_000
const maxImages = 50

export interface NodeReporterOptions {
  config: GuestConfig
  facts: MachineFacts
  client: KubeClient
  runtime: Runtime
  clock: Clock
  logger: Logger
  events: EventRecorder
  /** This node as the API shows it now. */
  observed: () => Node | undefined
  signal: AbortSignal
}

export class NodeReporter {
  readonly #options: NodeReporterOptions
  #problem: string | undefined = 'container runtime is down'
  #runtimeVersion = 'unknown'
  #images: ContainerImage[] = []
  #node: Node | undefined
  #lease: Lease | undefined
  #sent = ''
  #sentAtMs = 0
  #lastStatus: NodeStatus | undefined
  #wake: () => void = () => undefined
  #imagesStale = true
  #leaving = false

  constructor(options: NodeReporterOptions) {
    this.#options = options
  }

  /** Why pods cannot run now (undefined: they can); reported at once. */
  setProblem(problem: string | undefined, runtimeVersion?: string): void {
    if (runtimeVersion !== undefined) this.#runtimeVersion = runtimeVersion
    if (problem === this.#problem) return
    this.#problem = problem
    this.#wake()
  }

  /** Nothing runs here from now on: reported at once, whatever is learnt later. */
  async leave(): Promise<void> {
    this.#leaving = true
    await this.#report()
  }

  /** Images were pulled or removed; shown with the next report. */
  imagesChanged(): void {
    this.#imagesStale = true
  }

  async run(): Promise<void> {
    const { signal, logger } = this.#options
    while (!signal.aborted) {
      try {
        await this.#renewLease()
        await this.#report()
      } catch (error) {
        this.#lease = undefined
        logger.debug('the node could not be reported', { error: describeError(error) })
      }
      const awake = new AbortController()
      this.#wake = () => {
        awake.abort()
      }
      await delay(this.#options.clock, renewMs, AbortSignal.any([signal, awake.signal])).catch(() => undefined)
    }
  }

  async #report(): Promise<void> {
    const { config, client, clock } = this.#options
    if (this.#node === undefined) {
      this.#node = await this.#register()
      this.#sent = ''
    }
    const status = await this.#status()
    const text = withoutHeartbeat(status)
    const now = clock.now()
    if (text === this.#sent && now - this.#sentAtMs < statusMs && !this.#isContradicted(status)) return
    try {
      const target = { name: config.machine, subresource: 'status' }
      const addresses = [{ $patch: 'replace' }, ...(status.addresses ?? [])]
      this.#node = await client.patch(nodes, target, 'application/strategic-merge-patch+json', {
        status: { ...status, addresses },
      })
    } catch (error) {
      // Deleted under us (kubectl delete node): register again.
      if (isReason(error, 'NotFound')) this.#node = undefined
      throw error
    }
    this.#sent = text
    this.#lastStatus = status
    this.#sentAtMs = now
  }

  /** While this node could not be heard, a controller may have written that its state is unknown. */
  #isContradicted(status: NodeStatus): boolean {
    const shown = this.#options.observed()?.status?.conditions
    if (shown === undefined) return false
    return (status.conditions ?? []).some(
      ({ type, status: own }) => shown.find((present) => present.type === type)?.status !== own,
    )
  }

  /** The node's object changed: look whether it still says what this node says. */
  onNodeChanged(): void {
    if (this.#sent !== '' && this.#lastStatus !== undefined && this.#isContradicted(this.#lastStatus)) this.#wake()
  }

  async #register(): Promise<Node> {
    const { client, config, facts, logger, events } = this.#options
    const fresh = newNode(config, facts, await this.#status())
    try {
      const created = await client.create(nodes, fresh)
      logger.info('node registered')
      events.event(nodeReference(config), 'Normal', 'Starting', 'Starting kubelet.')
      return created
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) throw error
    }
    const present = await client.get(nodes, config.machine)
    if (present.status?.nodeInfo?.bootID !== facts.bootId)
      events.event(
        nodeReference(config),
        'Warning',
        'Rebooted',
        `Node ${config.machine} has been rebooted, boot id: ${facts.bootId}`,
      )
    const labels = nodeLabels({ config, facts })
    const differs = Object.entries(labels).some(([key, value]) => present.metadata.labels?.[key] !== value)
    if (!differs && present.spec?.podCIDR === config.cluster.podCIDR) return present
    const { podCIDR, podCIDRs, providerID } = fresh.spec ?? {}
    return client.patch(nodes, { name: config.machine }, 'application/merge-patch+json', {
      metadata: { labels },
      spec: { podCIDR, podCIDRs, providerID },
    })
  }

  async #status(): Promise<NodeStatus> {
    const { config, facts, clock } = this.#options
    if (this.#imagesStale && this.#problem === undefined) await this.#readImages()
    return nodeStatus({
      config,
      facts,
      pressure: readPressure(facts.memoryBytes),
      problem: this.#leaving ? 'node is shutting down' : this.#problem,
      runtimeVersion: this.#runtimeVersion,
      images: this.#images,
      now: clock.now(),
      previous: this.#node?.status?.conditions ?? [],
    })
  }

  async #readImages(): Promise<void> {
    const answer = await this.#options.runtime.call(ImageService.method.listImages, {})
    this.#images = answer.images
      .map(({ repoTags, repoDigests, size }) => ({
        names: [...repoDigests, ...repoTags].slice(0, 5),
        sizeBytes: Number(size),
      }))
      .sort((a, b) => b.sizeBytes - a.sizeBytes)
      .slice(0, maxImages)
    this.#imagesStale = false
  }

  async #renewLease(): Promise<void> {
    const { client, config, clock } = this.#options
    const renewTime = formatMicroTime(clock.now())
    if (this.#lease === undefined) {
      try {
        this.#lease = await client.get(leases, config.machine, leaseNamespace)
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
        const uid = this.#node?.metadata.uid
        this.#lease = await client.create(leases, {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: {
            name: config.machine,
            namespace: leaseNamespace,
            ...(uid === undefined
              ? {}
              : { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: config.machine, uid }] }),
          },
          spec: { holderIdentity: config.machine, leaseDurationSeconds: leaseSeconds, renewTime },
        })
        return
      }
    }
    this.#lease = await client.update(leases, {
      ...this.#lease,
      spec: { ...this.#lease.spec, holderIdentity: config.machine, leaseDurationSeconds: leaseSeconds, renewTime },
    })
  }
}

/** Events about a node refer to it by name, as the kubelet's do. */
const nodeReference = (config: GuestConfig): { kind: string; name: string; uid: string } => ({
  kind: 'Node',
  name: config.machine,
  uid: config.machine,
})

const withoutHeartbeat = (status: NodeStatus): string =>
  JSON.stringify({
    ...status,
    conditions: status.conditions?.map(({ type, status: value, reason, message }) => [type, value, reason, message]),
  })
