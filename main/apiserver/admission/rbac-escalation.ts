// Nobody gives away what they do not have: roles may hold only rules their writer has (or who may "escalate"), and bindings only
// roles whose rules their writer has (or who may "bind").
import type { ClusterRole, PolicyRule, RoleBinding } from '../../../common/api/generated/types.ts'
import { forbidden, notFound } from '../../../common/machinery/status.ts'
import type { Authorizer } from '../auth/authorizer.ts'
import { rbacGroup, type RbacAuthorizer } from '../auth/rbac.ts'
import { lookup } from '../registry/context.ts'
import { sameJson } from '../registry/same-json.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts'

export function rbacEscalation(authorizer: () => Authorizer, rbac: () => RbacAuthorizer): AdmissionPlugin {
  const may = (
    { request, namespace, name, resourceName }: AdmissionAttributes,
    verb: string,
    role?: { resource: string; name: string },
  ): boolean =>
    authorizer().authorize({
      user: request.user,
      verb,
      group: rbacGroup,
      resource: role?.resource ?? resourceName.resource,
      subresource: '',
      namespace,
      name: role?.name ?? name,
    }).allowed
  const missing = ({ request, namespace }: AdmissionAttributes, rules: readonly PolicyRule[]): PolicyRule[] => {
    const owned = rbac().rulesFor(request.user, namespace)
    return rules.flatMap(pieces).filter((piece) => !owned.some((own) => covers(own, piece)))
  }
  const requireHeld = (attributes: AdmissionAttributes, rules: readonly PolicyRule[]): void => {
    const lacking = missing(attributes, rules)
    if (lacking.length === 0) return
    const { name, groups } = attributes.request.user
    const told = [...new Set(compact(lacking).map(describe))].sort().join('\n')
    throw forbidden(
      attributes.resourceName,
      attributes.name,
      `user ${JSON.stringify(name)} (groups=${quoted(groups)}) is attempting to grant RBAC permissions not currently held:\n${told}`,
    )
  }
  return {
    name: 'RBACEscalation',
    concerns: ({ group }) => group === rbacGroup,
    validate(attributes) {
      const { operation, resourceName, object, old, request } = attributes
      if (
        resourceName.group !== rbacGroup ||
        object === undefined ||
        operation === 'DELETE' ||
        request.user.groups.includes('system:masters')
      )
        return
      if (resourceName.resource === 'roles' || resourceName.resource === 'clusterroles') {
        const { rules = [], aggregationRule } = object as ClusterRole
        const before = old as ClusterRole | undefined
        const same = before !== undefined && sameJson(rules, before.rules ?? [])
        if (same && sameJson(aggregationRule ?? {}, before.aggregationRule ?? {})) return
        if (may(attributes, 'escalate')) return
        requireHeld(attributes, rules)
        // What such a role will allow is not known yet: only who may do everything may write it.
        const aggregates = aggregationRule !== undefined || before?.aggregationRule !== undefined
        if (aggregates && missing(attributes, everything).length > 0)
          throw forbidden(
            resourceName,
            attributes.name,
            'must have cluster-admin privileges to use the aggregationRule',
          )
        return
      }
      if (resourceName.resource !== 'rolebindings' && resourceName.resource !== 'clusterrolebindings') return
      const binding = object as RoleBinding
      if (
        old !== undefined &&
        sameJson(binding.subjects ?? [], (old as RoleBinding).subjects ?? []) &&
        sameJson(binding.roleRef, (old as RoleBinding).roleRef)
      )
        return
      const plural = binding.roleRef.kind === 'Role' ? 'roles' : 'clusterroles'
      if (may(attributes, 'bind', { resource: plural, name: binding.roleRef.name })) return
      const role = lookup(
        attributes.registry,
        rbacGroup,
        plural,
        plural === 'roles' ? attributes.namespace : undefined,
        binding.roleRef.name,
      )
      if (role === undefined) throw notFound({ group: rbacGroup, resource: plural }, binding.roleRef.name)
      requireHeld(attributes, (role.object as ClusterRole).rules ?? [])
    },
  }
}

const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/** Pieces for the same resource as one rule. */
function compact(rules: readonly PolicyRule[]): PolicyRule[] {
  const compacted = new Map<string, PolicyRule>()
  for (const rule of rules) {
    const { verbs, ...rest } = rule
    const key = JSON.stringify(rule.nonResourceURLs === undefined ? rest : rule)
    compacted.set(key, { ...rest, verbs: [...(compacted.get(key)?.verbs ?? []), ...verbs] })
  }
  return [...compacted.values()]
}

function describe({
  apiGroups = [],
  resources = [],
  resourceNames = [],
  nonResourceURLs = [],
  verbs,
}: PolicyRule): string {
  const parts = Object.entries({
    APIGroups: apiGroups,
    Resources: resources,
    ResourceNames: resourceNames,
    NonResourceURLs: nonResourceURLs,
    Verbs: verbs,
  })
  const told = parts.filter(([, list]) => list.length > 0).map(([name, list]) => `${name}:${quoted(list)}`)
  return `{${told.join(', ')}}`
}

/** As Go's %q shows a list. */
const quoted = (list: readonly string[]): string => `[${list.map((each) => JSON.stringify(each)).join(' ')}]`

/** Rules with one verb, group, resource and name each. */
function pieces(rule: PolicyRule): PolicyRule[] {
  if (rule.nonResourceURLs !== undefined)
    return rule.nonResourceURLs.flatMap((url) => rule.verbs.map((verb) => ({ verbs: [verb], nonResourceURLs: [url] })))
  const names = rule.resourceNames ?? []
  return rule.verbs.flatMap((verb) =>
    (rule.apiGroups ?? []).flatMap((group) =>
      (rule.resources ?? []).flatMap((resource) =>
        (names.length === 0 ? [undefined] : names).map((name) => ({
          verbs: [verb],
          apiGroups: [group],
          resources: [resource],
          ...(name === undefined ? {} : { resourceNames: [name] }),
        })),
      ),
    ),
  )
}

function covers(own: PolicyRule, piece: PolicyRule): boolean {
  const all = (list: readonly string[] | undefined, item: string | undefined): boolean =>
    list !== undefined && item !== undefined && (list.includes('*') || list.includes(item))
  if (!all(own.verbs, piece.verbs[0])) return false
  const [url] = piece.nonResourceURLs ?? []
  if (url !== undefined)
    return (own.nonResourceURLs ?? []).some(
      (path) => path === '*' || path === url || (path.endsWith('*') && url.startsWith(path.slice(0, -1))),
    )
  const [resource = ''] = piece.resources ?? []
  const resources = own.resources ?? []
  const resourceCovered =
    all(resources, resource) || (resource.includes('/') && resources.includes(`*/${resource.split('/')[1] ?? ''}`))
  const names = own.resourceNames ?? []
  return (
    all(own.apiGroups, piece.apiGroups?.[0]) &&
    resourceCovered &&
    (names.length === 0 || (piece.resourceNames?.[0] !== undefined && names.includes(piece.resourceNames[0])))
  )
}
