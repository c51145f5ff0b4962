// The sentences people know from "kubectl describe pod".
import type { Selection } from './select-node.ts'

export const noNodes = 'no nodes available to schedule pods'

/**
 * "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). preemption: …"; `after` is what was tried after
 * no node was found.
 */
export function unschedulableMessage(selection: Selection, ...after: readonly string[]): string {
  if (selection.nodeCount === 0) return noNodes
  const suffix = after.length === 0 ? '' : ` ${after.join(', ')}`
  if (selection.impossible !== undefined) return `${head(selection.nodeCount)} ${selection.impossible}.${suffix}`
  const counts = new Map<string, number>()
  for (const { rejection } of selection.rejected)
    for (const reason of rejection.reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return `${available(selection.nodeCount, counts)}${suffix}`
}

const head = (nodeCount: number): string => `0/${String(nodeCount)} nodes are available:`

export function available(nodeCount: number, counts: ReadonlyMap<string, number>): string {
  const reasons = [...counts].map(([reason, count]) => `${String(count)} ${reason}`).sort()
  return `${head(nodeCount)} ${reasons.join(', ')}.`
}

export const scheduledMessage = (key: string, node: string): string => `Successfully assigned ${key} to ${node}`
