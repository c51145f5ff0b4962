// Spreads matching pods over topology domains: hard constraints filter, soft ones score. Pods without constraints of their own are
// spread softly over hosts and zones by what selects them (services, replica sets).
import type { TopologySpreadConstraint } from '../../../common/api/generated/types.ts'
import type { Selector } from '../../../common/machinery/labels.ts'
import { matchesLabels, nothing, selectorFromObject } from '../../../common/machinery/labels.ts'
import type { FilterPlugin, ScorePlugin } from '../framework/plugin.ts'
import { reject, rejectForGood } from '../framework/plugin.ts'
import type { ClusterState } from '../state/cluster-state.ts'
import type { NodeCounts } from '../state/label-counts.ts'
import { sumOn } from '../state/label-counts.ts'
import type { NodeState } from '../state/node-state.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import { findUntolerated } from '../state/tolerations.ts'
import { hardEffects } from './taint-toleration.ts'

const name = 'PodTopologySpread'
const hostname = 'kubernetes.io/hostname'
const tooSkewed = reject("node(s) didn't match pod topology spread constraints")
const missingLabel = rejectForGood("node(s) didn't match pod topology spread constraints (missing required label)")

/** What the pods that belong together with this one have in common; undefined: nothing selects it. */
export type DefaultSelector = (pod: PodFacts) => Selector | undefined

interface Constraint {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly selector: Selector
  readonly groups: readonly NodeCounts[]
  includes(node: NodeState): boolean
}

