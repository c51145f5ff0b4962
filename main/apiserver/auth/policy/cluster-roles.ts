// Roles and bindings that exist in every cluster. Created at start when missing; what an administrator changed is left alone.
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RbacV1Subject as Subject,
} from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { controllerRoles } from './controller-roles.ts'
import { bootstrapMetadata } from './metadata.ts'
import { rule, urls } from './rules.ts'
import { adminRules, editRules, viewRules } from './user-roles.ts'
import { nodeRules } from './node-rules.ts'

export interface BootstrapRole {
  readonly name: string
  readonly rules?: readonly PolicyRule[]
  readonly subjects?: readonly Subject[]
  readonly labels?: Readonly<Record<string, string>>
  /** Its rules are those of the roles labelled aggregate-to-NAME: the ones below and what definitions of custom resources bring. */
  readonly aggregates?: true
}

const group = (name: string): Subject => ({ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name })
const user = (name: string): Subject => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name })
const authenticated = group('system:authenticated')
const unauthenticated = group('system:unauthenticated')

const healthUrls = '/healthz /livez /readyz /version /version/'
const discoveryUrls = '/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/'

const aggregateTo = (name: string): Record<string, string> => ({
  [`rbac.authorization.k8s.io/aggregate-to-${name}`]: 'true',
})

