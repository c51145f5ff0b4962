// The sentences people know from "kubectl describe pod".
import type { NodeState } from '../state/node-state.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import type { Selection } from './select-node.ts'

export const noNodes = 'no nodes available to schedule pods'

/** "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). preemption: …" */
export function unschedulableMessage(selection: Selection, pod: PodFacts, preemption?: string): string {
  if (selection.nodeCount === 0) return noNodes
  const counts = new Map<string, number>()
  for (const { rejection } of selection.rejected)
    for (const reason of rejection.reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  const head = available(selection.nodeCount, counts)
  return `${head} preemption: ${preemption ?? preemptionMessage(selection, pod)}`
}

function available(nodeCount: number, counts: ReadonlyMap<string, number>): string {
  const reasons = [...counts].map(([reason, count]) => `${String(count)} ${reason}`).sort()
  return `0/${String(nodeCount)} nodes are available: ${reasons.join(', ')}.`
}

/** Why taking room from other pods does not help. */
export function preemptionMessage(selection: Selection, pod: PodFacts): string {
  if (pod.pod.spec?.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.'
  const counts = new Map<string, number>()
  for (const { node, rejection } of selection.rejected) {
    let reason = 'No preemption victims found for incoming pod'
    if (rejection.unresolvable) reason = 'Preemption is not helpful for scheduling'
    // Preemption itself is not done here; where upstream would have found a victim, that is said.
    else if (hasLowerPriority(node, pod.priority)) reason = 'Pods of lower priority are not preempted by this scheduler'
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  return available(selection.nodeCount, counts)
}

function hasLowerPriority(node: NodeState, priority: number): boolean {
  for (const other of node.pods.values()) if (other.priority < priority) return true
  return false
}

export const scheduledMessage = (key: string, node: string): string => `Successfully assigned ${key} to ${node}`
