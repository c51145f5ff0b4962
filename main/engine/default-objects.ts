// What a new cluster holds before anyone asks, beside what the API server itself makes: the DNS Service, the Lab, a StorageClass.
// Creating is idempotent; what a person changed or deleted later (the Lab's spec) is left alone.
import type { KubeObject } from '../../common/machinery/meta.ts'
import { isReason } from '../../common/machinery/status.ts'
import type { ClusterRole, ClusterRoleBinding, Service, StorageClass } from '../../common/api/generated/types.ts'
import { labApiVersion, type Lab } from '../../common/api/lab/v1alpha1.ts'
import { localPathProvisioner } from '../../common/channel/local-path.ts'
import type { KubeClient, ResourceRef } from '../../common/client/client.ts'
import { clusterRoleBindings, clusterRoles, labs, services, storageClasses } from '../../common/client/resources.ts'
import { nodeAgentRules } from '../apiserver/auth/policy/node-rules.ts'
import type { ClusterNetwork } from './cluster-network.ts'

async function ensure<T extends KubeObject>(client: KubeClient, ref: ResourceRef<T>, object: T): Promise<void> {
  try {
    await client.create(ref, object)
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error
  }
}

const dnsService = (clusterIP: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'kube-dns',
    namespace: 'kube-system',
    labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/name': 'CoreDNS' },
    annotations: { 'lab.orrery.dev/served-by': 'the node agent on every node, at this address' },
  },
  spec: {
    type: 'ClusterIP',
    clusterIP,
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
      { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
    ],
  },
})

/** The class of claims that name none. Volumes of it are folders on the node whose pod uses them first. */
const standardClass: StorageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: localPathProvisioner,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
}

const agentRoleName = 'orrery:node-agent'
const agentRole: ClusterRole = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: agentRoleName },
  rules: nodeAgentRules,
}
const agentBinding: ClusterRoleBinding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: agentRoleName },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: agentRoleName },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
}

/** `machines`: there are nodes that run this program's agent. */
export async function ensureDefaultObjects(
  client: KubeClient,
  { network, machines }: { readonly network: ClusterNetwork; readonly machines: boolean },
): Promise<void> {
  const lab: Lab = {
    apiVersion: labApiVersion,
    kind: 'Lab',
    metadata: { name: 'default' },
    spec: { powerState: 'Running' },
  }
  await Promise.all([
    ...(network.dnsAddress === undefined ? [] : [ensure(client, services, dnsService(network.dnsAddress))]),
    ensure(client, labs, lab),
    ensure(client, storageClasses, standardClass),
    ...(machines ? [ensure(client, clusterRoles, agentRole), ensure(client, clusterRoleBindings, agentBinding)] : []),
  ])
}
