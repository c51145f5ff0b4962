// Pure: the rules of a ClusterRole that takes in those of others.
import type { ClusterRole, PolicyRule } from '../../../common/api/generated/types.ts'
import { matchesLabels, selectorFromObject } from '../../../common/machinery/labels.ts'
import { canonicalJson } from '../pods/template-hash.ts'

/** The union of the selected roles' rules, in the order of their names; undefined when the role has them already. */
export function planAggregation(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] | undefined {
  if (role.aggregationRule === undefined) return undefined
  const rules = new Map<string, PolicyRule>()
  const byName = [...all].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
  for (const selector of (role.aggregationRule.clusterRoleSelectors ?? []).map(selectorFromObject)) {
    for (const other of byName) {
      if (other.metadata.name === role.metadata.name || !matchesLabels(selector, other.metadata.labels)) continue
      for (const rule of other.rules ?? []) {
        const key = canonicalJson(rule)
        if (!rules.has(key)) rules.set(key, rule)
      }
    }
  }
  const wanted = [...rules.values()]
  return canonicalJson(wanted) === canonicalJson(role.rules ?? []) ? undefined : wanted
}
