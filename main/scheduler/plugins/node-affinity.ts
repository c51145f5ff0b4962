import type { Pod } from '../../../common/api/generated/types.ts'
import type { FilterPlugin, ScorePlugin } from '../framework/plugin.ts'
import { normalizeToMax, rejectForGood } from '../framework/plugin.ts'
import { compileTerm } from '../state/node-selection.ts'

const name = 'NodeAffinity'
const rejection = rejectForGood("node(s) didn't match Pod's node affinity/selector")

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

export const nodeAffinityFilter: FilterPlugin = {
  name,
  prepare({ pod, requiredNodes }) {
    if (requiredNodes === undefined) return undefined
    const names = namedNodes(pod)
    return (state) => {
      if (names?.has(state.name) === false) return notNamed
      return state.node !== undefined && requiredNodes(state.node) ? undefined : rejection
    }
  },
  mayHelp: (change, pod) =>
    (change.type === 'node-added' || (change.type === 'node-changed' && change.labels)) &&
    change.node.node !== undefined &&
    pod.requiredNodes?.(change.node.node) !== false,
}

export const nodeAffinityScore: ScorePlugin = {
  name,
  weight: 2,
  prepare({ pod }) {
    const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
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
}
