// Whether a webhook's or a policy's rules are about a request.
import type { LabelSelector } from '../../../common/api/generated/types.ts'
import { matchesLabels, type Selector, selectorFromObject } from '../../../common/machinery/labels.ts'
import { lookup } from '../registry/context.ts'
import type { ResourceTable } from '../registry/resource-table.ts'
import type { ServedResource } from '../registry/served-resource.ts'
import type { AdmissionAttributes } from './admission.ts'

export interface Rule {
  readonly apiGroups?: readonly string[]
  readonly apiVersions?: readonly string[]
  readonly operations?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly scope?: string
}

export interface Matcher {
  readonly rules: readonly Rule[]
  readonly excluded: readonly Rule[]
  readonly exact: boolean
  readonly namespaces: Selector
  readonly objects: Selector
}

export function newMatcher(options: {
  readonly rules: readonly Rule[] | undefined
  readonly excluded?: readonly Rule[] | undefined
  readonly matchPolicy: string | undefined
  readonly namespaceSelector: LabelSelector | undefined
  readonly objectSelector: LabelSelector | undefined
}): Matcher {
  return {
    rules: options.rules ?? [],
    excluded: options.excluded ?? [],
    exact: options.matchPolicy === 'Exact',
    namespaces: selectorFromObject(options.namespaceSelector ?? {}),
    objects: selectorFromObject(options.objectSelector ?? {}),
  }
}

/** Objects that decide about admission themselves are never judged: nobody could be locked out of repairing them. */
const exempt = new Set([
  'validatingwebhookconfigurations',
  'mutatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
])

export const isExempt = ({ resourceName }: AdmissionAttributes): boolean =>
  resourceName.group === 'admissionregistration.k8s.io' && exempt.has(resourceName.resource)

/**
 * The resource as which the request is about the rules: its own, or with matchPolicy Equivalent another version or group in which
 * the same objects are served. Undefined when it is not.
 */
export function matchRequest(matcher: Matcher, attributes: AdmissionAttributes): ServedResource | undefined {
  const found = matchRules(matcher.rules, matcher.exact, attributes)
  if (found === undefined || matchRules(matcher.excluded, matcher.exact, attributes) !== undefined) return undefined
  return selected(matcher, attributes) ? found : undefined
}

/** By the rules alone, whatever namespace and object say. */
export const mayMatch = ({ rules, exact }: Matcher, attributes: AdmissionAttributes): boolean =>
  matchRules(rules, exact, attributes) !== undefined

function matchRules(
  rules: readonly Rule[],
  exact: boolean,
  attributes: AdmissionAttributes,
): ServedResource | undefined {
  const { resource, registry } = attributes
  if (rules.some((rule) => ruleMatches(rule, resource, attributes))) return resource
  // Another version can match only where the rules name versions or groups.
  if (exact || rules.every(({ operations }) => !holds(operations, attributes.operation))) return undefined
  return equivalents(registry.resources, resource).find((other) =>
    rules.some((rule) => ruleMatches(rule, other, attributes)),
  )
}

const equivalentsOf = new WeakMap<ServedResource, { generation: number; others: readonly ServedResource[] }>()

/** Other ways in which the objects of a resource are served. */
function equivalents(resources: ResourceTable, resource: ServedResource): readonly ServedResource[] {
  const known = equivalentsOf.get(resource)
  if (known?.generation === resources.generation) return known.others
  const others = resources.all().filter((other) => other !== resource && other.prefix === resource.prefix)
  equivalentsOf.set(resource, { generation: resources.generation, others })
  return others
}

const holds = (list: readonly string[] | undefined, value: string): boolean =>
  list?.some((one) => one === '*' || one === value) === true

function ruleMatches(rule: Rule, { kind, namespaced }: ServedResource, attributes: AdmissionAttributes): boolean {
  const { operation, subresource, name } = attributes
  if (
    !holds(rule.operations, operation) ||
    !holds(rule.apiGroups, kind.group) ||
    !holds(rule.apiVersions, kind.version)
  )
    return false
  const scope = rule.scope ?? '*'
  // A namespace is judged as what it is: cluster-scoped.
  if (scope !== '*' && (scope === 'Namespaced') !== namespaced) return false
  if ((rule.resourceNames?.length ?? 0) > 0 && rule.resourceNames?.includes(name) !== true) return false
  return (rule.resources ?? []).some((text) => {
    const [resource = '', sub = ''] = text.split('/')
    return (resource === '*' || resource === kind.plural) && (sub === subresource || (sub === '*' && text !== '*'))
  })
}

function selected({ namespaces, objects }: Matcher, attributes: AdmissionAttributes): boolean {
  const { object, old, resource, resourceName, namespace, registry } = attributes
  if (namespaces.length > 0) {
    if (resource.namespaced) {
      const labels = lookup(registry, '', 'namespaces', undefined, namespace)?.object.metadata.labels
      if (!matchesLabels(namespaces, labels)) return false
    } else if (resourceName.group === '' && resourceName.resource === 'namespaces') {
      if (!matchesLabels(namespaces, (object ?? old)?.metadata.labels)) return false
    }
  }
  if (objects.length === 0) return true
  // Options of a stream have no labels, which is not the same as none.
  return [object, old].some(
    (one) => one !== undefined && 'metadata' in one && matchesLabels(objects, one.metadata.labels),
  )
}
