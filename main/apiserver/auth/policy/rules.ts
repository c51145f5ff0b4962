// Short ways to write policy rules.
import type { PolicyRule } from '../../../../common/api/generated/types.ts'

/** rule('get list', 'apps', 'deployments replicasets'): words separated by spaces; "core" is the core group. */
export function rule(verbs: string, groups: string, resources: string, names?: string): PolicyRule {
  const rules: PolicyRule = {
    verbs: words(verbs),
    apiGroups: words(groups).map((group) => (group === 'core' ? '' : group)),
    resources: words(resources),
  }
  if (names !== undefined) rules.resourceNames = words(names)
  return rules
}

export const urls = (verbs: string, paths: string): PolicyRule => ({
  verbs: words(verbs),
  nonResourceURLs: words(paths),
})

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '')