export const clusterRoles: readonly BootstrapRole[] = [
  { name: 'cluster-admin', rules: [rule('*', '*', '*'), urls('*', '*')], subjects: [group('system:masters')] },
  { name: 'admin', aggregates: true },
  { name: 'edit', aggregates: true, labels: aggregateTo('admin') },
  { name: 'view', aggregates: true, labels: aggregateTo('edit') },
  { name: 'system:aggregate-to-admin', rules: adminRules, labels: aggregateTo('admin') },
  { name: 'system:aggregate-to-edit', rules: editRules, labels: aggregateTo('edit') },
  { name: 'system:aggregate-to-view', rules: viewRules, labels: aggregateTo('view') },
  // Metrics are served here without an addition, which elsewhere brings this role.
  {
    name: 'system:aggregated-metrics-reader',
    rules: [rule('get list watch', 'metrics.k8s.io', 'pods nodes')],
    labels: { ...aggregateTo('view'), ...aggregateTo('edit'), ...aggregateTo('admin') },
  },
  { name: 'system:discovery', rules: [urls('get', discoveryUrls)], subjects: [authenticated] },
  { name: 'system:public-info-viewer', rules: [urls('get', healthUrls)], subjects: [authenticated, unauthenticated] },
  {
    name: 'system:monitoring',
    rules: [
      urls('get', '/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*'),
      urls('get', '/flagz'),
      urls('get', '/statusz'),
    ],
    subjects: [group('system:monitoring')],
  },
  {
    name: 'system:basic-user',
    rules: [
      rule('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
      rule('create', 'authentication.k8s.io', 'selfsubjectreviews'),
    ],
    subjects: [authenticated],
  },
  // Bound to nobody: what a node may do is decided node by node.
  { name: 'system:node', rules: nodeRules, subjects: [] },
  {
    name: 'system:kube-scheduler',
    rules: [
      rule('create patch update', 'core events.k8s.io', 'events'),
      rule('create', 'coordination.k8s.io', 'leases'),
      rule('get update', 'coordination.k8s.io', 'leases', 'kube-scheduler'),
      rule('get list watch', 'core', 'nodes'),
      rule('delete get list watch', 'core', 'pods'),
      rule('create', 'core', 'bindings pods/binding'),
      rule('patch update', 'core', 'pods/status'),
      rule('get list watch', 'core', 'replicationcontrollers services'),
      rule('get list watch', 'apps extensions', 'replicasets'),
      rule('get list watch', 'apps', 'statefulsets'),
      rule('get list watch', 'policy', 'poddisruptionbudgets'),
      rule('get list watch', 'core', 'persistentvolumeclaims persistentvolumes'),
      rule('create', 'authentication.k8s.io', 'tokenreviews'),
      rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
      rule('get list watch', 'storage.k8s.io', 'csinodes'),
      rule('get list watch', 'storage.k8s.io', 'volumeattachments'),
      rule('get list watch', 'core', 'namespaces'),
      rule('get list watch', 'storage.k8s.io', 'csidrivers'),
      rule('get list watch', 'storage.k8s.io', 'csistoragecapacities'),
      rule('get list watch', 'resource.k8s.io', 'deviceclasses'),
      rule('get list watch update patch', 'resource.k8s.io', 'resourceclaims'),
      rule('get list watch update patch', 'resource.k8s.io', 'resourceclaims/status'),
      rule('update patch', 'resource.k8s.io', 'resourceclaims/binding'),
      rule('get list patch update watch', 'core', 'pods/finalizers'),
      rule('get list watch', 'resource.k8s.io', 'resourceslices'),
    ],
    subjects: [user('system:kube-scheduler')],
  },
  {
    name: 'system:volume-scheduler',
    rules: [
      rule('get list patch update watch', 'core', 'persistentvolumes persistentvolumeclaims'),
      rule('get list watch', 'storage.k8s.io', 'storageclasses'),
    ],
    subjects: [user('system:kube-scheduler')],
  },
  {
    name: 'system:kube-controller-manager',
    rules: [
      rule('create patch update', 'core events.k8s.io', 'events'),
      rule('create', 'coordination.k8s.io', 'leases'),
      rule('get update', 'coordination.k8s.io', 'leases', 'kube-controller-manager'),
      rule('create', 'core', 'secrets serviceaccounts'),
      rule('delete', 'core', 'secrets'),
      rule('get', 'core', 'namespaces secrets serviceaccounts configmaps'),
      rule('update', 'core', 'secrets serviceaccounts'),
      rule('create', 'authentication.k8s.io', 'tokenreviews'),
      rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
      rule('list watch', '*', '*'),
      rule('create', 'core', 'serviceaccounts/token'),
    ],
    subjects: [user('system:kube-controller-manager')],
  },
  {
    name: 'system:kube-dns',
    rules: [rule('list watch', 'core', 'endpoints services')],
    subjects: [{ kind: 'ServiceAccount', name: 'kube-dns', namespace: 'kube-system' }],
  },
  {
    name: 'system:node-proxier',
    rules: [
      rule('list watch', 'core', 'services endpoints'),
      rule('get list watch', 'core', 'nodes'),
      rule('create patch update', 'core events.k8s.io', 'events'),
      rule('list watch', 'networking.k8s.io', 'servicecidrs'),
      rule('list watch', 'discovery.k8s.io', 'endpointslices'),
    ],
    subjects: [user('system:kube-proxy')],
  },
  {
    name: 'system:auth-delegator',
    rules: [
      rule('create', 'authentication.k8s.io', 'tokenreviews'),
      rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    ],
  },
  {
    name: 'system:service-account-issuer-discovery',
    rules: [
      urls(
        'get',
        '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
      ),
    ],
    subjects: [group('system:serviceaccounts')],
  },
  {
    name: 'system:node-bootstrapper',
    rules: [rule('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests')],
  },
  {
    name: 'system:node-problem-detector',
    rules: [
      rule('get', 'core', 'nodes'),
      rule('patch', 'core', 'nodes/status'),
      rule('create patch update', 'core events.k8s.io', 'events'),
    ],
  },
  {
    name: 'system:heapster',
    rules: [
      rule('get list watch', 'core', 'events pods nodes namespaces'),
      rule('get list watch', 'extensions', 'deployments'),
    ],
  },
  { name: 'system:kube-aggregator', rules: [rule('get list watch', 'core', 'services endpoints')] },
  {
    name: 'system:kubelet-api-admin',
    rules: [
      rule('get list watch', 'core', 'nodes'),
      rule('proxy', 'core', 'nodes'),
      rule('*', 'core', 'nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/stats'),
    ],
  },
  {
    name: 'system:persistent-volume-provisioner',
    rules: [
      rule('create delete get list watch', 'core', 'persistentvolumes'),
      rule('get list update watch', 'core', 'persistentvolumeclaims'),
      rule('get list watch', 'storage.k8s.io', 'storageclasses'),
      rule('watch', 'core', 'events'),
      rule('create patch update', 'core events.k8s.io', 'events'),
    ],
  },
  ...['nodeclient', 'selfnodeclient'].map((name) => ({
    name: `system:certificates.k8s.io:certificatesigningrequests:${name}`,
    rules: [rule('create', 'certificates.k8s.io', `certificatesigningrequests/${name}`)],
  })),
  ...['kube-apiserver-client', 'kube-apiserver-client-kubelet', 'kubelet-serving', 'legacy-unknown'].map((signer) => ({
    name: `system:certificates.k8s.io:${signer}-approver`,
    rules: [rule('approve', 'certificates.k8s.io', 'signers', `kubernetes.io/${signer}`)],
  })),
  ...Object.entries(controllerRoles).map(([name, rules]) => ({
    name: `system:controller:${name}`,
    rules,
    subjects: [{ kind: 'ServiceAccount', name, namespace: 'kube-system' }],
  })),
]

export function clusterRoleObject({ name, rules = [], labels, aggregates }: BootstrapRole): KubeObject & ClusterRole {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: bootstrapMetadata(name, labels),
    rules: [...rules],
    ...(aggregates === true
      ? {
          aggregationRule: {
            clusterRoleSelectors: [{ matchLabels: aggregateTo(name) }],
          },
        }
      : {}),
  }
}

export function clusterRoleBindingObject({ name, subjects = [] }: BootstrapRole): KubeObject & ClusterRoleBinding {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: bootstrapMetadata(name),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    ...(subjects.length === 0 ? {} : { subjects: [...subjects] }),
  }
}
