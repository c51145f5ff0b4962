// The one list of controllers. A controller is a folder beside this file and a line here.
import { newAttachDetachController } from './attach-detach/index.ts'
import { newBootstrapSignerController, newTokenCleanerController } from './bootstrap-tokens/index.ts'
import {
  newCsrApprovingController,
  newCsrCleanerController,
  newCsrSigningController,
} from './certificate-requests/index.ts'
import { newClusterRoleAggregationController } from './cluster-role-aggregation/index.ts'
import { newCronJobController } from './cron-job/index.ts'
import { newDaemonSetController } from './daemon-set/index.ts'
import { newDeploymentController } from './deployment/index.ts'
import { newDeviceTaintEvictionController } from './device-taint-eviction/index.ts'
import { newDisruptionController } from './disruption/index.ts'
import { newEndpointSliceMirroringController } from './endpoint-slice-mirroring/index.ts'
import { newEndpointSliceController } from './endpoint-slices/index.ts'
import { newEndpointsController } from './endpoints/index.ts'
import { newEphemeralVolumeController } from './ephemeral-volumes/index.ts'
import { newGarbageCollector } from './garbage-collector/index.ts'
import { newHorizontalPodAutoscalerController } from './horizontal-pod-autoscaler/index.ts'
import { newJobController } from './job/index.ts'
import { newLocalPathProvisioner } from './local-path-provisioner/index.ts'
import { newNamespaceController } from './namespace/index.ts'
import { newNodeIpamController } from './node-ipam/index.ts'
import { newNodeLifecycleController } from './node-lifecycle/index.ts'
import { newPodGcController } from './pod-gc/index.ts'
import { newReplicaSetController } from './replica-set/index.ts'
import { newResourceClaimController } from './resource-claims/index.ts'
import { newResourceQuotaController } from './resource-quota/index.ts'
import { newRootCaPublisher } from './root-ca-publisher/index.ts'
import { newReplicationControllerController } from './replication-controller/index.ts'
import type { ControllerFactory } from './runtime/deps.ts'
import { newServiceAccountController } from './service-account/index.ts'
import { newServiceAccountTokenController } from './service-account-tokens/index.ts'
import { newServiceAddressRepair } from './service-addresses/index.ts'
import { newServiceCidrController } from './service-cidrs/index.ts'
import { newStatefulSetController } from './stateful-set/index.ts'
import { newTaintEvictionController } from './taint-eviction/index.ts'
import { newTtlController } from './ttl/index.ts'
import { newTtlAfterFinishedController } from './ttl-after-finished/index.ts'
import { newValidatingAdmissionPolicyStatusController } from './validating-admission-policy-status/index.ts'
import { newVolumeBinder } from './volume-binder/index.ts'
import { newVolumeExpander } from './volume-expander/index.ts'
import {
  newAttributesClassProtectionController,
  newClaimProtectionController,
  newVolumeProtectionController,
} from './volume-protection/index.ts'

export interface ControllerEntry {
  /** As kube-controller-manager calls it; what `--controllers` takes. */
  name: string
  /** The name of kube-controller-manager before 1.28, which `--controllers` takes as well. */
  alias?: string
  /** Runs when nobody says otherwise ("*" means these). */
  onByDefault: boolean
  create: ControllerFactory
}

const on = (name: string, alias: string, create: ControllerFactory): ControllerEntry => ({
  name,
  alias,
  onByDefault: true,
  create,
})

const off = (name: string, alias: string, create: ControllerFactory): ControllerEntry => ({
  ...on(name, alias, create),
  onByDefault: false,
})

