// A node with the sums over its pods, kept up to date pod by pod so that a scheduling cycle never looks at pods.
import type { Node, Taint } from '../../../common/api/generated/types.ts'
import { quantityToBytes } from '../../../common/machinery/quantity.ts'
import type { HostPort, PodFacts } from './pod-facts.ts'
import type { Resources } from './pod-resources.ts'
import { minus, noResources, plus, toResources } from './pod-resources.ts'

const noTaints: readonly Taint[] = []

export class NodeState {
  readonly name: string
  /** Undefined: pods are known to be there, but the node object is not (any more). */
  node: Node | undefined
  allocatable: Resources = noResources
  maxPods = 0
  taints: readonly Taint[] = noTaints
  labels: Readonly<Record<string, string>> = {}
  /** Image name -> bytes, all names of each image. */
  images: ReadonlyMap<string, number> = new Map()
  requested: Resources = noResources
  /** Like `requested`, with defaults for pods that ask for nothing. */
  scored: Resources = noResources
  readonly pods = new Map<string, PodFacts>()
  /** "TCP/80" -> IPs, with the number of pods. */
  readonly #ports = new Map<string, Map<string, number>>()

  constructor(name: string) {
    this.name = name
  }

  setNode(node: Node | undefined): void {
    this.node = node
    const { allocatable, capacity, images } = node?.status ?? {}
    const quantities = allocatable ?? capacity
    this.allocatable = toResources(quantities)
    this.maxPods = quantities?.['pods'] === undefined ? 0 : quantityToBytes(quantities['pods'])
    this.taints = node?.spec?.taints ?? noTaints
    this.labels = node?.metadata.labels ?? {}
    this.images = new Map(
      (images ?? []).flatMap(({ names = [], sizeBytes = 0 }) => names.map((name) => [name, sizeBytes] as const)),
    )
  }

  add(pod: PodFacts): void {
    this.pods.set(pod.uid, pod)
    this.requested = plus(this.requested, pod.requests)
    this.scored = plus(this.scored, pod.scoring)
    for (const port of pod.hostPorts) this.#countPort(port, 1)
  }

  remove(pod: PodFacts): void {
    if (!this.pods.delete(pod.uid)) return
    this.requested = minus(this.requested, pod.requests)
    this.scored = minus(this.scored, pod.scoring)
    for (const port of pod.hostPorts) this.#countPort(port, -1)
  }

  usesClaim(key: string): boolean {
    for (const { claims } of this.pods.values()) if (claims.some((claim) => claim.key === key)) return true
    return false
  }

  /** 0.0.0.0 stands for every address of the node. */
  hasPortConflict(ports: readonly HostPort[]): boolean {
    return ports.some(({ protocol, ip, port }) => {
      const used = this.#ports.get(`${protocol}/${String(port)}`)
      return used !== undefined && (ip === '0.0.0.0' || used.has('0.0.0.0') || used.has(ip))
    })
  }

  #countPort({ protocol, ip, port }: HostPort, by: 1 | -1): void {
    const key = `${protocol}/${String(port)}`
    const used = this.#ports.get(key) ?? new Map<string, number>()
    const count = (used.get(ip) ?? 0) + by
    if (count > 0) used.set(ip, count)
    else used.delete(ip)
    if (used.size > 0) this.#ports.set(key, used)
    else this.#ports.delete(key)
  }
}
