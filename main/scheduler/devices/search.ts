// The search for devices: every request of every claim gets its devices, in all combinations if need be, and the first that works is
// taken. Pure but for its own bookkeeping; one search is for one node.
import type { Node, ResourceV1Device } from '../../../common/api/generated/types.ts'
import { capacityTaken } from './capacity.ts'
import type { Constraint } from './constraints.ts'
import { Counters } from './counters.ts'
import type { OfferedDevice, Pool } from './pools.ts'
import { reaches } from './pools.ts'
import type { DeviceRequest, RequestAlternatives } from './requests.ts'
import { isTolerated } from './taints.ts'
import type { Capacities, DeviceUsage } from './usage.ts'
import { addCapacities } from './usage.ts'

/** Throws an Error for a person when the expression is wrong, or fails on the device. */
export type DeviceSelector = (expression: string, driver: string, device: ResourceV1Device) => boolean

export interface ClaimRequests {
  /** "namespace/name" */
  key: string
  requests: readonly RequestAlternatives[]
  constraints: readonly Constraint[]
}

export interface Chosen {
  request: DeviceRequest
  offered: OfferedDevice
  /** Of devices that may be shared: the part that is taken. */
  capacity: Capacities | undefined
}

export interface SearchOptions {
  node: Node
  claims: readonly ClaimRequests[]
  pools: readonly Pool[]
  usage: DeviceUsage
  selector: DeviceSelector
}

/** Nothing is possible on this node, and not for want of devices: the message says why. */
export class SearchError extends Error {
  override readonly name = 'SearchError'
}

const maxDevicesPerClaim = 32
/** Devices tried in one search; hostile claims have more combinations than anybody can wait for. */
const maxTries = 20_000

/** The devices of each claim; undefined: there are none that would do. Throws SearchError, and what the selector throws. */
export function searchDevices(options: SearchOptions): Chosen[][] | undefined {
  return new Search(options).run()
}

class Search {
  readonly #options: SearchOptions
  readonly #usable: readonly OfferedDevice[]
  readonly #counters: Counters
  readonly #chosen: Chosen[][]
  /** Claims (by their place) to which the search gives a device. */
  readonly #taken = new Map<string, Set<number>>()
  readonly #shared = new Map<string, Capacities>()
  readonly #selectable = new Map<DeviceRequest, Map<OfferedDevice, boolean>>()
  #tries = 0

  constructor(options: SearchOptions) {
    this.#options = options
    this.#usable = options.pools
      .filter((pool) => !pool.incomplete && !pool.invalid)
      .flatMap(({ devices }) => devices.filter(({ reach }) => reaches(reach, options.node)))
    this.#counters = new Counters(options.usage)
    this.#chosen = options.claims.map(() => [])
  }

