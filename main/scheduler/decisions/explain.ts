// Pure: a selection as the SchedulingDecision that people read ("why here?", "why nowhere?").
import type { NodeVerdict, SchedulingDecision } from '../../../common/api/lab/v1alpha1.ts'
import { labApiVersion } from '../../../common/api/lab/v1alpha1.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { Selection } from '../framework/select-node.ts'
import type { PodFacts } from '../state/pod-facts.ts'

/** A cluster of up to this many nodes is told about in full. */
const fullyTold = 32
/** Of a larger one, the best nodes and examples of the others: a decision is written for every pod. */
const toldOfMany = 8

export interface DecisionFacts {
  pod: PodFacts
  attempt: number
  outcome: SchedulingDecision['status']['outcome']
  message: string
  selection: Selection
  atMs: number
}

export function explain({ pod, attempt, outcome, message, selection, atMs }: DecisionFacts): SchedulingDecision {
  const { name, uid } = pod.pod.metadata
  return {
    apiVersion: labApiVersion,
    kind: 'SchedulingDecision',
    metadata: {
      name,
      namespace: pod.namespace,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: name ?? '', uid: uid ?? '' }],
    },
    status: {
      podUid: pod.uid,
      time: formatTime(atMs),
      attempt,
      outcome,
      ...(outcome === 'Scheduled' && selection.chosen !== undefined ? { nodeName: selection.chosen.name } : {}),
      message,
      nodes: verdicts(selection),
    },
  }
}

function verdicts(selection: Selection): NodeVerdict[] {
  const order = selection.feasible
    .map((_, i) => i)
    .sort((a, b) => total(selection, b) - total(selection, a) || byChoice(selection, a, b))
  // One list for all nodes that passed: it says the same of each.
  const allPassed = selection.filters.map((plugin) => ({ plugin, passed: true }))
  const room = selection.nodeCount <= fullyTold ? fullyTold : toldOfMany
  const passed = order.slice(0, room).map((i) => passedVerdict(selection, i, allPassed))
  return [...passed, ...rejectedVerdicts(selection, room - passed.length)]
}

const total = (selection: Selection, i: number): number => selection.feasible[i]?.total ?? 0

/** Of equal nodes the chosen one comes first. */
const byChoice = (selection: Selection, a: number, b: number): number =>
  Number(selection.feasible[b]?.node === selection.chosen) - Number(selection.feasible[a]?.node === selection.chosen)

function passedVerdict(selection: Selection, i: number, allPassed: NodeVerdict['filters']): NodeVerdict {
  const { node, total: sum } = selection.feasible[i] ?? {}
  if (node === undefined) throw new RangeError(`no feasible node ${String(i)}`)
  return {
    node: node.name,
    filters: allPassed,
    scores: selection.scores.map(({ plugin, scorer, normalized }) => {
      const score = normalized[i] ?? 0
      const reason = scorer.reason?.(node, score)
      return { plugin: plugin.name, score, weight: plugin.weight, ...(reason === undefined ? {} : { reason }) }
    }),
    total: sum,
  }
}

/** When there is not room for all, each different reason is shown once before any is shown twice. */
function rejectedVerdicts({ rejected, filters }: Selection, room: number): NodeVerdict[] {
  const seen = new Set<string>()
  const first: (typeof rejected)[number][] = []
  const rest: (typeof rejected)[number][] = []
  for (const item of rejected) {
    const key = item.plugin + item.rejection.reasons.join()
    if (seen.has(key)) rest.push(item)
    else first.push(item)
    seen.add(key)
  }
  return [...first, ...rest].slice(0, Math.max(0, room)).map(({ node, plugin, rejection }) => ({
    node: node.name,
    filters: [
      ...filters.slice(0, filters.indexOf(plugin)).map((earlier) => ({ plugin: earlier, passed: true })),
      { plugin, passed: false, reason: rejection.reasons.join(', ') },
    ],
  }))
}
