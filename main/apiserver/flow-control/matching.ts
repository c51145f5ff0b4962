// Which requests a FlowSchema speaks of.
import type {
  FlowcontrolV1Subject as Subject,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
} from '../../../common/api/generated/types.ts'
import type { UserInfo } from '../auth/user-info.ts'
import type { RequestInfo, ResourceRequestInfo } from '../chain/request-info.ts'

export function subjectMatches(subject: Subject, user: UserInfo): boolean {
  switch (subject.kind) {
    case 'User':
      return nameMatches(subject.user?.name, user.name)
    case 'Group':
      return subject.group?.name === '*' || user.groups.includes(subject.group?.name ?? '')
    case 'ServiceAccount': {
      const { namespace = '', name = '' } = subject.serviceAccount ?? {}
      const prefix = `system:serviceaccount:${namespace}:`
      return name === '*' ? user.name.startsWith(prefix) : user.name === `${prefix}${name}`
    }
    default:
      return false
  }
}

const nameMatches = (wanted: string | undefined, name: string): boolean => wanted === '*' || wanted === name

/** One of the rules; their subjects are taken to match. */
export function rulesMatch(rules: readonly PolicyRulesWithSubjects[], info: RequestInfo): boolean {
  return rules.some(({ resourceRules = [], nonResourceRules = [] }) =>
    info.isResource
      ? resourceRules.some((rule) => resourceRuleMatches(rule, info))
      : nonResourceRules.some((rule) => pathRuleMatches(rule, info)),
  )
}

/** Whether there is no request that the rules leave out. */
export const rulesMatchEverything = (rules: readonly PolicyRulesWithSubjects[]): boolean =>
  rules.some(({ resourceRules = [] }) =>
    resourceRules.some(
      ({ verbs, apiGroups, resources, namespaces = [], clusterScope = false }) =>
        clusterScope && [verbs, apiGroups, resources, namespaces].every((list) => list.includes('*')),
    ),
  ) &&
  rules.some(({ nonResourceRules = [] }) =>
    nonResourceRules.some(({ verbs, nonResourceURLs }) => verbs.includes('*') && nonResourceURLs.includes('*')),
  )

const includes = (list: readonly string[], item: string): boolean => list.includes('*') || list.includes(item)

function resourceRuleMatches(rule: ResourcePolicyRule, info: ResourceRequestInfo): boolean {
  const { verbs, apiGroups, resources, namespaces = [], clusterScope = false } = rule
  return (
    includes(verbs, info.verb) &&
    includes(resources, info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`) &&
    includes(apiGroups, info.group) &&
    (info.namespace === '' ? clusterScope : includes(namespaces, info.namespace))
  )
}

function pathRuleMatches({ verbs, nonResourceURLs }: NonResourcePolicyRule, { verb, path }: RequestInfo): boolean {
  return (
    includes(verbs, verb) &&
    nonResourceURLs.some(
      (url) => url === '*' || url === path || (url.endsWith('/*') && path.startsWith(url.slice(0, -1))),
    )
  )
}
