// Pure: what to do for a pod that fits nowhere: make room on one node, or say why that does not help.
import type { PodDisruptionBudget } from '../../../common/api/generated/types.ts'
import { available } from '../framework/messages.ts'
import type { Selection } from '../framework/select-node.ts'
import type { Plugins } from '../plugins/index.ts'
import type { ClusterState } from '../state/cluster-state.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import type { Candidate } from './victims.ts'
import { cheapest, findVictims } from './victims.ts'

export interface PreemptionFacts {
  pod: PodFacts
  selection: Selection
  cluster: ClusterState
  plugins: Plugins
  /** Whether the pod's scheduler makes room at all. */
  preempts: boolean
  budgets: readonly PodDisruptionBudget[]
  /** 0 <= value < 1: where in large clusters the search starts. */
  random: () => number
}

export type PreemptionPlan =
  | { type: 'preempt'; candidate: Candidate }
  /** `told`: what is said of it; `keepNomination`: room is being made already. */
  | { type: 'none'; told: readonly string[]; keepNomination: boolean }

const none = (message: string, keepNomination = false): PreemptionPlan => ({
  type: 'none',
  told: [`preemption: ${message}`],
  keepNomination,
})

/** As upstream: a tenth of the nodes, but not fewer than this many. */
const minCandidates = 100

export function planPreemption(facts: PreemptionFacts): PreemptionPlan {
  const { pod, selection } = facts
  if (!facts.preempts) return { type: 'none', told: [], keepNomination: false }
  if (pod.pod.spec?.preemptionPolicy === 'Never') return none('not eligible due to preemptionPolicy=Never.')
  if (isRoomBeingMade(facts)) return none('not eligible due to a terminating pod on the nominated node.', true)
  const counts = new Map<string, number>()
  const count = (reason: string): void => {
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  const wanted = Math.max(minCandidates, Math.floor(selection.nodeCount / 10))
  const offset = Math.floor(facts.random() * selection.rejected.length)
  const candidates: Candidate[] = []
  let harmless = 0
  for (let i = 0; i < selection.rejected.length && harmless < wanted; i++) {
    const rejected = selection.rejected[(offset + i) % selection.rejected.length]
    if (rejected === undefined) continue
    if (rejected.rejection.unresolvable) {
      count('Preemption is not helpful for scheduling')
      continue
    }
    const found = findVictims({ ...facts, node: rejected.node })
    if ('reasons' in found) found.reasons.forEach(count)
    else {
      candidates.push(found)
      if (found.violations === 0) harmless++
    }
  }
  const candidate = cheapest(candidates)
  if (candidate !== undefined) return { type: 'preempt', candidate }
  return none(available(selection.nodeCount, counts))
}

/** Victims of an earlier try are still ending on the pod's nominated node, which is no worse than it was. */
function isRoomBeingMade({ pod, selection, cluster }: PreemptionFacts): boolean {
  const name = cluster.nominations.nodeOf(pod.uid)
  const node = name === undefined ? undefined : cluster.node(name)
  if (node === undefined) return false
  const rejected = selection.rejected.find((other) => other.node === node)
  if (rejected?.rejection.unresolvable === true) return false
  return [...node.pods.values()].some(
    ({ priority, pod: { metadata, status } }) =>
      priority < pod.priority &&
      metadata.deletionTimestamp !== undefined &&
      status?.conditions?.some(
        ({ type, status: is, reason }) => type === 'DisruptionTarget' && is === 'True' && reason === preemptionReason,
      ) === true,
  )
}

export const preemptionReason = 'PreemptionByScheduler'
