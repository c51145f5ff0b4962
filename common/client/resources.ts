// References to every resource that Orrery's own parts use. One line each; clients of other kinds make theirs with `resourceRef`.
import type {
  APIService,
  CertificateSigningRequest,
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  ControllerRevision,
  CronJob,
  CustomResourceDefinition,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Endpoints,
  Event,
  AutoscalingV2HorizontalPodAutoscaler,
  NetworkingV1IPAddress,
  NetworkingV1ServiceCIDR,
  Ingress,
  Job,
  Lease,
  LimitRange,
  Namespace,
  NetworkPolicy,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PriorityClass,
  ReplicaSet,
  ReplicationController,
  ResourceQuota,
  ResourceV1DeviceClass,
  ResourceV1ResourceClaim,
  ResourceV1ResourceClaimTemplate,
  ResourceV1ResourceSlice,
  Role,
  RoleBinding,
  RuntimeClass,
  Secret,
  Service,
  ServiceAccount,
  StatefulSet,
  StorageClass,
  ValidatingAdmissionPolicy,
  StorageV1VolumeAttributesClass,
  VolumeAttachment,
} from '../api/generated/types.ts'
import type { Image, Lab, Machine, SchedulingDecision } from '../api/lab/v1alpha1.ts'
import type { KubeObject } from '../machinery/meta.ts'
import type { ResourceRef } from './client.ts'

/** `resourceRef<Pod>('v1', 'pods', 'Pod')`; the scope is namespaced unless said otherwise. */
export function resourceRef<T extends KubeObject>(
  apiVersion: string,
  plural: string,
  kind: string,
  scope: 'Namespaced' | 'Cluster' = 'Namespaced',
): ResourceRef<T> {
  const slash = apiVersion.indexOf('/')
  return {
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    plural,
    kind,
    namespaced: scope === 'Namespaced',
  }
}

export const pods = resourceRef<Pod>('v1', 'pods', 'Pod')
export const services = resourceRef<Service>('v1', 'services', 'Service')
export const nodes = resourceRef<Node>('v1', 'nodes', 'Node', 'Cluster')
export const namespaces = resourceRef<Namespace>('v1', 'namespaces', 'Namespace', 'Cluster')
export const endpoints = resourceRef<Endpoints>('v1', 'endpoints', 'Endpoints')
export const configMaps = resourceRef<ConfigMap>('v1', 'configmaps', 'ConfigMap')
export const secrets = resourceRef<Secret>('v1', 'secrets', 'Secret')
export const serviceAccounts = resourceRef<ServiceAccount>('v1', 'serviceaccounts', 'ServiceAccount')
export const events = resourceRef<Event>('v1', 'events', 'Event')
export const replicationControllers = resourceRef<ReplicationController>(
  'v1',
  'replicationcontrollers',
  'ReplicationController',
)
export const limitRanges = resourceRef<LimitRange>('v1', 'limitranges', 'LimitRange')
export const resourceQuotas = resourceRef<ResourceQuota>('v1', 'resourcequotas', 'ResourceQuota')
export const persistentVolumes = resourceRef<PersistentVolume>('v1', 'persistentvolumes', 'PersistentVolume', 'Cluster')
export const persistentVolumeClaims = resourceRef<PersistentVolumeClaim>(
  'v1',
  'persistentvolumeclaims',
  'PersistentVolumeClaim',
)

export const deployments = resourceRef<Deployment>('apps/v1', 'deployments', 'Deployment')
export const replicaSets = resourceRef<ReplicaSet>('apps/v1', 'replicasets', 'ReplicaSet')
export const daemonSets = resourceRef<DaemonSet>('apps/v1', 'daemonsets', 'DaemonSet')
export const statefulSets = resourceRef<StatefulSet>('apps/v1', 'statefulsets', 'StatefulSet')
export const controllerRevisions = resourceRef<ControllerRevision>(
  'apps/v1',
  'controllerrevisions',
  'ControllerRevision',
)
export const jobs = resourceRef<Job>('batch/v1', 'jobs', 'Job')
export const cronJobs = resourceRef<CronJob>('batch/v1', 'cronjobs', 'CronJob')
export const horizontalPodAutoscalers = resourceRef<AutoscalingV2HorizontalPodAutoscaler>(
  'autoscaling/v2',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
)
export const podDisruptionBudgets = resourceRef<PodDisruptionBudget>(
  'policy/v1',
  'poddisruptionbudgets',
  'PodDisruptionBudget',
)

