// Signs of life of many nodes from one timer: leases every 10 s and statuses every 5 minutes, as kubelets do. The nodes are dealt into
// slots, so that the load is even and the server can commit the writes of one slot together.
import type { Lease, Node } from '../../common/api/generated/types.ts'
import type { KubeClient } from '../../common/client/client.ts'
import { leases, nodes } from '../../common/client/resources.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import { isReason } from '../../common/machinery/status.ts'
import { extendedAllocatable, hollowConditions, hollowLease } from './hollow-node.ts'

const renewMs = 10_000
const slots = 40
/** A slot's turn comes 30 times between two statuses. */
const turnsPerStatus = 30

export interface HeartbeatsOptions {
  client: KubeClient
  clock: Clock
  logger: Logger
  /** The node as the API shows it; undefined once it was deleted. */
  node: (name: string) => Node | undefined
}

export class Heartbeats {
  readonly #options: HeartbeatsOptions
  readonly #slots: string[][] = Array.from({ length: slots }, () => [])
  readonly #leases = new Map<string, Lease>()
  /** Nodes whose last report has not been answered: a slow server gets no second one on top. */
  readonly #underWay = new Set<string>()
  #names = 0
  #turn = 0
  #failing = false
  #cancel: () => void = () => undefined

  constructor(options: HeartbeatsOptions) {
    this.#options = options
  }

  async add(node: Node): Promise<void> {
    const name = node.metadata.name ?? ''
    await this.#renew(node)
    this.#slots[this.#names++ % slots]?.push(name)
  }

  start(): void {
    const { clock } = this.#options
    const next = (): void => {
      this.#beat()
      this.#cancel = clock.after(renewMs / slots, next)
    }
    this.#cancel = clock.after(renewMs / slots, next)
  }

  stop(): void {
    this.#cancel()
  }

  #beat(): void {
    const { node: shown } = this.#options
    const turn = this.#turn++
    const slot = turn % slots
    const round = Math.floor(turn / slots)
    this.#slots[slot] = (this.#slots[slot] ?? []).filter((name) => shown(name) !== undefined)
    void this.#reportAll(this.#slots[slot], (index) => (round + index) % turnsPerStatus === turnsPerStatus - 1)
  }

  async #reportAll(names: readonly string[], withStatus: (index: number) => boolean): Promise<void> {
    const { node: shown, logger } = this.#options
    const results = await Promise.allSettled(
      names.map(async (name, index) => {
        const node = shown(name)
        if (node === undefined || this.#underWay.has(name)) return
        this.#underWay.add(name)
        try {
          await this.#renew(node)
          if (withStatus(index)) await this.report(node)
        } finally {
          this.#underWay.delete(name)
        }
      }),
    )
    const failed = results.filter((result) => result.status === 'rejected')
    if (results.length === 0 || failed.length > 0 === this.#failing) return
    // Said once when it begins and once when it is over, not by each node and turn.
    this.#failing = failed.length > 0
    if (this.#failing) logger.warn('hollow nodes cannot report', { error: failed[0]?.reason as unknown })
    else logger.warn('hollow nodes report again')
  }

  /** Writes the node's own conditions, and what can be had of the resources it was given. */
  async report(node: Node): Promise<void> {
    const { client, clock } = this.#options
    const conditions = hollowConditions(node.status?.conditions ?? [], clock.now())
    const target = { name: node.metadata.name ?? '', subresource: 'status' }
    await client
      .patch(nodes, target, 'application/strategic-merge-patch+json', {
        status: { conditions, allocatable: extendedAllocatable(node) },
      })
      .catch(ignoreGone)
  }

  async #renew(node: Node): Promise<void> {
    const { client, clock } = this.#options
    const name = node.metadata.name ?? ''
    const known = this.#leases.get(name)
    const next = hollowLease(node, clock.now(), known)
    try {
      this.#leases.set(name, await (known === undefined ? client.create(leases, next) : client.update(leases, next)))
    } catch (error) {
      // Left by an earlier run, changed by someone or collected: what is there now decides the next turn.
      if (isReason(error, 'AlreadyExists') || isReason(error, 'Conflict')) {
        const present = await client.get(leases, name, next.metadata.namespace)
        this.#leases.set(name, await client.update(leases, hollowLease(node, clock.now(), present)))
      } else if (isReason(error, 'NotFound')) this.#leases.delete(name)
      else throw error
    }
  }
}

function ignoreGone(error: unknown): void {
  if (!isReason(error, 'NotFound')) throw error
}