  run(): Chosen[][] | undefined {
    for (const { key, requests } of this.#options.claims) {
      const least = requests.reduce((sum, of) => sum + Math.min(...of.map((request) => this.#needed(key, request))), 0)
      if (least > maxDevicesPerClaim) {
        const counts = `${String(least)} exceeds the claim limit of ${String(maxDevicesPerClaim)}`
        throw new SearchError(`claim ${key}: number of requested devices ${counts}`)
      }
    }
    if (this.#claim(0, 0)) return this.#chosen
    if (this.#reachablePools().some(({ invalid }) => invalid))
      throw new SearchError('invalid resource pools were encountered')
    return undefined
  }

  #reachablePools(): Pool[] {
    const { pools, node } = this.#options
    return pools.filter(({ devices }) => devices.some(({ reach }) => reaches(reach, node)))
  }

  /** How many devices the request is about. For all devices the pools must be in order. */
  #needed(claim: string, request: DeviceRequest): number {
    if (request.count !== undefined) return request.count
    for (const { key, incomplete, invalid } of this.#reachablePools()) {
      const state = incomplete ? 'being updated' : invalid ? 'invalid' : undefined
      if (state === undefined) continue
      const asks = `claim ${claim}, request ${request.name}: asks for all devices`
      throw new SearchError(`${asks}, but resource pool ${key} is currently ${state}`)
    }
    return this.#all(request).length
  }

  #all(request: DeviceRequest): OfferedDevice[] {
    return this.#usable.filter((offered) => this.#isSelectable(request, offered))
  }

  #claim(claim: number, request: number): boolean {
    const of = this.#options.claims[claim]
    if (of === undefined) return true
    const alternatives = of.requests[request]
    if (alternatives === undefined) return this.#claim(claim + 1, 0)
    return alternatives.some((alternative) => {
      const candidates = alternative.count === undefined ? this.#all(alternative) : this.#usable
      const count = alternative.count ?? candidates.length
      if (count === 0 || (this.#chosen[claim]?.length ?? 0) + count > maxDevicesPerClaim) return false
      return this.#fill({ claim, request, alternative, candidates, count }, 0, 0)
    })
  }

  /** The next device of a request, from a place in the list on: their order within a request does not matter. */
  #fill(slot: Slot, filled: number, from: number): boolean {
    if (filled === slot.count) return this.#claim(slot.claim, slot.request + 1)
    const isAll = slot.alternative.count === undefined
    const end = isAll ? from + 1 : slot.candidates.length
    for (let at = from; at < end; at++) {
      const offered = slot.candidates[at]
      const giveBack = offered === undefined ? undefined : this.#take(slot, offered)
      if (giveBack === undefined) continue
      if (this.#fill(slot, filled + 1, at + 1)) return true
      giveBack()
    }
    return false
  }

  /** Returns what undoes it; undefined: the device cannot be used for this. */
  #take({ claim, alternative }: Slot, offered: OfferedDevice): (() => void) | undefined {
    if (++this.#tries > maxTries) throw new SearchError('timed out trying to allocate devices')
    const { device, id } = offered
    const isShared = device.allowMultipleAllocations === true
    if (alternative.adminAccess ? this.#taken.get(id)?.has(claim) === true : this.#isTaken(id)) return undefined
    if (!this.#isSelectable(alternative, offered) || !isTolerated(device, alternative.tolerations)) return undefined
    const inUse = isShared ? [this.#options.usage.shared.get(id), this.#shared.get(id)] : []
    const capacity = capacityTaken(device, alternative.capacity, inUse)
    if (capacity === undefined) return undefined
    // Whoever came first to a shared device has taken its counters.
    const needsCounters = (device.consumesCounters ?? []).length > 0 && inUse.every((used) => used === undefined)
    if (needsCounters && !this.#counters.take(offered)) return undefined
    if (!this.#constrain(claim, alternative, offered)) {
      if (needsCounters) this.#counters.giveBack(offered)
      return undefined
    }
    const users = this.#taken.get(id) ?? new Set<number>()
    this.#taken.set(id, users)
    if (isShared) addCapacities(this.#shared, id, capacity)
    else users.add(claim)
    this.#chosen[claim]?.push({ request: alternative, offered, capacity: isShared ? capacity : undefined })
    return () => {
      this.#chosen[claim]?.pop()
      if (isShared) addCapacities(this.#shared, id, capacity, -1n)
      else users.delete(claim)
      for (const constraint of this.#constraintsOf(claim)) constraint.remove(alternative.names)
      if (needsCounters) this.#counters.giveBack(offered)
    }
  }

  #isTaken(id: string): boolean {
    return this.#options.usage.taken.has(id) || (this.#taken.get(id)?.size ?? 0) > 0
  }

  #constraintsOf(claim: number): readonly Constraint[] {
    return this.#options.claims[claim]?.constraints ?? []
  }

  #constrain(claim: number, { names, name, count }: DeviceRequest, offered: OfferedDevice): boolean {
    const constraints = this.#constraintsOf(claim)
    const refusing = constraints.findIndex((constraint) => !constraint.add(names, offered))
    if (refusing < 0) return true
    for (const constraint of constraints.slice(0, refusing)) constraint.remove(names)
    if (count !== undefined) return false
    const { key = '' } = this.#options.claims[claim] ?? {}
    const why = 'because a claim constraint would not be satisfied'
    throw new SearchError(`claim ${key}, request ${name}: cannot add device ${offered.id} ${why}`)
  }

  #isSelectable(request: DeviceRequest, offered: OfferedDevice): boolean {
    const known = this.#selectable.get(request) ?? new Map<OfferedDevice, boolean>()
    this.#selectable.set(request, known)
    let is = known.get(offered)
    if (is === undefined) {
      is = this.#matches(request.class.spec.selectors, `class ${request.class.metadata.name ?? ''}`, offered)
      is &&= this.#matches(request.selectors, `request ${request.name}`, offered)
      known.set(offered, is)
    }
    return is
  }

  #matches(selectors: DeviceRequest['selectors'] | undefined, of: string, offered: OfferedDevice): boolean {
    return (selectors ?? []).every(({ cel }, index) => {
      try {
        return this.#options.selector(cel?.expression ?? '', offered.driver, offered.device)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        throw new Error(`${of}: selector #${String(index)} on device ${offered.id}: ${why}`, { cause: error })
      }
    })
  }
}

/** What is being filled: one alternative of one request. */
interface Slot {
  claim: number
  request: number
  alternative: DeviceRequest
  candidates: readonly OfferedDevice[]
  count: number
}
