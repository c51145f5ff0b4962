// RBAC: roles and bindings read from the store, indexed by subject, recomputed when one of them changes.
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RbacV1Subject as Subject,
} from '../../../common/api/generated/types.ts'
import { matchesLabels, selectorFromObject } from '../../../common/machinery/labels.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { Store } from '../../store/store.ts'
import { type Attributes, type Authorizer, type Decision, noOpinion } from './authorizer.ts'
import type { UserInfo } from './user-info.ts'

export const rbacGroup = 'rbac.authorization.k8s.io'
const prefix = `/registry/${rbacGroup}/`

/** Rules a subject has; namespace "" is everywhere. */
export interface Grant {
  readonly namespace: string
  readonly rules: readonly PolicyRule[]
  /** Which binding of which role to whom gave them, for those who ask why. */
  readonly because: string
}

export class RbacAuthorizer implements Authorizer {
  readonly #store: Store
  #grants: Map<string, Grant[]> | undefined

  constructor(store: Store) {
    this.#store = store
    store.watch({
      prefix,
      fromRevision: store.revision + 1,
      onEvents: () => {
        this.#grants = undefined
      },
    })
  }

  authorize(attributes: Attributes): Decision {
    const namespace = 'path' in attributes ? '' : attributes.namespace
    for (const { rules, because } of this.#grantsFor(attributes.user, namespace)) {
      for (const rule of rules)
        if (ruleAllows(rule, attributes)) return { allowed: true, reason: `RBAC: allowed by ${because}` }
    }
    return noOpinion
  }

  /** All rules that apply to a user in a namespace ("" : cluster scope only). */
  rulesFor(user: UserInfo, namespace: string): PolicyRule[] {
    return [...this.#grantsFor(user, namespace)].flatMap(({ rules }) => rules)
  }

  *#grantsFor(user: UserInfo, namespace: string): Generator<Grant> {
    this.#grants ??= this.#readGrants()
    for (const subject of subjectsOf(user)) {
      for (const grant of this.#grants.get(subject) ?? []) {
        if (grant.namespace === '' || (namespace !== '' && grant.namespace === namespace)) yield grant
      }
    }
  }

  #readGrants(): Map<string, Grant[]> {
    const all = this.#read<ClusterRole & KubeObject>('clusterroles')
    const clusterRoles = new Map(all.map((role) => [role.metadata.name ?? '', rulesOf(role, all)]))
    const roles = new Map(
      this.#read<Role & KubeObject>('roles').map((role) => [
        `${role.metadata.namespace ?? ''}/${role.metadata.name ?? ''}`,
        role.rules ?? [],
      ]),
    )
    const grants = new Map<string, Grant[]>()
    const add = (
      binding: RoleBinding & KubeObject,
      namespace: string,
      rules: readonly PolicyRule[] | undefined,
    ): void => {
      if (rules === undefined) return
      for (const subject of binding.subjects ?? []) {
        const key = subjectKey(subject, namespace)
        const grant = { namespace, rules, because: describe(binding, subject) }
        const list = grants.get(key)
        if (list === undefined) grants.set(key, [grant])
        else list.push(grant)
      }
    }
    for (const binding of this.#read<ClusterRoleBinding & KubeObject>('clusterrolebindings'))
      add({ ...binding, kind: 'RoleBinding' }, '', clusterRoles.get(binding.roleRef.name))
    for (const binding of this.#read<RoleBinding & KubeObject>('rolebindings')) {
      const namespace = binding.metadata.namespace ?? ''
      const rules =
        binding.roleRef.kind === 'Role'
          ? roles.get(`${namespace}/${binding.roleRef.name}`)
          : clusterRoles.get(binding.roleRef.name)
      add(binding, namespace, rules)
    }
    return grants
  }

  #read<T>(plural: string): T[] {
    return this.#store.range({ prefix: `${prefix}${plural}/` }).entries.map((entry) => JSON.parse(entry.value) as T)
  }
}

/** A role's own rules and those of the roles it aggregates, directly or through others: no controller needs to have run yet. */
function rulesOf(
  role: ClusterRole,
  all: readonly (ClusterRole & KubeObject)[],
  seen: ReadonlySet<ClusterRole> = new Set(),
): readonly PolicyRule[] {
  const selectors = (role.aggregationRule?.clusterRoleSelectors ?? []).map(selectorFromObject)
  if (selectors.length === 0) return role.rules ?? []
  const path = new Set([...seen, role])
  const selected = all.filter(
    (other) => !path.has(other) && selectors.some((selector) => matchesLabels(selector, other.metadata.labels)),
  )
  return [...(role.rules ?? []), ...selected.flatMap((other) => rulesOf(other, all, path))]
}

/** As upstream words it: ClusterRoleBinding "a" of ClusterRole "b" to Group "c". */
function describe({ metadata, roleRef }: RoleBinding & KubeObject, subject: Subject): string {
  const { name = '', namespace } = metadata
  const quoted = JSON.stringify(namespace === undefined ? name : `${name}/${namespace}`)
  const whom =
    subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace ?? namespace ?? ''}` : subject.name
  const kind = namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding'
  return `${kind} ${quoted} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${subject.kind} ${JSON.stringify(whom)}`
}

function subjectKey(subject: Subject, bindingNamespace: string): string {
  if (subject.kind !== 'ServiceAccount') return `${subject.kind}:${subject.name}`
  return `User:system:serviceaccount:${subject.namespace ?? bindingNamespace}:${subject.name}`
}

function subjectsOf(user: UserInfo): string[] {
  return [`User:${user.name}`, ...user.groups.map((group) => `Group:${group}`)]
}

export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!includesOrAll(rule.verbs, attributes.verb)) return false
  if ('path' in attributes) {
    return (rule.nonResourceURLs ?? []).some(
      (url) =>
        url === '*' || url === attributes.path || (url.endsWith('*') && attributes.path.startsWith(url.slice(0, -1))),
    )
  }
  const { group, resource, subresource, name } = attributes
  return (
    includesOrAll(rule.apiGroups, group) &&
    resourceMatches(rule.resources ?? [], resource, subresource) &&
    ((rule.resourceNames ?? []).length === 0 || (name !== '' && (rule.resourceNames ?? []).includes(name)))
  )
}

function resourceMatches(resources: readonly string[], resource: string, subresource: string): boolean {
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  return resources.some((rule) => rule === '*' || rule === full || (subresource !== '' && rule === `*/${subresource}`))
}

const includesOrAll = (list: readonly string[] | undefined, item: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(item))
