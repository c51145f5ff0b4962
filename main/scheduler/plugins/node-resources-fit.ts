import type { FilterPlugin, Rejection } from '../framework/plugin.ts'
import type { NodeState } from '../state/node-state.ts'
import type { PodFacts } from '../state/pod-facts.ts'

const name = 'NodeResourcesFit'

export const resourcesFilter: FilterPlugin = {
  name,
  prepare: (pod) => (node) => fit(pod, node),
  mayHelp(change, pod) {
    switch (change.type) {
      case 'pod-removed':
      case 'pod-resized':
        return true
      case 'node-added':
        return fit(pod, change.node) === undefined
      case 'node-changed':
        return change.allocatable && fit(pod, change.node) === undefined
      default:
        return false
    }
  },
}

/** All resources that are missing, in upstream's words. The common case, that all fit, allocates nothing. */
export function fit(pod: PodFacts, node: NodeState): Rejection | undefined {
  const { requests } = pod
  const { allocatable, requested } = node
  const fits =
    node.pods.size < node.maxPods &&
    requests.others.size === 0 &&
    requests.cpuMillis <= allocatable.cpuMillis - requested.cpuMillis &&
    requests.memory <= allocatable.memory - requested.memory &&
    requests.ephemeralStorage <= allocatable.ephemeralStorage - requested.ephemeralStorage
  return fits ? undefined : missingResources(pod, node)
}

function missingResources({ requests }: PodFacts, node: NodeState): Rejection | undefined {
  const { allocatable, requested } = node
  const reasons: string[] = node.pods.size < node.maxPods ? [] : ['Too many pods']
  let unresolvable = false
  const check = (resource: string, wanted: number, total: number, used: number): void => {
    // A pod that asks for none of it does not mind that there is too little.
    if (wanted === 0 || wanted <= total - used) return
    reasons.push(`Insufficient ${resource}`)
    if (wanted > total) unresolvable = true
  }
  check('cpu', requests.cpuMillis, allocatable.cpuMillis, requested.cpuMillis)
  check('memory', requests.memory, allocatable.memory, requested.memory)
  check('ephemeral-storage', requests.ephemeralStorage, allocatable.ephemeralStorage, requested.ephemeralStorage)
  for (const [resource, wanted] of requests.others)
    check(resource, wanted, allocatable.others.get(resource) ?? 0, requested.others.get(resource) ?? 0)
  return reasons.length === 0 ? undefined : { reasons, unresolvable }
}