function constraintsOf(pod: PodFacts, cluster: ClusterState, whenUnsatisfiable: string): Constraint[] {
  return (pod.pod.spec?.topologySpreadConstraints ?? [])
    .filter((constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable)
    .map((constraint) => {
      const selector = selectorOf(constraint, pod)
      return {
        topologyKey: constraint.topologyKey,
        maxSkew: constraint.maxSkew,
        minDomains: constraint.minDomains ?? 1,
        selector,
        groups: cluster.labels.matching(pod.namespace, selector),
        includes: inclusion(constraint, pod),
      }
    })
}

function selectorOf(constraint: TopologySpreadConstraint, pod: PodFacts): Selector {
  if (constraint.labelSelector === undefined) return nothing
  const selector = selectorFromObject(constraint.labelSelector)
  const labels = pod.pod.metadata.labels ?? {}
  const extra = (constraint.matchLabelKeys ?? []).flatMap((key) => {
    const value = labels[key]
    return value === undefined ? [] : [{ key, operator: 'In' as const, values: [value] }]
  })
  return extra.length === 0 ? selector : [...selector, ...extra]
}

/** By default a node counts as a domain when the pod's node affinity allows it, whatever its taints. */
function inclusion(
  { nodeAffinityPolicy = 'Honor', nodeTaintsPolicy = 'Ignore' }: TopologySpreadConstraint,
  pod: PodFacts,
): Constraint['includes'] {
  return (state) => {
    if (
      nodeAffinityPolicy === 'Honor' &&
      pod.requiredNodes !== undefined &&
      (state.node === undefined || !pod.requiredNodes(state.node))
    )
      return false
    return nodeTaintsPolicy !== 'Honor' || findUntolerated(state.taints, pod.tolerations, hardEffects) === undefined
  }
}

const hasAllKeys = (node: NodeState, constraints: readonly { topologyKey: string }[]): boolean =>
  constraints.every(({ topologyKey }) => node.labels[topologyKey] !== undefined)

export const spreadFilter: FilterPlugin = {
  name,
  prepare(pod, cluster) {
    const constraints = constraintsOf(pod, cluster, 'DoNotSchedule')
    if (constraints.length === 0) return undefined
    const domains = constraints.map(() => new Map<string, number>())
    for (const node of cluster.nodes) {
      if (!hasAllKeys(node, constraints)) continue
      for (const [i, constraint] of constraints.entries()) {
        if (!constraint.includes(node)) continue
        const value = node.labels[constraint.topologyKey] ?? ''
        const counts = domains[i]
        counts?.set(value, (counts.get(value) ?? 0) + sumOn(constraint.groups, node.name, 'living'))
      }
    }
    const limits = constraints.map((constraint, i) => {
      const counts = domains[i] ?? new Map<string, number>()
      const least = counts.size < constraint.minDomains ? 0 : Math.min(...counts.values())
      const self = matchesLabels(constraint.selector, pod.pod.metadata.labels) ? 1 : 0
      return { topologyKey: constraint.topologyKey, counts, highest: constraint.maxSkew + least - self }
    })
    return (node) => {
      for (const { topologyKey, counts, highest } of limits) {
        const value = node.labels[topologyKey]
        if (value === undefined) return missingLabel
        if ((counts.get(value) ?? 0) > highest) return tooSkewed
      }
      return undefined
    }
  },
  mayHelp(change, pod) {
    switch (change.type) {
      case 'pod-placed':
      case 'pod-removed':
        return change.pod.namespace === pod.namespace
      case 'node-added':
        return true
      case 'node-changed':
        return change.labels || change.taints
      default:
        return false
    }
  },
}

/** The system's defaults: over hosts with a skew of 3, over zones with one of 5. */
const systemDefaults = [
  { topologyKey: hostname, maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5 },
]

export function newSpreadScore(defaultSelector: DefaultSelector): ScorePlugin {
  const softConstraints = (
    pod: PodFacts,
    cluster: ClusterState,
  ): { constraints: Constraint[]; requireAllKeys: boolean } => {
    if ((pod.pod.spec?.topologySpreadConstraints ?? []).length > 0) {
      return { constraints: constraintsOf(pod, cluster, 'ScheduleAnyway'), requireAllKeys: true }
    }
    const selector = defaultSelector(pod)
    if (selector === undefined) return { constraints: [], requireAllKeys: false }
    const groups = cluster.labels.matching(pod.namespace, selector)
    const constraints = systemDefaults.map((base) => ({
      ...base,
      minDomains: 1,
      selector,
      groups,
      includes: inclusion({ ...base, whenUnsatisfiable: '' }, pod),
    }))
    return { constraints, requireAllKeys: false }
  }
  return {
    name,
    weight: 2,
    prepare(pod, cluster, nodes) {
      const { constraints, requireAllKeys } = softConstraints(pod, cluster)
      if (constraints.length === 0) return undefined
      const ignored = new Set(requireAllKeys ? nodes.filter((node) => !hasAllKeys(node, constraints)) : [])
      const domains = constraints.map((constraint) =>
        countDomains(constraint, cluster, nodes, ignored, requireAllKeys ? constraints : []),
      )
      const score = (node: NodeState): number => {
        if (ignored.has(node)) return 0
        let sum = 0
        for (const [i, constraint] of constraints.entries()) {
          const value = node.labels[constraint.topologyKey]
          if (value === undefined) continue
          const { counts, weight } = domains[i] ?? { counts: undefined, weight: 0 }
          const count = counts === undefined ? sumOn(constraint.groups, node.name, 'living') : (counts.get(value) ?? 0)
          sum += count * weight + (constraint.maxSkew - 1)
        }
        return Math.round(sum)
      }
      return {
        score,
        normalize(scores, of) {
          const counted = scores.filter((_, i) => !ignored.has(of[i] as NodeState))
          const max = Math.max(0, ...counted)
          const min = Math.min(...counted)
          for (const [i, value] of scores.entries()) {
            if (ignored.has(of[i] as NodeState)) scores[i] = 0
            else scores[i] = max === 0 ? 100 : Math.floor((100 * (max + min - value)) / max)
          }
        },
        reason(node) {
          const [first] = constraints
          if (first === undefined || ignored.has(node)) return undefined
          return `${String(sumOn(first.groups, node.name, 'living'))} pod(s) of the same set are on this node`
        },
      }
    },
  }
}

/** Hosts are counted when scored; other domains are summed over all nodes. Small topologies weigh less than large ones. */
function countDomains(
  constraint: Constraint,
  cluster: ClusterState,
  candidates: readonly NodeState[],
  ignored: ReadonlySet<NodeState>,
  needed: readonly Constraint[],
): { counts: Map<string, number> | undefined; weight: number } {
  const { topologyKey } = constraint
  if (topologyKey === hostname) return { counts: undefined, weight: Math.log(candidates.length - ignored.size + 2) }
  const counts = new Map<string, number>()
  for (const node of candidates) {
    const value = node.labels[topologyKey]
    if (value !== undefined && !ignored.has(node)) counts.set(value, 0)
  }
  if (counts.size > 0) {
    for (const node of cluster.nodes) {
      const value = node.labels[topologyKey]
      if (value === undefined || !counts.has(value) || !constraint.includes(node) || !hasAllKeys(node, needed)) continue
      counts.set(value, (counts.get(value) ?? 0) + sumOn(constraint.groups, node.name, 'living'))
    }
  }
  return { counts, weight: Math.log(counts.size + 2) }
}
