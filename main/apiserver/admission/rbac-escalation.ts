// Nobody gives away what they do not have: roles may hold only rules their writer has (or who may "escalate"), and bindings only
// roles whose rules their writer has (or who may "bind").
import type { ClusterRole, PolicyRule, Role, RoleBinding } from '../../../common/api/generated/types.ts'
import { forbidden } from '../../../common/machinery/status.ts'
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
  const covered = ({ request, namespace }: AdmissionAttributes, rules: readonly PolicyRule[]): boolean => {
    const owned = rbac().rulesFor(request.user, namespace)
    return rules.every((rule) => pieces(rule).every((piece) => owned.some((own) => covers(own, piece))))
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
        const rules = (object as Role | ClusterRole).rules ?? []
        if (old !== undefined && sameJson(rules, (old as Role).rules ?? [])) return
        if (may(attributes, 'escalate') || covered(attributes, rules)) return
        throw forbidden(
          resourceName,
          attributes.name,
          `user ${JSON.stringify(request.user.name)} (groups=${JSON.stringify(request.user.groups)}) is attempting to grant RBAC permissions not currently held`,
        )
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
      if (role !== undefined && covered(attributes, (role.object as ClusterRole).rules ?? [])) return
      throw forbidden(
        resourceName,
        attributes.name,
        `user ${JSON.stringify(request.user.name)} (groups=${JSON.stringify(request.user.groups)}) is attempting to grant RBAC permissions not currently held`,
      )
    },
  }
}

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
