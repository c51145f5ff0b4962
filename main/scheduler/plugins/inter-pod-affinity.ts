// Attraction and repulsion between pods: the terms of the pod itself, and those of pods that are already placed.
import type { FilterPlugin, ScorePlugin } from '../framework/plugin.ts'
import { reject, rejectForGood } from '../framework/plugin.ts'
import type { CompiledTerm } from '../state/affinity-terms.ts'
import { termMatches } from '../state/affinity-terms.ts'
import type { ClusterState } from '../state/cluster-state.ts'
import type { NodeState } from '../state/node-state.ts'
import type { PodFacts } from '../state/pod-facts.ts'

const name = 'InterPodAffinity'
const noAffinity = rejectForGood("node(s) didn't match pod affinity rules")
const ownAntiAffinity = reject("node(s) didn't match pod anti-affinity rules")
const existingAntiAffinity = reject("node(s) didn't satisfy existing pods anti-affinity rules")
/** Topology key -> value -> number. */
class TopologyCounts {
  readonly #counts = new Map<string, Map<string, number>>()

  add(node: NodeState | undefined, topologyKey: string, by: number): void {
    const value = node?.labels[topologyKey]
    if (value === undefined) return
    let values = this.#counts.get(topologyKey)
    if (values === undefined) {
      values = new Map()
      this.#counts.set(topologyKey, values)
    }
    values.set(value, (values.get(value) ?? 0) + by)
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0
  }

  at(node: NodeState, topologyKey: string): number {
    const value = node.labels[topologyKey]
    return value === undefined ? 0 : (this.#counts.get(topologyKey)?.get(value) ?? 0)
  }

  hasAny(node: NodeState): boolean {
    for (const [topologyKey, values] of this.#counts) {
      const value = node.labels[topologyKey]
      if (value !== undefined && (values.get(value) ?? 0) > 0) return true
    }
    return false
  }

  sum(node: NodeState): number {
    let sum = 0
    for (const [topologyKey, values] of this.#counts) {
      const value = node.labels[topologyKey]
      if (value !== undefined) sum += values.get(value) ?? 0
    }
    return sum
  }
}

/** Adds placed pods that all of `matching` mean to the domains of `topologyKeys`. */
function countPods(
  cluster: ClusterState,
  matching: readonly CompiledTerm[],
  into: TopologyCounts,
  topologyKeys: readonly string[],
  weight: number,
): void {
  const groups = cluster.labels.where((namespace, labels) =>
    matching.every((term) => termMatches(term, namespace, labels, cluster.namespaceLabels)),
  )
  for (const { all } of groups) {
    for (const [node, count] of all)
      for (const topologyKey of topologyKeys) into.add(cluster.node(node), topologyKey, count * weight)
  }
}

const meansPod = (term: CompiledTerm, pod: PodFacts, cluster: ClusterState): boolean =>
  termMatches(term, pod.namespace, pod.pod.metadata.labels, cluster.namespaceLabels)

export const interPodAffinityFilter: FilterPlugin = {
  name,
  prepare(pod, cluster) {
    const { requiredAffinity, requiredAntiAffinity } = pod.terms
    const existing = new TopologyCounts()
    for (const { term, nodes } of cluster.requiredAntiAffinity.entries()) {
      if (!meansPod(term, pod, cluster)) continue
      for (const [node, count] of nodes) existing.add(cluster.node(node), term.topologyKey, count)
    }
    if (requiredAffinity.length === 0 && requiredAntiAffinity.length === 0 && existing.isEmpty) return undefined

    const wanted = new TopologyCounts()
    if (requiredAffinity.length > 0)
      countPods(cluster, requiredAffinity, wanted, [...new Set(requiredAffinity.map((term) => term.topologyKey))], 1)
    // The first pod of a group that wants to be together must be able to go somewhere.
    const isFirst = wanted.isEmpty && requiredAffinity.every((term) => meansPod(term, pod, cluster))
    const avoided = requiredAntiAffinity.map((term) => {
      const counts = new TopologyCounts()
      countPods(cluster, [term], counts, [term.topologyKey], 1)
      return { term, counts }
    })
    return (node) => {
      for (const { topologyKey } of requiredAffinity) {
        if (node.labels[topologyKey] === undefined) return noAffinity
        if (!isFirst && wanted.at(node, topologyKey) === 0) return noAffinity
      }
      if (avoided.some(({ term, counts }) => counts.at(node, term.topologyKey) > 0)) return ownAntiAffinity
      return existing.hasAny(node) ? existingAntiAffinity : undefined
    }
  },
  mayHelp(change) {
    switch (change.type) {
      case 'pod-placed':
      case 'pod-removed':
      case 'node-added':
      case 'namespace-changed':
        return true
      case 'node-changed':
        return change.labels
      default:
        return false
    }
  },
}

/** `hardWeight`: what a required term of a placed pod is worth to a newcomer that satisfies it. */
export const newInterPodAffinityScore = (hardWeight: number): ScorePlugin => ({
  name,
  weight: 2,
  prepare(pod, cluster) {
    const counts = new TopologyCounts()
    for (const term of pod.terms.preferred) countPods(cluster, [term], counts, [term.topologyKey], term.weight)
    for (const [source, weightOf] of [
      [cluster.requiredAffinity, () => hardWeight],
      [cluster.preferredAffinity, (term: CompiledTerm) => term.weight],
    ] as const) {
      for (const { term, nodes } of source.entries()) {
        if (!meansPod(term, pod, cluster)) continue
        for (const [node, count] of nodes) counts.add(cluster.node(node), term.topologyKey, count * weightOf(term))
      }
    }
    if (counts.isEmpty) return undefined
    return {
      score: (node) => counts.sum(node),
      normalize(scores) {
        const max = Math.max(...scores)
        const min = Math.min(...scores)
        for (const [i, score] of scores.entries())
          scores[i] = max === min ? 0 : Math.floor((100 * (score - min)) / (max - min))
      },
      reason(node) {
        const sum = counts.sum(node)
        return sum === 0
          ? undefined
          : sum > 0
            ? 'near pods it prefers or that prefer it'
            : 'near pods it avoids or that avoid it'
      },
    }
  },
})