export const controllerList: readonly ControllerEntry[] = [
  on('namespace-controller', 'namespace', newNamespaceController),
  on('serviceaccount-controller', 'serviceaccount', newServiceAccountController),
  on('serviceaccount-token-controller', 'serviceaccount-token', newServiceAccountTokenController),
  on('root-ca-certificate-publisher-controller', 'root-ca-cert-publisher', newRootCaPublisher),
  on('clusterrole-aggregation-controller', 'clusterrole-aggregation', newClusterRoleAggregationController),
  on('deployment-controller', 'deployment', newDeploymentController),
  on('replicaset-controller', 'replicaset', newReplicaSetController),
  on('replicationcontroller-controller', 'replicationcontroller', newReplicationControllerController),
  on('daemonset-controller', 'daemonset', newDaemonSetController),
  on('statefulset-controller', 'statefulset', newStatefulSetController),
  on('job-controller', 'job', newJobController),
  on('horizontal-pod-autoscaler-controller', 'horizontalpodautoscaling', newHorizontalPodAutoscalerController),
  on('disruption-controller', 'disruption', newDisruptionController),
  on('ttl-controller', 'ttl', newTtlController),
  on('ttl-after-finished-controller', 'ttl-after-finished', newTtlAfterFinishedController),
  on('cronjob-controller', 'cronjob', newCronJobController),
  on('endpoints-controller', 'endpoint', newEndpointsController),
  on('endpointslice-controller', 'endpointslice', newEndpointSliceController),
  on('endpointslice-mirroring-controller', 'endpointslicemirroring', newEndpointSliceMirroringController),
  on('resourcequota-controller', 'resourcequota', newResourceQuotaController),
  on(
    'validatingadmissionpolicy-status-controller',
    'validatingadmissionpolicy-status',
    newValidatingAdmissionPolicyStatusController,
  ),
  on('garbage-collector-controller', 'garbagecollector', newGarbageCollector),
  on('node-ipam-controller', 'nodeipam', newNodeIpamController),
  on('node-lifecycle-controller', 'nodelifecycle', newNodeLifecycleController),
  on('taint-eviction-controller', 'taint-eviction', newTaintEvictionController),
  { name: 'device-taint-eviction-controller', onByDefault: true, create: newDeviceTaintEvictionController },
  { name: 'service-cidr-controller', onByDefault: true, create: newServiceCidrController },
  on('resourceclaim-controller', 'resource-claim-controller', newResourceClaimController),
  on('certificatesigningrequest-signing-controller', 'csrsigning', newCsrSigningController),
  on('certificatesigningrequest-approving-controller', 'csrapproving', newCsrApprovingController),
  on('certificatesigningrequest-cleaner-controller', 'csrcleaner', newCsrCleanerController),
  on('persistentvolume-binder-controller', 'persistentvolume-binder', newVolumeBinder),
  on('persistentvolume-expander-controller', 'persistentvolume-expander', newVolumeExpander),
  on('persistentvolume-attach-detach-controller', 'attachdetach', newAttachDetachController),
  on('persistentvolumeclaim-protection-controller', 'pvc-protection', newClaimProtectionController),
  on('persistentvolume-protection-controller', 'pv-protection', newVolumeProtectionController),
  {
    name: 'volumeattributesclass-protection-controller',
    onByDefault: true,
    create: newAttributesClassProtectionController,
  },
  on('ephemeral-volume-controller', 'ephemeral-volume', newEphemeralVolumeController),
  // Not of kube-controller-manager: part of kube-apiserver elsewhere.
  { name: 'ipallocator-repair-controller', onByDefault: true, create: newServiceAddressRepair },
  // Not of kube-controller-manager: other clusters run a provisioner beside it.
  { name: 'local-path-provisioner', onByDefault: true, create: newLocalPathProvisioner },
  off('bootstrap-signer-controller', 'bootstrapsigner', newBootstrapSignerController),
  off('token-cleaner-controller', 'tokencleaner', newTokenCleanerController),
  on('pod-garbage-collector-controller', 'podgc', newPodGcController),
]

/** Further ones of kube-controller-manager. There is nothing of them to run here, so "-name" is no mistake. */
const elsewhere: ReadonlySet<string> = new Set([
  'cloud-node-lifecycle-controller',
  'cloud-node-lifecycle',
  'device-taint-eviction-controller',
  'kube-apiserver-serving-clustertrustbundle-publisher-controller',
  'legacy-serviceaccount-token-cleaner-controller',
  'legacy-service-account-token-cleaner',
  'node-route-controller',
  'route',
  'podcertificaterequest-cleaner-controller',
  'selinux-warning-controller',
  'service-lb-controller',
  'service',
  'storage-version-migrator-controller',
  'storageversion-garbage-collector-controller',
  'storage-version-gc',
])

/**
 * Which of the list to run, in upstream's notation: "*" all that are on by default, "name" that one, "-name" not that one; the first
 * that names a controller decides. Throws TypeError when a name is not in the list.
 */
export function selectControllers(
  wanted: readonly string[] = ['*'],
  list: readonly ControllerEntry[] = controllerList,
): readonly ControllerEntry[] {
  const known = new Map(list.flatMap(({ name, alias = name }) => [[name, name] as const, [alias, name] as const]))
  const verdicts = new Map<string, boolean>()
  for (const item of wanted) {
    if (item === '*') continue
    if (item.startsWith('-') && elsewhere.has(item.slice(1))) continue
    const name = known.get(item.replace(/^-/, ''))
    if (name === undefined)
      throw new TypeError(
        `"${item.replace(/^-/, '')}" is not in the list of known controllers: ${list.map(({ name: n }) => n).join(', ')}`,
      )
    if (!verdicts.has(name)) verdicts.set(name, !item.startsWith('-'))
  }
  const all = wanted.includes('*')
  return list.filter(({ name, onByDefault }) => verdicts.get(name) ?? (all && onByDefault))
}
