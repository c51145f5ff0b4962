// What a policy says of one request: the first rule that fits decides.
import type { Attributes } from '../auth/authorizer.ts'
import type { GroupResources, Level, Policy, PolicyRule, Stage } from './policy.ts'

/** What to record of one request. */
export interface Verdict {
  readonly level: Level
  readonly omitStages: ReadonlySet<Stage>
  readonly omitManagedFields: boolean
}

/** Undefined: nothing is recorded. */
export function judge(policy: Policy, attributes: Attributes): Verdict | undefined {
  const rule = policy.rules.find((candidate) => fits(candidate, attributes))
  if (rule === undefined || rule.level === 'None') return undefined
  return {
    level: rule.level,
    omitStages: new Set([...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]),
    omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
  }
}

const contains = (list: readonly string[] | undefined, item: string): boolean =>
  list === undefined || list.length === 0 || list.includes(item)

function fits(rule: PolicyRule, attributes: Attributes): boolean {
  const { user, verb } = attributes
  const { userGroups = [], namespaces = [], resources = [], nonResourceURLs = [] } = rule
  if (!contains(rule.users, user.name) || !contains(rule.verbs, verb)) return false
  if (userGroups.length > 0 && !user.groups.some((group) => userGroups.includes(group))) return false
  if (namespaces.length > 0 || resources.length > 0) {
    if ('path' in attributes || !contains(namespaces, attributes.namespace)) return false
    return resources.length === 0 || resources.some((each) => fitsResource(each, attributes))
  }
  if (nonResourceURLs.length === 0) return true
  if (!('path' in attributes)) return false
  const { path } = attributes
  return nonResourceURLs.some((url) => url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1))))
}

function fitsResource(
  { group = '', resources = [], resourceNames = [] }: GroupResources,
  attributes: Exclude<Attributes, { path: string }>,
): boolean {
  if (group !== attributes.group) return false
  if (resources.length === 0) return true
  const { resource, subresource, name } = attributes
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  if (resourceNames.length > 0 && !resourceNames.includes(name)) return false
  return resources.some(
    (wanted) =>
      wanted === '*' ||
      wanted === full ||
      (subresource !== '' && wanted === `*/${subresource}`) ||
      wanted === `${resource}/*`,
  )
}
