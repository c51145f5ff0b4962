import type { NodeAffinity, Pod, PreferredSchedulingTerm } from '../../../common/api/generated/types.ts'
import type { FilterPlugin, ScorePlugin } from '../framework/plugin.ts'
import { normalizeToMax, rejectForGood } from '../framework/plugin.ts'
import { compileTerm } from '../state/node-selection.ts'

const name = 'NodeAffinity'
const rejection = rejectForGood("node(s) didn't match Pod's node affinity/selector")

const notEnforced = rejectForGood("node(s) didn't match scheduler-enforced node affinity")

/** Of pods that name their nodes, as those of daemon sets do, the others are not even looked at. */
const notNamed = rejectForGood(`node(s) didn't satisfy plugin(s) [${name}]`)

/** The nodes that the pod names, when each of its terms names some. */
function namedNodes(pod: Pod): ReadonlySet<string> | undefined {
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const names = new Set<string>()
  for (const { matchFields = [] } of terms) {
    const named = matchFields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In')
    if (named === undefined) return undefined
    for (const value of named.values ?? []) names.add(value)
  }
  return terms.length === 0 ? undefined : names
}

/** `added`: what the scheduler asks of the nodes of all its pods. */
export const newNodeAffinityFilter = (added: NodeAffinity | undefined): FilterPlugin => ({
  name,
  prepare({ pod, requiredNodes }) {
    const enforced = added?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms.map(compileTerm)
    if (requiredNodes === undefined && enforced === undefined) return undefined
    const names = namedNodes(pod)
    return (state) => {
      if (names?.has(state.name) === false) return notNamed
      const { node } = state
      if (node === undefined) return rejection
      if (enforced?.some((matches) => matches(node)) === false) return notEnforced
      return requiredNodes?.(node) === false ? rejection : undefined
    }
  },
  mayHelp: (change, pod) =>
    (change.type === 'node-added' || (change.type === 'node-changed' && change.labels)) &&
    change.node.node !== undefined &&
    pod.requiredNodes?.(change.node.node) !== false,
})

const preferredOf = (affinity: NodeAffinity | undefined): readonly PreferredSchedulingTerm[] =>
  affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []

export const newNodeAffinityScore = (added: NodeAffinity | undefined): ScorePlugin => ({
  name,
  weight: 2,
  prepare({ pod }) {
    const preferred = [...preferredOf(added), ...preferredOf(pod.spec?.affinity?.nodeAffinity)]
    if (preferred.length === 0) return undefined
    const terms = preferred.map(({ weight, preference }) => {
      const empty = (preference.matchExpressions ?? []).length === 0 && (preference.matchFields ?? []).length === 0
      return { weight, matches: empty ? () => true : compileTerm(preference) }
    })
    return {
      score: ({ node }) =>
        node === undefined ? 0 : terms.reduce((sum, term) => sum + (term.matches(node) ? term.weight : 0), 0),
      normalize: (scores) => {
        normalizeToMax(scores, false)
      },
      reason: (_node, normalized) => (normalized > 0 ? 'matches preferred node affinity' : undefined),
    }
  },
})