export const endpointSlices = resourceRef<EndpointSlice>('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice')
export const ingresses = resourceRef<Ingress>('networking.k8s.io/v1', 'ingresses', 'Ingress')
export const networkPolicies = resourceRef<NetworkPolicy>('networking.k8s.io/v1', 'networkpolicies', 'NetworkPolicy')
export const serviceCidrs = resourceRef<NetworkingV1ServiceCIDR>(
  'networking.k8s.io/v1',
  'servicecidrs',
  'ServiceCIDR',
  'Cluster',
)
export const ipAddresses = resourceRef<NetworkingV1IPAddress>(
  'networking.k8s.io/v1',
  'ipaddresses',
  'IPAddress',
  'Cluster',
)
export const leases = resourceRef<Lease>('coordination.k8s.io/v1', 'leases', 'Lease')

export const roles = resourceRef<Role>('rbac.authorization.k8s.io/v1', 'roles', 'Role')
export const roleBindings = resourceRef<RoleBinding>('rbac.authorization.k8s.io/v1', 'rolebindings', 'RoleBinding')
export const clusterRoles = resourceRef<ClusterRole>(
  'rbac.authorization.k8s.io/v1',
  'clusterroles',
  'ClusterRole',
  'Cluster',
)
export const clusterRoleBindings = resourceRef<ClusterRoleBinding>(
  'rbac.authorization.k8s.io/v1',
  'clusterrolebindings',
  'ClusterRoleBinding',
  'Cluster',
)

export const storageClasses = resourceRef<StorageClass>(
  'storage.k8s.io/v1',
  'storageclasses',
  'StorageClass',
  'Cluster',
)
export const csiDrivers = resourceRef<CSIDriver>('storage.k8s.io/v1', 'csidrivers', 'CSIDriver', 'Cluster')
export const csiStorageCapacities = resourceRef<CSIStorageCapacity>(
  'storage.k8s.io/v1',
  'csistoragecapacities',
  'CSIStorageCapacity',
)
export const volumeAttributesClasses = resourceRef<StorageV1VolumeAttributesClass>(
  'storage.k8s.io/v1',
  'volumeattributesclasses',
  'VolumeAttributesClass',
  'Cluster',
)
export const volumeAttachments = resourceRef<VolumeAttachment>(
  'storage.k8s.io/v1',
  'volumeattachments',
  'VolumeAttachment',
  'Cluster',
)
export const csiNodes = resourceRef<CSINode>('storage.k8s.io/v1', 'csinodes', 'CSINode', 'Cluster')
export const priorityClasses = resourceRef<PriorityClass>(
  'scheduling.k8s.io/v1',
  'priorityclasses',
  'PriorityClass',
  'Cluster',
)
export const runtimeClasses = resourceRef<RuntimeClass>('node.k8s.io/v1', 'runtimeclasses', 'RuntimeClass', 'Cluster')
export const customResourceDefinitions = resourceRef<CustomResourceDefinition>(
  'apiextensions.k8s.io/v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  'Cluster',
)
export const apiServices = resourceRef<APIService>('apiregistration.k8s.io/v1', 'apiservices', 'APIService', 'Cluster')

export const resourceClaims = resourceRef<ResourceV1ResourceClaim>(
  'resource.k8s.io/v1',
  'resourceclaims',
  'ResourceClaim',
)
export const resourceClaimTemplates = resourceRef<ResourceV1ResourceClaimTemplate>(
  'resource.k8s.io/v1',
  'resourceclaimtemplates',
  'ResourceClaimTemplate',
)

export const resourceSlices = resourceRef<ResourceV1ResourceSlice>(
  'resource.k8s.io/v1',
  'resourceslices',
  'ResourceSlice',
  'Cluster',
)
export const deviceClasses = resourceRef<ResourceV1DeviceClass>(
  'resource.k8s.io/v1',
  'deviceclasses',
  'DeviceClass',
  'Cluster',
)

export const certificateSigningRequests = resourceRef<CertificateSigningRequest>(
  'certificates.k8s.io/v1',
  'certificatesigningrequests',
  'CertificateSigningRequest',
  'Cluster',
)

export const validatingAdmissionPolicies = resourceRef<ValidatingAdmissionPolicy>(
  'admissionregistration.k8s.io/v1',
  'validatingadmissionpolicies',
  'ValidatingAdmissionPolicy',
  'Cluster',
)

export const labs = resourceRef<Lab>('lab.orrery.dev/v1alpha1', 'labs', 'Lab', 'Cluster')
export const machines = resourceRef<Machine>('lab.orrery.dev/v1alpha1', 'machines', 'Machine', 'Cluster')
export const images = resourceRef<Image>('lab.orrery.dev/v1alpha1', 'images', 'Image', 'Cluster')
export const schedulingDecisions = resourceRef<SchedulingDecision>(
  'lab.orrery.dev/v1alpha1',
  'schedulingdecisions',
  'SchedulingDecision',
)
