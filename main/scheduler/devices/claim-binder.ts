// Writes what was decided about a pod's claims: allocations and for whom they are reserved. Until that is done, nobody else gets the
// devices.
import type { Node, ResourceV1AllocationResult, ResourceV1ResourceClaim } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { resourceClaims } from '../../../common/client/resources.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import type { DeviceSources } from './allocate.ts'
import { awaitedDevice } from './binding-conditions.ts'
import { allocateClaims, claimsOf, isAllocated, isReservedFor } from './allocate.ts'

const deleteProtection = 'resource.kubernetes.io/delete-protection'
const maxConflicts = 5
/** Longest wait for a driver to make devices ready. */
const bindingTimeoutMs = 600_000

/** One claim of a pod that is on its way to a node. */
export interface PlannedClaim {
  claim: ResourceV1ResourceClaim
  /** Undefined: it has one already, in which the pod will share. */
  allocation: ResourceV1AllocationResult | undefined
}

export class ClaimBinder {
  readonly #client: KubeClient
  readonly #sources: DeviceSources
  readonly #clock: Clock

  constructor(options: { client: KubeClient; sources: DeviceSources; clock: Clock }) {
    this.#client = options.client
    this.#sources = options.sources
    this.#clock = options.clock
  }

  /** Synchronous: from here on the devices are the pod's. Throws when they are not there any more. */
  assume(pod: PodFacts, node: Node): PlannedClaim[] {
    if (pod.deviceClaims.length === 0) return []
    const { claims } = this.#sources
    const found = claimsOf(pod, claims)
    if (typeof found === 'string') throw new Error(found)
    const open = found.filter((claim) => !isAllocated(claim))
    const allocations = open.length === 0 ? [] : allocateClaims(open, node, this.#sources, claims.usage())
    if (allocations === undefined) throw new Error('claim allocation not found for node')
    for (const [i, claim] of open.entries())
      claims.assume({ ...claim, status: { ...claim.status, allocation: allocations[i] } })
    return found
      .filter((claim) => !isReservedFor(claim, pod.uid))
      .map((claim) => ({ claim, allocation: allocations[open.indexOf(claim)] }))
  }

  /**
   * Writes, and returns the claims of which devices are still to be made ready. Rejects when a claim could not be written.
   */
  async bind(pod: PodFacts, planned: readonly PlannedClaim[]): Promise<ResourceV1ResourceClaim[]> {
    const awaited: ResourceV1ResourceClaim[] = []
    for (const { claim, allocation } of planned) {
      const written = await this.#reserve(pod, claim, allocation)
      if (allocation !== undefined) this.#sources.claims.confirm(written)
      if (awaitedDevice(written) !== undefined) awaited.push(written)
    }
    return awaited
  }

  /** Resolves when all devices of the claim are ready; when they will not be, the allocation is given back. */
  async ready(pod: PodFacts, claim: ResourceV1ResourceClaim, signal: AbortSignal): Promise<void> {
    const key = objectKey(claim)
    const ends: (() => void)[] = []
    try {
      await new Promise<void>((resolve, reject) => {
        const look = (current: ResourceV1ResourceClaim): void => {
          try {
            if (isAllocated(current) && awaitedDevice(current) === undefined) resolve()
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)))
          }
        }
        const onAbort = (): void => {
          reject(new Error('the pod is gone'))
        }
        signal.addEventListener('abort', onAbort)
        ends.push(
          this.#clock.after(bindingTimeoutMs, () => {
            reject(new Error('device binding timeout'))
          }),
          this.#sources.claims.watch(key, look),
          () => {
            signal.removeEventListener('abort', onAbort)
          },
        )
      })
    } catch (error) {
      const current = this.#sources.claims.get(key)
      const isOurs = current?.status?.reservedFor?.every(({ uid }) => uid === pod.uid) === true
      if (!signal.aborted && isOurs) await this.deallocate(current).catch(() => undefined)
      throw error
    } finally {
      for (const end of ends) end()
    }
  }

  /** After a failure. Never rejects: what stays reserved is used by the next try, or taken back when the pod is gone. */
  async release(pod: PodFacts, planned: readonly PlannedClaim[]): Promise<void> {
    for (const { claim, allocation } of planned) {
      if (allocation !== undefined) this.#sources.claims.forget(objectKey(claim))
      const current = this.#sources.claims.get(objectKey(claim))
      if (current === undefined || !isReservedFor(current, pod.uid)) continue
      const { name = '', namespace, uid } = current.metadata
      await this.#client
        .patch(resourceClaims, { name, namespace, subresource: 'status' }, 'application/strategic-merge-patch+json', {
          metadata: { uid },
          status: { reservedFor: [{ $patch: 'delete', uid: pod.uid }] },
        })
        .catch(() => undefined)
    }
  }

  /** An allocation that nobody uses, on nodes where this pod cannot go, is given back. */
  async deallocate(claim: ResourceV1ResourceClaim): Promise<void> {
    await this.#client.updateStatus(resourceClaims, { ...claim, status: {} })
  }

  async #reserve(
    pod: PodFacts,
    planned: ResourceV1ResourceClaim,
    allocation: ResourceV1AllocationResult | undefined,
  ): Promise<ResourceV1ResourceClaim> {
    const { name = '', namespace } = planned.metadata
    // Without what is only assumed.
    let claim: ResourceV1ResourceClaim = planned
    for (let conflicts = 0; ; conflicts++) {
      try {
        return await this.#write(pod, claim, allocation)
      } catch (error) {
        if (!isReason(error, 'Conflict') || conflicts >= maxConflicts) throw error
        claim = await this.#client.get(resourceClaims, name, namespace)
      }
    }
  }

  async #write(
    { pod, uid }: PodFacts,
    claim: ResourceV1ResourceClaim,
    allocation: ResourceV1AllocationResult | undefined,
  ): Promise<ResourceV1ResourceClaim> {
    const key = objectKey(claim)
    if (claim.metadata.deletionTimestamp !== undefined) throw new Error(`claim ${key} got deleted in the meantime`)
    let current = claim
    if (allocation !== undefined) {
      if (isAllocated(claim)) throw new Error(`claim ${key} got allocated elsewhere in the meantime`)
      const finalizers = claim.metadata.finalizers ?? []
      if (!finalizers.includes(deleteProtection)) {
        const metadata = { ...claim.metadata, finalizers: [...finalizers, deleteProtection] }
        current = await this.#client.update(resourceClaims, { ...claim, metadata })
      }
    }
    const reservedFor = [
      ...(current.status?.reservedFor ?? []),
      { resource: 'pods', name: pod.metadata.name ?? '', uid },
    ]
    const allocated =
      allocation === undefined
        ? {}
        : { allocation: { ...allocation, allocationTimestamp: formatTime(this.#clock.now()) } }
    const status = { ...current.status, ...allocated, reservedFor }
    return this.#client.updateStatus(resourceClaims, { ...current, status })
  }
}
