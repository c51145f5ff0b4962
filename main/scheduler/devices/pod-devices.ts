// The devices of pods on their way to a node, from the choice to the binding or back; tells the queue what that means for others.
import type { Node } from '../../../common/api/generated/types.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { ClusterChange } from '../framework/plugin.ts'
import type { Selection } from '../framework/select-node.ts'
import { notAvailable } from '../plugins/dynamic-resources.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import type { DeviceSources } from './allocate.ts'
import { claimsOf, isAllocated } from './allocate.ts'
import type { ClaimBinder, PlannedClaim } from './claim-binder.ts'

export interface PodDevicesOptions {
  sources: DeviceSources
  binder: ClaimBinder
  onChange: (change: ClusterChange) => void
  logger: Logger
}

export class PodDevices {
  readonly #options: PodDevicesOptions

  constructor(options: PodDevicesOptions) {
    this.#options = options
  }

  /** Synchronous: from here on the devices are the pod's. Throws when they are not there any more. */
  assume(pod: PodFacts, node: Node): PlannedClaim[] {
    return this.#options.binder.assume(pod, node)
  }

  /** Rejects when a claim could not be written, or its devices are not made ready. `onWait` is told when that may take a while. */
  async bind(pod: PodFacts, planned: readonly PlannedClaim[], signal: AbortSignal, onWait: () => void): Promise<void> {
    if (planned.length === 0) return
    const { binder, onChange } = this.#options
    try {
      const awaited = await binder.bind(pod, planned)
      // Pods that share the claim could not be tried while it was on its way.
      for (const { claim } of planned) onChange({ type: 'device-claim-changed', claim })
      if (awaited.length > 0) onWait()
      await Promise.all(awaited.map((claim) => binder.ready(pod, claim, signal)))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`running PreBind plugin "DynamicResources": ${why}`, { cause: error })
    }
  }

  /** After a failure. Never rejects. */
  async release(pod: PodFacts, planned: readonly PlannedClaim[]): Promise<void> {
    if (planned.length === 0) return
    await this.#options.binder.release(pod, planned)
    for (const { claim, allocation } of planned) {
      const old = { ...claim, status: { ...claim.status, allocation } }
      this.#options.onChange({ type: 'device-claim-changed', claim, old })
    }
  }

  /** Takes back an allocation that only this pod has, or nobody, and that keeps it off every node; returns what is said of it. */
  giveBack(pod: PodFacts, selection: Selection): string[] {
    if (pod.deviceClaims.length === 0) return []
    const found = claimsOf(pod, this.#options.sources.claims)
    if (typeof found === 'string' || selection.impossible !== undefined) return ['no new claims to deallocate']
    const isInTheWay = selection.rejected.some(({ rejection }) => rejection === notAvailable)
    const idle = found.find(
      (claim) => isAllocated(claim) && (claim.status?.reservedFor ?? []).every(({ uid }) => uid === pod.uid),
    )
    if (!isInTheWay || idle === undefined) return ['still not schedulable']
    this.#options.binder.deallocate(idle).catch((error: unknown) => {
      this.#options.logger.warn('an allocation could not be given back', { pod: pod.key, error })
    })
    return ['deallocation of ResourceClaim completed']
  }
}
