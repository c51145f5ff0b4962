// The one list of built-in kinds. Discovery, routes, OpenAPI, tables and the support table derive from it.
import type { KindDefinition } from './kind.ts'
import { mutatingAdmissionPolicy } from './admissionregistration/mutating-admission-policy.ts'
import {
  mutatingAdmissionPolicyBinding,
  validatingAdmissionPolicyBinding,
} from './admissionregistration/policy-bindings.ts'
import { validatingAdmissionPolicy } from './admissionregistration/validating-admission-policy.ts'
import {
  mutatingWebhookConfiguration,
  validatingWebhookConfiguration,
} from './admissionregistration/webhook-configurations.ts'
import { customResourceDefinition } from './apiextensions/custom-resource-definition/index.ts'
import { apiService } from './apiregistration/api-service.ts'
import { controllerRevision } from './apps/controller-revision.ts'
import { daemonSet } from './apps/daemon-set.ts'
import { deployment } from './apps/deployment/index.ts'
import { replicaSet } from './apps/replica-set.ts'
import { statefulSet } from './apps/stateful-set/index.ts'
import { horizontalPodAutoscalerV1 } from './autoscaling/horizontal-pod-autoscaler-v1.ts'
import { horizontalPodAutoscaler } from './autoscaling/horizontal-pod-autoscaler.ts'
import { cronJob } from './batch/cron-job/index.ts'
import { job } from './batch/job/index.ts'
import { certificateSigningRequest } from './certificates/certificate-signing-request/index.ts'
import { lease } from './coordination/lease.ts'
import { binding } from './core/binding.ts'
import { componentStatus } from './core/component-status.ts'
import { configMap } from './core/config-map.ts'
import { endpoints } from './core/endpoints.ts'
import { event } from './core/event/index.ts'
import { limitRange } from './core/limit-range.ts'
import { namespace } from './core/namespace/index.ts'
import { node } from './core/node/index.ts'
import { persistentVolumeClaim } from './core/persistent-volume-claim.ts'
import { persistentVolume } from './core/persistent-volume.ts'
import { pod } from './core/pod/index.ts'
import { podTemplate } from './core/pod-template.ts'
import { replicationController } from './core/replication-controller.ts'
import { resourceQuota } from './core/resource-quota.ts'
import { secret } from './core/secret/index.ts'
import { service } from './core/service/index.ts'
import { serviceAccount } from './core/service-account.ts'
import { endpointSlice } from './discovery/endpoint-slice.ts'
import { eventsEvent } from './events/event.ts'
import { flowSchema } from './flowcontrol/flow-schema.ts'
import { priorityLevelConfiguration } from './flowcontrol/priority-level-configuration.ts'
import { image } from './lab/image.ts'
import { lab } from './lab/lab.ts'
import { machine } from './lab/machine.ts'
import { schedulingDecision } from './lab/scheduling-decision.ts'
import { ingressClass } from './networking/ingress-class.ts'
import { ingress } from './networking/ingress.ts'
import { ipAddress } from './networking/ip-address.ts'
import { networkPolicy } from './networking/network-policy.ts'
import { serviceCidr } from './networking/service-cidr.ts'
import { runtimeClass } from './node/runtime-class.ts'
import { podDisruptionBudget } from './policy/pod-disruption-budget.ts'
import { clusterRoleBinding, roleBinding } from './rbac/binding.ts'
import { clusterRole, role } from './rbac/role.ts'
import { deviceClass } from './resource/device-class.ts'
import { resourceClaimTemplate } from './resource/resource-claim-template.ts'
import { resourceClaim } from './resource/resource-claim.ts'
import { resourceSlice } from './resource/resource-slice.ts'
import { priorityClass } from './scheduling/priority-class.ts'
import { csiDriver } from './storage/csi-driver.ts'
import { csiNode } from './storage/csi-node.ts'
import { csiStorageCapacity } from './storage/csi-storage-capacity.ts'
import { storageClass } from './storage/storage-class.ts'
import { volumeAttachment } from './storage/volume-attachment.ts'
import { volumeAttributesClass } from './storage/volume-attributes-class.ts'

export const builtinKinds: readonly KindDefinition[] = [
  namespace,
  node,
  pod,
  service,
  endpoints,
  configMap,
  secret,
  serviceAccount,
  event,
  eventsEvent,
  endpointSlice,
  lease,
  deployment,
  replicaSet,
  daemonSet,
  controllerRevision,
  statefulSet,
  replicationController,
  job,
  cronJob,
  horizontalPodAutoscaler,
  horizontalPodAutoscalerV1,
  podDisruptionBudget,
  ingress,
  ingressClass,
  networkPolicy,
  persistentVolume,
  persistentVolumeClaim,
  storageClass,
  runtimeClass,
  podTemplate,
  limitRange,
  resourceQuota,
  priorityClass,
  role,
  clusterRole,
  roleBinding,
  clusterRoleBinding,
  customResourceDefinition,
  binding,
  componentStatus,
  validatingWebhookConfiguration,
  mutatingWebhookConfiguration,
  validatingAdmissionPolicy,
  validatingAdmissionPolicyBinding,
  mutatingAdmissionPolicy,
  mutatingAdmissionPolicyBinding,
  apiService,
  certificateSigningRequest,
  flowSchema,
  priorityLevelConfiguration,
  ipAddress,
  serviceCidr,
  deviceClass,
  resourceClaim,
  resourceClaimTemplate,
  resourceSlice,
  csiDriver,
  csiNode,
  csiStorageCapacity,
  volumeAttachment,
  volumeAttributesClass,
  lab,
  machine,
  image,
  schedulingDecision,
]
