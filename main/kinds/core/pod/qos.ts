// The quality of service class of a pod, from its requests and limits.
import type { PodSpec, Quantity } from '../../../../common/api/generated/types.ts'
import { compareQuantities, isQuantity, parseQuantity } from '../../../../common/machinery/quantity.ts'

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

const positive = (quantity: Quantity | undefined): quantity is Quantity =>
  quantity !== undefined && isQuantity(quantity) && parseQuantity(quantity).nanos > 0n

/** Guaranteed: every container limits cpu and memory and requests just that. BestEffort: nothing requested or limited. */
export function qosClass(spec: PodSpec): QosClass {
  const requirements =
    spec.resources === undefined
      ? [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((c) => c.resources ?? {})
      : [spec.resources]
  let any = false
  let guaranteed = requirements.length > 0
  for (const { requests = {}, limits = {} } of requirements) {
    for (const name of ['cpu', 'memory']) {
      const request = requests[name]
      const limit = limits[name]
      if (positive(request) || positive(limit)) any = true
      if (!positive(limit) || (positive(request) && compareQuantities(request, limit) !== 0)) guaranteed = false
    }
  }
  return !any ? 'BestEffort' : guaranteed ? 'Guaranteed' : 'Burstable'
}
