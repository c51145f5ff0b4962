// A scheduling decision as the rows and columns of a table, and as one sentence.
import type { NodeVerdict, SchedulingDecision } from '../../../common/api/lab/v1alpha1.ts'
import { reasonWords } from '../../explain/pod-words.ts'

export interface DecisionTable {
  /** Filter plugins in the order they ran. */
  filters: string[]
  /** Score plugins with their weight. */
  scores: { plugin: string; weight: number }[]
  rows: DecisionRow[]
}
export interface DecisionRow {
  node: string
  chosen: boolean
  fits: boolean
  total?: number
  /** By filter plugin; undefined where it did not run any more. */
  filters: Readonly<Record<string, { passed: boolean; reason?: string } | undefined>>
  scores: Readonly<Record<string, { score: number; weighted: number; reason?: string } | undefined>>
}

/** Chosen node first, then by total, then those that did not fit. */
export function decisionTable(decision: SchedulingDecision): DecisionTable {
  const { nodes = [], nodeName } = decision.status
  const filters: string[] = []
  const scores = new Map<string, number>()
  for (const node of nodes) {
    for (const { plugin } of node.filters) if (!filters.includes(plugin)) filters.push(plugin)
    for (const { plugin, weight } of node.scores ?? []) scores.set(plugin, weight)
  }
  const rows = nodes.map((node) => rowOf(node, nodeName))
  rows.sort(
    (a, b) =>
      Number(b.chosen) - Number(a.chosen) ||
      Number(b.fits) - Number(a.fits) ||
      (b.total ?? 0) - (a.total ?? 0) ||
      a.node.localeCompare(b.node),
  )
  return { filters, scores: [...scores].map(([plugin, weight]) => ({ plugin, weight })), rows }
}

function rowOf(node: NodeVerdict, chosen: string | undefined): DecisionRow {
  return {
    node: node.node,
    chosen: node.node === chosen,
    fits: node.filters.every((filter) => filter.passed),
    total: node.total,
    filters: Object.fromEntries(node.filters.map(({ plugin, passed, reason }) => [plugin, { passed, reason }])),
    scores: Object.fromEntries(
      (node.scores ?? []).map(({ plugin, score, weight, reason }) => [
        plugin,
        { score, weighted: score * weight, reason },
      ]),
    ),
  }
}

/** Why there, in a sentence or two. */
export function decisionWords(decision: SchedulingDecision): string {
  const { nodes = [], nodeName, outcome } = decision.status
  const table = decisionTable(decision)
  const fitting = table.rows.filter((row) => row.fits)
  if (outcome === 'Error') return `The scheduler could not decide: ${decision.status.message}`
  if (outcome === 'Unschedulable' || nodeName === undefined) {
    const reasons = table.rows.map((row) => `${row.node} ${reasonWords(firstReason(row) ?? 'it does not fit')}`)
    return nodes.length === 0 ? 'There was no node to choose from.' : `No node fits: ${reasons.join('; ')}.`
  }
  const [best, second] = fitting
  const rejected = table.rows.filter((row) => !row.fits)
  const others =
    rejected.length === 0
      ? ''
      : ` ${rejected.map((row) => `${row.node} ${reasonWords(firstReason(row) ?? 'does not fit')}`).join('; ')}.`
  if (fitting.length <= 1) return `${nodeName} was the only node of ${String(nodes.length)} that fits.${others}`
  if (best?.total === undefined || second?.total === undefined)
    return `${nodeName} was chosen among ${String(fitting.length)} nodes that fit.${others}`
  if (best.total === second.total)
    return `${nodeName} and ${second.node} scored the same, ${String(best.total)}; one of them is taken at random.${others}`
  const gap = table.scores
    .map(({ plugin }) => ({
      plugin,
      gap: (best.scores[plugin]?.weighted ?? 0) - (second.scores[plugin]?.weighted ?? 0),
    }))
    .sort((a, b) => b.gap - a.gap)[0]
  const because = gap !== undefined && gap.gap > 0 ? `, most of it for ${pluginWords[gap.plugin] ?? gap.plugin}` : ''
  return `${nodeName} scored ${String(best.total)}, ahead of ${second.node} with ${String(second.total)}${because}.${others}`
}

const firstReason = (row: DecisionRow): string | undefined =>
  Object.values(row.filters).find((filter) => filter?.passed === false)?.reason

/** What each plugin looks at, for headings and sentences. */
export const pluginWords: Readonly<Record<string, string>> = {
  NodeUnschedulable: 'whether the node is cordoned',
  NodeName: 'a node named in the pod',
  TaintToleration: 'taints the pod does not tolerate',
  NodeAffinity: 'node selector and affinity',
  NodePorts: 'host ports that are free',
  NodeResourcesFit: 'CPU and memory left for more pods',
  NodeResourcesBalancedAllocation: 'CPU and memory used evenly',
  PodTopologySpread: 'spreading the pods of one workload',
  InterPodAffinity: 'pods that want to be near or far',
  ImageLocality: 'images that are already there',
  ImageArchitecture: "an image built for the node's processor",
}
