// Routes to the other nodes' pods: each node's pod range by way of its LAN address, kept current from the list of nodes.
import type { Node } from '../../../common/api/generated/types.ts'
import type { Informer } from '../../../common/client/informer.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { describeError } from '../logger.ts'
import { ip } from './interfaces.ts'

/** Destination range to gateway. Pure. */
export function wantedRoutes(nodes: readonly Node[], ownName: string): Map<string, string> {
  const routes = new Map<string, string>()
  for (const node of nodes) {
    if (node.metadata.name === ownName) continue
    const gateway = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address
    if (gateway === undefined) continue
    for (const range of node.spec?.podCIDRs ?? (node.spec?.podCIDR === undefined ? [] : [node.spec.podCIDR]))
      routes.set(range, gateway)
  }
  return routes
}

/** What a `proto` number tells apart: routes this agent made from all others. */
const protocol = '137'

export class PodRoutes {
  readonly #informer: Informer<Node>
  readonly #ownName: string
  readonly #logger: Logger
  #applied: Map<string, string> | undefined
  #busy: Promise<void> = Promise.resolve()

  constructor(options: { informer: Informer<Node>; ownName: string; logger: Logger }) {
    this.#informer = options.informer
    this.#ownName = options.ownName
    this.#logger = options.logger
    const update = (): void => {
      if (this.#informer.hasSynced()) this.#schedule()
    }
    this.#informer.subscribe({ onAdd: update, onUpdate: update, onDelete: update })
    void this.#informer.synced.then(
      () => {
        this.#schedule()
      },
      () => undefined,
    )
  }

  #schedule(): void {
    const wanted = wantedRoutes(this.#informer.list(), this.#ownName)
    this.#busy = this.#busy.then(() => this.#apply(wanted))
  }

  async #apply(wanted: Map<string, string>): Promise<void> {
    try {
      const present = this.#applied ?? (await readRoutes())
      for (const [range, gateway] of wanted)
        if (present.get(range) !== gateway) await ip('route', 'replace', range, 'via', gateway, 'proto', protocol)
      for (const range of present.keys())
        if (!wanted.has(range)) await ip('route', 'del', range, 'proto', protocol).catch(() => undefined)
      this.#applied = wanted
    } catch (error) {
      this.#applied = undefined
      this.#logger.warn('routes to other nodes could not be set', { error: describeError(error) })
    }
  }
}

async function readRoutes(): Promise<Map<string, string>> {
  const text = await ip('route', 'show', 'proto', protocol)
  const routes = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^(\S+) via (\S+)/.exec(line)
    if (match?.[1] !== undefined && match[2] !== undefined) routes.set(match[1], match[2])
  }
  return routes
}
