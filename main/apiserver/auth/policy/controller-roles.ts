// What each controller of kube-controller-manager may do, as roles of their own (system:controller:NAME), bound to the service account
// of that name in kube-system. The engine's controllers act under one name; these are for controllers that run apart, as clients expect
// to find them.
import type { PolicyRule } from '../../../../common/api/generated/types.ts'
import { rule } from './rules.ts'

const read = 'get list watch'
const events = rule('create update patch', 'core events.k8s.io', 'events')
/** Deployments, daemon sets and replica sets were in "extensions" once: roles still say so. */
const apps = 'apps extensions'
const pods = (verbs: string): PolicyRule => rule(verbs, 'core', 'pods')

/** By the name after "system:controller:". */
export const controllerRoles: Readonly<Record<string, readonly PolicyRule[]>> = {
  'attachdetach-controller': [
    rule('list watch', 'core', 'persistentvolumes persistentvolumeclaims'),
    rule(read, 'core', 'nodes'),
    rule('patch update', 'core', 'nodes/status'),
    pods('list watch'),
    events,
    rule('get create delete list watch', 'storage.k8s.io', 'volumeattachments'),
    rule(read, 'storage.k8s.io', 'csidrivers csinodes'),
  ],
  'certificate-controller': [
    rule(`${read} delete`, 'certificates.k8s.io', 'certificatesigningrequests'),
    rule('update', 'certificates.k8s.io', 'certificatesigningrequests/status certificatesigningrequests/approval'),
    rule('approve', 'certificates.k8s.io', 'signers', 'kubernetes.io/kube-apiserver-client-kubelet'),
    rule(
      'sign',
      'certificates.k8s.io',
      'signers',
      'kubernetes.io/legacy-unknown kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving',
    ),
    rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    events,
  ],
  'clusterrole-aggregation-controller': [
    rule(`escalate ${read} update patch`, 'rbac.authorization.k8s.io', 'clusterroles'),
  ],
  'cronjob-controller': [
    rule(`${read} update`, 'batch', 'cronjobs'),
    rule(`${read} create update delete patch`, 'batch', 'jobs'),
    rule('update', 'batch', 'cronjobs/status cronjobs/finalizers'),
    pods('list watch delete'),
    events,
  ],
  'daemon-set-controller': [
    rule(read, apps, 'daemonsets'),
    rule('update', apps, 'daemonsets/status daemonsets/finalizers'),
    rule('list watch', 'core', 'nodes'),
    pods('list watch create delete patch'),
    rule('create', 'core', 'pods/binding'),
    rule(`${read} create delete update patch`, 'apps', 'controllerrevisions'),
    events,
  ],
  'deployment-controller': [
    rule(`${read} update`, apps, 'deployments'),
    rule('update', apps, 'deployments/status deployments/finalizers'),
    rule(`${read} create update patch delete`, apps, 'replicasets'),
    pods(`${read} update`),
    events,
  ],
  'device-taint-eviction-controller': [
    pods(`${read} delete`),
    rule('patch update', 'core', 'pods/status'),
    rule(read, 'resource.k8s.io', 'resourceclaims resourceslices deviceclasses'),
    events,
  ],
  'disruption-controller': [
    rule(read, apps, 'deployments replicasets'),
    rule(read, 'apps', 'statefulsets'),
    rule(read, 'core', 'replicationcontrollers'),
    rule(read, 'policy', 'poddisruptionbudgets'),
    rule('update', 'policy', 'poddisruptionbudgets/status'),
    rule('patch update', 'core', 'pods/status'),
    rule('get', '*', '*/scale'),
    events,
  ],
  'endpoint-controller': [
    rule(read, 'core', 'services pods'),
    rule(`${read} create update delete`, 'core', 'endpoints'),
    rule('create', 'core', 'endpoints/restricted'),
    events,
  ],
  'endpointslice-controller': [
    rule(read, 'core', 'services pods nodes'),
    rule('update', 'core', 'services/finalizers'),
    rule(`${read} create update delete`, 'discovery.k8s.io', 'endpointslices'),
    events,
  ],
  'endpointslicemirroring-controller': [
    rule(read, 'core', 'services endpoints'),
    rule('update', 'core', 'services/finalizers endpoints/finalizers'),
    rule(`${read} create update delete`, 'discovery.k8s.io', 'endpointslices'),
    events,
  ],
  'ephemeral-volume-controller': [
    pods(read),
    rule('update', 'core', 'pods/finalizers'),
    rule(`${read} create`, 'core', 'persistentvolumeclaims'),
    events,
  ],
  'expand-controller': [
    rule(`${read} update patch`, 'core', 'persistentvolumes'),
    rule('update patch', 'core', 'persistentvolumeclaims/status'),
    rule(read, 'core', 'persistentvolumeclaims'),
    events,
  ],
  'generic-garbage-collector': [rule(`${read} patch update delete`, '*', '*'), events],
  'horizontal-pod-autoscaler': [
    rule(read, 'autoscaling', 'horizontalpodautoscalers'),
    rule('update', 'autoscaling', 'horizontalpodautoscalers/status'),
    rule('get update', '*', '*/scale'),
    pods('list watch'),
    rule('list watch', 'metrics.k8s.io', 'pods'),
    rule(read, 'custom.metrics.k8s.io external.metrics.k8s.io', '*'),
    events,
  ],
  'job-controller': [
    rule(`${read} update patch`, 'batch', 'jobs'),
    rule('update', 'batch', 'jobs/status jobs/finalizers'),
    pods('list watch create delete patch'),
    events,
  ],
  'legacy-service-account-token-cleaner': [
    rule('get', 'core', 'configmaps', 'kube-apiserver-legacy-service-account-token-tracking'),
    rule('patch delete', 'core', 'secrets'),
  ],
  'namespace-controller': [
    rule(`${read} delete`, 'core', 'namespaces'),
    rule('update', 'core', 'namespaces/finalize namespaces/status'),
    rule(`${read} delete deletecollection`, '*', '*'),
  ],
  'node-controller': [
    rule(`${read} update delete patch`, 'core', 'nodes'),
    rule('patch update', 'core', 'nodes/status pods/status'),
    pods('list watch get delete'),
    rule(read, 'coordination.k8s.io', 'leases'),
    events,
  ],
  'persistent-volume-binder': [
    rule(`${read} update create delete`, 'core', 'persistentvolumes'),
    rule('update', 'core', 'persistentvolumes/status persistentvolumeclaims/status'),
    rule(`${read} update`, 'core', 'persistentvolumeclaims'),
    pods('list watch get create delete'),
    rule(read, 'storage.k8s.io', 'storageclasses'),
    rule('list watch', 'core', 'nodes'),
    events,
    rule('watch', 'core', 'events'),
  ],
  'pod-garbage-collector': [
    pods('list watch delete'),
    rule(read, 'core', 'nodes'),
    rule('patch', 'core', 'pods/status'),
  ],
  'pv-protection-controller': [rule(`${read} update`, 'core', 'persistentvolumes'), events],
  'pvc-protection-controller': [
    rule(`${read} update`, 'core', 'persistentvolumeclaims'),
    pods('list watch get'),
    events,
  ],
  'replicaset-controller': [
    rule(`${read} update`, apps, 'replicasets'),
    rule('update', apps, 'replicasets/status replicasets/finalizers'),
    pods('list watch patch create delete'),
    events,
  ],
  'replication-controller': [
    rule(`${read} update`, 'core', 'replicationcontrollers'),
    rule('update', 'core', 'replicationcontrollers/status replicationcontrollers/finalizers'),
    pods('list watch patch create delete'),
    events,
  ],
  'resource-claim-controller': [
    pods(read),
    rule('update', 'core', 'pods/finalizers'),
    rule(`${read} create delete`, 'resource.k8s.io', 'resourceclaims'),
    rule('update patch', 'resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaims/binding'),
    rule('update patch', 'core', 'pods/status'),
    events,
  ],
  'resourcequota-controller': [rule('list watch', '*', '*'), rule('update', 'core', 'resourcequotas/status'), events],
  'root-ca-cert-publisher': [rule('create update', 'core', 'configmaps'), events],
  'route-controller': [rule('list watch', 'core', 'nodes'), rule('patch', 'core', 'nodes/status'), events],
  'selinux-warning-controller': [
    events,
    rule(read, 'core', 'persistentvolumes persistentvolumeclaims pods'),
    rule(read, 'storage.k8s.io', 'csidrivers'),
  ],
  'service-account-controller': [rule('create', 'core', 'serviceaccounts'), events],
  'service-cidrs-controller': [
    rule(`${read} patch update`, 'networking.k8s.io', 'servicecidrs'),
    rule('patch update', 'networking.k8s.io', 'servicecidrs/finalizers servicecidrs/status'),
    rule(read, 'networking.k8s.io', 'ipaddresses'),
    events,
  ],
  'service-controller': [
    rule(read, 'core', 'services'),
    rule('patch update', 'core', 'services/status'),
    rule('list watch', 'core', 'nodes'),
    events,
  ],
  'statefulset-controller': [
    pods('list watch get create delete update patch'),
    rule(read, 'apps', 'statefulsets'),
    rule('update', 'apps', 'statefulsets/status statefulsets/finalizers'),
    rule(`${read} create delete update patch`, 'apps', 'controllerrevisions'),
    rule(`${read} create update delete`, 'core', 'persistentvolumeclaims'),
    rule('update', 'core', 'pods/finalizers'),
    events,
  ],
  'ttl-after-finished-controller': [rule(`${read} delete`, 'batch', 'jobs'), events],
  'ttl-controller': [rule('update patch list watch', 'core', 'nodes'), events],
  'validatingadmissionpolicy-status-controller': [
    rule(read, 'admissionregistration.k8s.io', 'validatingadmissionpolicies'),
    rule('get patch update', 'admissionregistration.k8s.io', 'validatingadmissionpolicies/status'),
    events,
  ],
  'volumeattributesclass-protection-controller': [
    rule(read, 'core', 'persistentvolumeclaims persistentvolumes'),
    rule(`${read} update`, 'storage.k8s.io', 'volumeattributesclasses'),
    events,
  ],
}
