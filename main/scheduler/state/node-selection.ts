// nodeSelector and required node affinity, compiled once per pod. Terms are or-ed, requirements of a term and-ed.
import type { NodeSelectorRequirement, NodeSelectorTerm, Node, Pod } from '../../../common/api/generated/types.ts'

export type NodeMatcher = (node: Node) => boolean

/** Undefined when the pod does not restrict its nodes. */
export function requiredNodes(pod: Pod): NodeMatcher | undefined {
  const selector = Object.entries(pod.spec?.nodeSelector ?? {})
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (selector.length === 0 && required === undefined) return undefined
  const terms = required?.nodeSelectorTerms.map(compileTerm)
  return (node) => {
    const labels = node.metadata.labels ?? {}
    if (!selector.every(([key, value]) => labels[key] === value)) return false
    return terms === undefined || terms.some((matches) => matches(node))
  }
}

/** A term without requirements matches no node. */
export function compileTerm(term: NodeSelectorTerm): NodeMatcher {
  const expressions = (term.matchExpressions ?? []).map(compileRequirement)
  const fields = (term.matchFields ?? []).map(compileRequirement)
  if (expressions.length === 0 && fields.length === 0) return () => false
  return (node) =>
    expressions.every((meets) => meets(node.metadata.labels ?? {})) &&
    fields.every((meets) => meets({ 'metadata.name': node.metadata.name ?? '' }))
}

function compileRequirement({
  key,
  operator,
  values = [],
}: NodeSelectorRequirement): (labels: Readonly<Record<string, string>>) => boolean {
  const set = new Set(values)
  const has = (labels: Readonly<Record<string, string>>): boolean => Object.hasOwn(labels, key)
  switch (operator) {
    case 'In':
      return (labels) => has(labels) && set.has(labels[key] ?? '')
    case 'NotIn':
      return (labels) => !has(labels) || !set.has(labels[key] ?? '')
    case 'Exists':
      return has
    case 'DoesNotExist':
      return (labels) => !has(labels)
    case 'Gt':
    case 'Lt': {
      const bound = Number(values[0])
      return (labels) => {
        const value = Number(labels[key])
        if (!has(labels) || !Number.isInteger(value) || !Number.isInteger(bound)) return false
        return operator === 'Gt' ? value > bound : value < bound
      }
    }
    default:
      return () => false
  }
}
