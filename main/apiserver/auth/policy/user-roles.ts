// What the roles that people are given in a namespace add to each other: view < edit < admin.
import type { PolicyRule } from '../../../../common/api/generated/types.ts'
import { rule } from './rules.ts'

const readVerbs = 'get list watch'
const writeVerbs = 'create delete deletecollection patch update'

const coreReadable =
  'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status'
const namespaceState =
  'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status'
const appsResources =
  'daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale'
const appsStatus = 'controllerrevisions daemonsets/status deployments/status replicasets/status statefulsets/status'
/** A group of old: not served, but in these roles, which are compared with and copied. */
const onceExtensions =
  'daemonsets deployments deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale'
const onceExtensionsStatus = 'daemonsets/status deployments/status ingresses/status replicasets/status'

export const viewRules: PolicyRule[] = [
  rule(readVerbs, 'core', coreReadable),
  rule(readVerbs, 'core', namespaceState),
  rule(readVerbs, 'core', 'namespaces'),
  rule(readVerbs, 'discovery.k8s.io', 'endpointslices'),
  rule(readVerbs, 'apps', `${appsResources} ${appsStatus}`),
  rule(readVerbs, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
  rule(readVerbs, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
  rule(readVerbs, 'extensions', `${onceExtensions} ${onceExtensionsStatus}`),
  rule(readVerbs, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
  rule(readVerbs, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
  rule(readVerbs, 'resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates'),
]

export const editRules: PolicyRule[] = [
  rule(readVerbs, 'core', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
  rule('impersonate', 'core', 'serviceaccounts'),
  rule(writeVerbs, 'core', 'pods pods/attach pods/exec pods/portforward pods/proxy'),
  rule('create', 'core', 'pods/eviction'),
  rule(
    writeVerbs,
    'core',
    'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
  ),
  rule('create', 'core', 'serviceaccounts/token'),
  rule(writeVerbs, 'apps', `${appsResources} deployments/rollback`),
  rule(writeVerbs, 'autoscaling', 'horizontalpodautoscalers'),
  rule(writeVerbs, 'batch', 'cronjobs jobs'),
  rule(writeVerbs, 'extensions', `${onceExtensions} deployments/rollback`),
  rule(writeVerbs, 'policy', 'poddisruptionbudgets'),
  rule(writeVerbs, 'networking.k8s.io', 'ingresses networkpolicies'),
  rule(`${readVerbs} ${writeVerbs}`, 'coordination.k8s.io', 'leases'),
  rule(writeVerbs, 'resource.k8s.io', 'resourceclaims resourceclaimtemplates'),
]

export const adminRules: PolicyRule[] = [
  rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
  rule(`${readVerbs} ${writeVerbs}`, 'rbac.authorization.k8s.io', 'rolebindings roles'),
]
