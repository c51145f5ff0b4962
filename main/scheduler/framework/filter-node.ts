// Whether one node is possible in the cluster as it is at this moment, or as it would be with or without certain pods.
import type { Plugins } from '../plugins/index.ts'
import type { ClusterState } from '../state/cluster-state.ts'
import type { NodeState } from '../state/node-state.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import type { Rejection } from './plugin.ts'

export interface NodeVerdict {
  plugin: string
  rejection: Rejection
}

export function filterNode(
  pod: PodFacts,
  node: NodeState,
  cluster: ClusterState,
  plugins: Plugins,
): NodeVerdict | undefined {
  for (const plugin of plugins.filters) {
    const rejection = plugin.prepare(pod, cluster)?.(node)
    if (rejection !== undefined) return { plugin: plugin.name, rejection }
  }
  return undefined
}

/** Pods for which room is being made on the node count as if they were there, unless they are less important. */
export function filterWithNominated(
  pod: PodFacts,
  node: NodeState,
  cluster: ClusterState,
  plugins: Plugins,
): NodeVerdict | undefined {
  const expected = cluster.nominations
    .on(node.name)
    .filter(({ uid, priority }) => uid !== pod.uid && priority >= pod.priority)
  if (expected.length === 0) return undefined
  for (const other of expected) cluster.assume(other, node.name)
  try {
    return filterNode(pod, node, cluster, plugins)
  } finally {
    for (const other of expected) cluster.forget(other.uid)
  }
}
