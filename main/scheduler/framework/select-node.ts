// One scheduling decision, synchronous and without side effects: filter nodes, score those that are left, pick the best.
import type { ClusterState } from '../state/cluster-state.ts'
import type { NodeState } from '../state/node-state.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import type { Plugins } from '../plugins/index.ts'
import type { NodeVerdict } from './filter-node.ts'
import { filterWithNominated } from './filter-node.ts'
import type { NodeFilter, NodeScorer, Rejection, ScorePlugin } from './plugin.ts'
import { rejectForGood } from './plugin.ts'

export interface RejectedNode {
  node: NodeState
  plugin: string
  rejection: Rejection
}

export interface ScoredNode {
  node: NodeState
  total: number
}

/** The parts of a score for explaining it: one row per plugin that took part, values by position in `feasible`. */
export interface ScoreRow {
  plugin: ScorePlugin
  scorer: NodeScorer
  normalized: readonly number[]
}

export interface Selection {
  /** Undefined: no node is possible. */
  chosen: NodeState | undefined
  feasible: readonly ScoredNode[]
  scores: readonly ScoreRow[]
  rejected: readonly RejectedNode[]
  /** Nodes that exist; more than feasible + rejected when enough were found early. */
  nodeCount: number
  /** Filters that had something to say about this pod, in order. */
  filters: readonly string[]
  /** Why no node at all is possible: then all are rejected for it, for good. */
  impossible?: string
}

export interface SelectOptions {
  pod: PodFacts
  cluster: ClusterState
  plugins: Plugins
  /** Node at which the search starts, so that all nodes get their turn in large clusters. */
  startAt?: number
  /** Of the nodes: so many possible ones are enough. Undefined: by the number of nodes. */
  percentage?: number
  /** 0 <= value < 1: which of several best nodes. */
  random: () => number
}

/** As upstream: all nodes up to 100, then a shrinking part (50 % at 100, 5 % at 6,000 nodes), never fewer than 100. */
export function feasibleNodesWanted(nodeCount: number, percentage?: number): number {
  if (nodeCount <= 100) return nodeCount
  const percent = percentage ?? Math.max(5, 50 - Math.floor(nodeCount / 125))
  return Math.max(100, Math.floor((nodeCount * percent) / 100))
}

export function selectNode(options: SelectOptions): Selection & { examined: number } {
  const { pod, cluster, plugins, startAt = 0, percentage } = options
  const { nodes } = cluster
  for (const plugin of plugins.filters) {
    const impossible = plugin.impossible?.(pod, cluster)
    if (impossible !== undefined) return rejectAll(nodes, plugin.name, impossible)
  }
  const filters = plugins.filters.flatMap((plugin) => {
    const filter = plugin.prepare(pod, cluster)
    return filter === undefined ? [] : [{ name: plugin.name, filter }]
  })
  const wanted = feasibleNodesWanted(nodes.length, percentage)
  const possible: NodeState[] = []
  const rejected: RejectedNode[] = []
  let examined = 0
  const check = (node: NodeState): boolean => {
    const verdict = firstRejection(filters, node) ?? filterWithNominated(pod, node, cluster, plugins)
    if (verdict === undefined) possible.push(node)
    else rejected.push({ node, ...verdict })
    return verdict === undefined
  }
  // Where room was made for the pod it goes when it can, without another look around.
  const nominated = cluster.node(cluster.nominations.nodeOf(pod.uid) ?? '')
  const isMade = nominated?.node !== undefined && check(nominated)
  for (; !isMade && examined < nodes.length && possible.length < wanted; examined++) {
    const node = nodes[(startAt + examined) % nodes.length]
    if (node !== undefined && node !== nominated) check(node)
  }
  const base = { rejected, nodeCount: nodes.length, filters: filters.map(({ name }) => name), examined }
  if (possible.length === 0) return { ...base, chosen: undefined, feasible: [], scores: [] }

  const { scores, totals } = scoreNodes(possible, options)
  const feasible = possible.map((node, i) => ({ node, total: totals[i] ?? 0 }))
  return { ...base, feasible, scores, chosen: pickBest(feasible, options.random) }
}

function firstRejection(
  filters: readonly { name: string; filter: NodeFilter }[],
  node: NodeState,
): NodeVerdict | undefined {
  for (const { name, filter } of filters) {
    const rejection = filter(node)
    if (rejection !== undefined) return { plugin: name, rejection }
  }
  return undefined
}

function rejectAll(nodes: readonly NodeState[], plugin: string, impossible: string): Selection & { examined: number } {
  const rejection = rejectForGood(impossible)
  const rejected = nodes.map((node) => ({ node, plugin, rejection }))
  const nothing = { chosen: undefined, feasible: [], scores: [], examined: 0 }
  return { ...nothing, rejected, nodeCount: nodes.length, filters: [plugin], impossible }
}

function scoreNodes(
  nodes: readonly NodeState[],
  { pod, cluster, plugins }: SelectOptions,
): { scores: ScoreRow[]; totals: number[] } {
  const totals = new Array<number>(nodes.length).fill(0)
  const scores: ScoreRow[] = []
  for (const plugin of plugins.scores) {
    const scorer = plugin.prepare(pod, cluster, nodes)
    if (scorer === undefined) continue
    const normalized = nodes.map((node) => scorer.score(node))
    scorer.normalize?.(normalized, nodes)
    for (let i = 0; i < totals.length; i++) totals[i] = (totals[i] ?? 0) + (normalized[i] ?? 0) * plugin.weight
    scores.push({ plugin, scorer, normalized })
  }
  return { scores, totals }
}

/** One of the best, each equally likely. */
function pickBest(feasible: readonly ScoredNode[], random: () => number): NodeState | undefined {
  let best: ScoredNode | undefined
  let equals = 0
  for (const candidate of feasible) {
    if (best === undefined || candidate.total > best.total) {
      best = candidate
      equals = 1
    } else if (candidate.total === best.total) {
      equals++
      if (random() * equals < 1) best = candidate
    }
  }
  return best?.node
}
