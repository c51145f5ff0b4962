// Pure: which pods of a node would have to go so that a more important one fits, and which node that costs least on.
import type { PodDisruptionBudget } from '../../../common/api/generated/types.ts'
import { matchesLabels, selectorFromObject } from '../../../common/machinery/labels.ts'
import { filterNode } from '../framework/filter-node.ts'
import type { Rejection } from '../framework/plugin.ts'
import type { Plugins } from '../plugins/index.ts'
import type { ClusterState } from '../state/cluster-state.ts'
import type { NodeState } from '../state/node-state.ts'
import type { PodFacts } from '../state/pod-facts.ts'

export interface Candidate {
  node: NodeState
  /** Most important first. */
  victims: PodFacts[]
  /** How many of them a disruption budget would have protected. */
  violations: number
}

export interface VictimFacts {
  pod: PodFacts
  node: NodeState
  cluster: ClusterState
  plugins: Plugins
  budgets: readonly PodDisruptionBudget[]
}

const startOf = ({ pod }: PodFacts): string => pod.status?.startTime ?? '9'

/** More important first: higher priority, then longer running. */
function byImportance(a: PodFacts, b: PodFacts): number {
  if (a.priority !== b.priority) return b.priority - a.priority
  return startOf(a) < startOf(b) ? -1 : startOf(a) > startOf(b) ? 1 : 0
}

/** The fewest, least important pods of the node without which the pod fits; or why not even all of them would do. */
export function findVictims({ pod, node, cluster, plugins, budgets }: VictimFacts): Candidate | Rejection {
  const lower = [...node.pods.values()].filter(({ priority }) => priority < pod.priority).sort(byImportance)
  if (lower.length === 0) return { reasons: ['No preemption victims found for incoming pod'], unresolvable: true }
  const putBack = new Map(lower.map((other) => [other, cluster.lift(other.uid)]))
  const fits = (): boolean => filterNode(pod, node, cluster, plugins) === undefined
  try {
    const verdict = filterNode(pod, node, cluster, plugins)
    if (verdict !== undefined) return verdict.rejection
    const { violating, others } = splitByBudgets(lower, budgets)
    const victims: PodFacts[] = []
    /** Gives the pod its place back when the newcomer fits all the same. */
    const spare = (other: PodFacts): boolean => {
      putBack.get(other)?.()
      if (fits()) {
        putBack.delete(other)
        return true
      }
      putBack.set(other, cluster.lift(other.uid))
      victims.push(other)
      return false
    }
    const violations = violating.filter((other) => !spare(other)).length
    others.forEach(spare)
    return { node, victims: victims.sort(byImportance), violations }
  } finally {
    for (const restore of putBack.values()) restore()
  }
}

/** Pods in the order given; each takes one of what its budgets still allow. */
function splitByBudgets(
  pods: readonly PodFacts[],
  budgets: readonly PodDisruptionBudget[],
): { violating: PodFacts[]; others: PodFacts[] } {
  const left = budgets.map((budget) => ({
    namespace: budget.metadata.namespace,
    selector: selectorFromObject(budget.spec?.selector),
    disrupted: budget.status?.disruptedPods ?? {},
    allowed: budget.status?.disruptionsAllowed ?? 0,
  }))
  const violating: PodFacts[] = []
  const others: PodFacts[] = []
  for (const pod of pods) {
    const { name = '', labels } = pod.pod.metadata
    let violates = false
    for (const budget of left) {
      if (budget.namespace !== pod.namespace || budget.selector.length === 0) continue
      if (!matchesLabels(budget.selector, labels) || Object.hasOwn(budget.disrupted, name)) continue
      if (--budget.allowed < 0) violates = true
    }
    if (violates) violating.push(pod)
    else others.push(pod)
  }
  return { violating, others }
}

/** Of several possibilities: fewest violated budgets, least important worst victim, least importance in all, fewest, youngest. */
export function cheapest(candidates: readonly Candidate[]): Candidate | undefined {
  const costs = candidates.map((candidate) => ({ candidate, cost: costOf(candidate) }))
  return costs.reduce<(typeof costs)[number] | undefined>((best, next) => {
    if (best === undefined) return next
    for (const [i, value] of next.cost.entries()) {
      const other = best.cost[i] ?? value
      if (value !== other) return value < other ? next : best
    }
    return best
  }, undefined)?.candidate
}

/** Shifts priorities, which may be negative, so that more victims always sum up to more. */
const priorityShift = 2 ** 31

function costOf({ victims, violations }: Candidate): number[] {
  const highest = victims[0]?.priority ?? -priorityShift
  const earliest = Math.min(
    ...victims
      .filter(({ priority }) => priority === highest)
      .map(({ pod }) => Date.parse(pod.status?.startTime ?? '') || Infinity),
  )
  return [
    violations,
    highest,
    victims.reduce((sum, { priority }) => sum + priority + priorityShift, 0),
    victims.length,
    -earliest,
  ]
}
