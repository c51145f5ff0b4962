// How fast lost nodes may lose their pods. Where many nodes fall silent at once the network is the likelier cause, and moving all pods
// would do harm: then it goes slowly, or not at all.
import type { Node } from '../../../common/api/generated/types.ts'
import type { ControllerSettings } from '../runtime/settings.ts'
import { readyCondition } from './plan.ts'

type Rates = ControllerSettings['evictions']

export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption'

export const zoneOf = ({ metadata: { labels = {} } }: Node): string =>
  `${labels['topology.kubernetes.io/region'] ?? ''}/${labels['topology.kubernetes.io/zone'] ?? ''}`

const isReady = (node: Node): boolean => readyCondition(node)?.status === 'True'

export function stateOfZone(nodes: readonly Node[], { unhealthyShare }: Rates): ZoneState {
  const lost = nodes.filter((node) => !isReady(node)).length
  if (lost > 0 && lost === nodes.length) return 'FullDisruption'
  return lost > 2 && lost / nodes.length >= unhealthyShare ? 'PartialDisruption' : 'Normal'
}

/** Evictions a second from a zone of so many nodes. */
export function rateOf(state: ZoneState, nodes: number, rates: Rates): number {
  if (state !== 'PartialDisruption') return rates.perSecond
  return nodes > rates.largeZone ? rates.perSecondInTrouble : 0
}

/** "evict": its pods may go; "spare": they stay, whatever was decided before; or the time after which to ask again. */
export type EvictionVerdict = 'evict' | 'spare' | { readonly afterMs: number }

export class Evictions {
  readonly #rates: Rates
  /** When the last node of a zone was given up. */
  readonly #last = new Map<string, number>()

  constructor(rates: Rates) {
    this.#rates = rates
  }

  /** `node` is lost, and `nodes` are all there are. Counts as given up when the answer is "evict". */
  decide(node: Node, nodes: readonly Node[], nowMs: number): EvictionVerdict {
    if (!nodes.some(isReady)) return 'spare'
    const zone = zoneOf(node)
    const around = nodes.filter((other) => zoneOf(other) === zone)
    const rate = rateOf(stateOfZone(around, this.#rates), around.length, this.#rates)
    if (rate <= 0) return { afterMs: Infinity }
    const waitMs = (this.#last.get(zone) ?? -Infinity) + 1000 / rate - nowMs
    if (waitMs > 0) return { afterMs: waitMs }
    this.#last.set(zone, nowMs)
    return 'evict'
  }
}
