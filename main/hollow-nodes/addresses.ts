// The address plan of hollow nodes: private ranges beside those of real machines (10.77/16, 10.244/16). No packet ever goes there.
import type { Node } from '../../common/api/generated/types.ts'

/** 64 x 256 blocks of /24: one per node; node addresses have a range of their own. */
const podRange = { from: parseAddress('10.128.0.0'), to: parseAddress('10.192.0.0') }
const nodeRange = { from: parseAddress('10.192.0.0'), to: parseAddress('10.208.0.0') }

export interface NodeAddresses {
  podCIDR: string
  /** The node's InternalIP. */
  address: string
}

/** Hands out what no node has yet, in ascending order. Throws RangeError when the ranges are used up. */
export class AddressPlan {
  readonly #used = new Set<string>()
  readonly #bits: number
  #nextBlock = podRange.from
  #nextAddress = nodeRange.from + 1

  /** `podsPerNode` decides how large each node's block is: at least a /24. */
  constructor(nodes: readonly Node[], podsPerNode: number) {
    // Network and broadcast addresses stay free, as on a real bridge.
    this.#bits = Math.max(8, Math.ceil(Math.log2(podsPerNode + 2)))
    for (const { spec, status } of nodes) {
      for (const cidr of spec?.podCIDRs ?? []) this.#used.add(cidr)
      for (const { address } of status?.addresses ?? []) this.#used.add(address)
    }
  }

  take(): NodeAddresses {
    const size = 2 ** this.#bits
    let podCIDR: string
    do {
      if (this.#nextBlock + size > podRange.to)
        throw new RangeError('there is no pod range left for another hollow node')
      podCIDR = `${formatAddress(this.#nextBlock)}/${String(32 - this.#bits)}`
      this.#nextBlock += size
    } while (this.#used.has(podCIDR))
    let address: string
    do {
      if (this.#nextAddress >= nodeRange.to) throw new RangeError('there is no address left for another hollow node')
      address = formatAddress(this.#nextAddress++)
    } while (this.#used.has(address))
    return { podCIDR, address }
  }
}

/** Addresses of one node's pods. A pod keeps what it was given until it is released. */
export class PodAddresses {
  readonly #from: number
  readonly #to: number
  readonly #byPod = new Map<string, string>()
  readonly #used = new Set<string>()
  #next: number

  constructor(podCIDR: string) {
    const [base = '', prefix = '24'] = podCIDR.split('/')
    this.#from = parseAddress(base) + 1
    this.#to = parseAddress(base) + 2 ** (32 - Number(prefix)) - 1
    this.#next = this.#from
  }

  /** `known`: what the pod's status already shows. Undefined when all are in use. */
  of(uid: string, known?: string): string | undefined {
    const present = this.#byPod.get(uid)
    if (present !== undefined) return present
    const address = known !== undefined && known !== '' && !this.#used.has(known) ? known : this.#free()
    if (address === undefined) return undefined
    this.#byPod.set(uid, address)
    this.#used.add(address)
    return address
  }

  release(uid: string): void {
    const address = this.#byPod.get(uid)
    if (address === undefined) return
    this.#byPod.delete(uid)
    this.#used.delete(address)
  }

  /** In a circle, so that an address just released is not given to the next pod at once. */
  #free(): string | undefined {
    for (let tried = this.#from; tried < this.#to; tried++) {
      const address = formatAddress(this.#next)
      this.#next = this.#next + 1 < this.#to ? this.#next + 1 : this.#from
      if (!this.#used.has(address)) return address
    }
    return undefined
  }
}

function parseAddress(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => String(Math.floor(value / 2 ** shift) % 256)).join('.')
}
