// Roles within the system's own namespaces: what extension API servers, leader election and bootstrapping need there.
import type { PolicyRule, RbacV1Subject as Subject, Role, RoleBinding } from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { bootstrapMetadata } from './metadata.ts'
import { rule } from './rules.ts'

interface NamespacedRole {
  readonly namespace: string
  readonly name: string
  readonly rules: readonly PolicyRule[]
  readonly binding?: { readonly name: string; readonly subjects: readonly Subject[] }
}

const rbacGroup = 'rbac.authorization.k8s.io'
const user = (name: string): Subject => ({ kind: 'User', apiGroup: rbacGroup, name })
const account = (name: string): Subject => ({ kind: 'ServiceAccount', name, namespace: 'kube-system' })
const events = rule('create update patch', 'core events.k8s.io', 'events')

const leaderLock = (component: string): NamespacedRole => ({
  namespace: 'kube-system',
  name: `system::leader-locking-${component}`,
  rules: [rule('watch', 'core', 'configmaps'), rule('get update', 'core', 'configmaps', component)],
  binding: {
    name: `system::leader-locking-${component}`,
    subjects: [user(`system:${component}`), account(component)],
  },
})

const controller = (namespace: string, name: string, rules: readonly PolicyRule[]): NamespacedRole => ({
  namespace,
  name: `system:controller:${name}`,
  rules,
  binding: { name: `system:controller:${name}`, subjects: [account(name)] },
})

export const namespacedRoles: readonly NamespacedRole[] = [
  {
    namespace: 'kube-system',
    name: 'extension-apiserver-authentication-reader',
    rules: [rule('get list watch', 'core', 'configmaps', 'extension-apiserver-authentication')],
    binding: {
      name: 'system::extension-apiserver-authentication-reader',
      subjects: [user('system:kube-controller-manager'), user('system:kube-scheduler')],
    },
  },
  leaderLock('kube-controller-manager'),
  leaderLock('kube-scheduler'),
  controller('kube-system', 'bootstrap-signer', [rule('get list watch', 'core', 'secrets')]),
  controller('kube-system', 'cloud-provider', [rule('create get list watch', 'core', 'configmaps')]),
  controller('kube-system', 'token-cleaner', [rule('get list watch delete', 'core', 'secrets'), events]),
  controller('kube-public', 'bootstrap-signer', [
    rule('get list watch', 'core', 'configmaps'),
    rule('update', 'core', 'configmaps', 'cluster-info'),
    events,
  ]),
]

export const roleObject = ({ namespace, name, rules }: NamespacedRole): KubeObject & Role => ({
  apiVersion: `${rbacGroup}/v1`,
  kind: 'Role',
  metadata: { ...bootstrapMetadata(name), namespace },
  rules: [...rules],
})

export const roleBindingObject = ({ namespace, name, binding }: NamespacedRole): KubeObject & RoleBinding => ({
  apiVersion: `${rbacGroup}/v1`,
  kind: 'RoleBinding',
  metadata: { ...bootstrapMetadata(binding?.name ?? name), namespace },
  roleRef: { apiGroup: rbacGroup, kind: 'Role', name },
  subjects: [...(binding?.subjects ?? [])],
})
