// What must exist before anybody can be let in: the system namespaces and priority classes, the standard roles with their bindings, the API's own Service.
import type { PriorityClass, Service } from '../../../common/api/generated/types.ts'
import { jsonEqual } from '../../../common/machinery/json.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { UserInfo } from '../apiserver.ts'
import { numberToAddress, rangeOf } from '../../../common/machinery/addresses.ts'
import { systemPriorities } from '../../kinds/scheduling/priority-class.ts'
import { createObject } from '../registry/create.ts'
import type { StoredObject } from '../registry/stored-object.ts'
import { updateObject } from '../registry/update.ts'
import { readStored, type Registry } from '../registry/context.ts'
import { flowControlGroup, flowControlObjects } from '../flow-control/bootstrap-objects.ts'
import { ensureAddresses, ensureServiceCidr } from '../bootstrap/service-network.ts'
import { clusterRoleBindingObject, clusterRoleObject, clusterRoles } from './policy/cluster-roles.ts'
import { namespacedRoles, roleBindingObject, roleObject } from './policy/namespaced-roles.ts'
import { autoUpdateAnnotation } from './policy/metadata.ts'
import { rbacGroup } from './rbac.ts'

export const apiServerUser: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }
const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

/** Creates what is missing, and adds to roles what they lack; may be run by several engines on one store. */
export async function ensureBootstrapPolicy(registry: Registry): Promise<void> {
  await Promise.all(
    systemNamespaces.map((name) =>
      ensure(registry, '', 'v1', 'namespaces', '', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
    ),
  )
  await Promise.all([
    ...clusterRoles.map((role) => ensure(registry, rbacGroup, 'v1', 'clusterroles', '', clusterRoleObject(role))),
    ...clusterRoles
      .filter(({ subjects }) => subjects !== undefined)
      .map((role) => ensure(registry, rbacGroup, 'v1', 'clusterrolebindings', '', clusterRoleBindingObject(role))),
    ...namespacedRoles.map((role) => ensure(registry, rbacGroup, 'v1', 'roles', role.namespace, roleObject(role))),
    ...namespacedRoles
      .filter(({ binding }) => binding !== undefined)
      .map((role) => ensure(registry, rbacGroup, 'v1', 'rolebindings', role.namespace, roleBindingObject(role))),
    ...flowControlObjects().map(({ plural, object }) => ensure(registry, flowControlGroup, 'v1', plural, '', object)),
    ...systemPriorityClasses().map((object) =>
      ensure(registry, 'scheduling.k8s.io', 'v1', 'priorityclasses', '', object),
    ),
    ensureServiceNetwork(registry),
  ])
}

const priorityDescriptions: Readonly<Record<string, string>> = {
  'system-cluster-critical': 'For pods the cluster cannot do without, wherever they run.',
  'system-node-critical': 'For pods their node cannot do without.',
}

const systemPriorityClasses = (): KubeObject[] =>
  Object.entries(systemPriorities).map(([name, value]): KubeObject & PriorityClass => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value,
    description: priorityDescriptions[name] ?? '',
  }))

/** The service range first: the Service takes its address from it. */
async function ensureServiceNetwork(registry: Registry): Promise<void> {
  await ensureServiceCidr(registry, (object) => ensure(registry, 'networking.k8s.io', 'v1', 'servicecidrs', '', object))
  await ensure(registry, '', 'v1', 'services', 'default', kubernetesService(registry))
  await ensureAddresses(registry)
}

async function ensure(
  registry: Registry,
  group: string,
  version: string,
  plural: string,
  namespace: string,
  object: KubeObject,
): Promise<void> {
  const resource = registry.resources.find(group, version, plural)
  // A control plane composed without this kind has no use for its objects.
  if (resource === undefined) return
  const name = object.metadata.name ?? ''
  const present = readStored(registry, resource, namespace, name)?.object
  const request = { user: apiServerUser, dryRun: false, fieldManager: 'orrery', warn: () => undefined }
  try {
    if (present === undefined) {
      await createObject(registry, resource, { namespace, object: structuredClone(object), request })
      return
    }
    if (group !== rbacGroup || !lacksPart(present, object)) return
    const { update: strategy } = resource.kind
    const change = (current: StoredObject): KubeObject => withParts(current.copy(), object)
    await updateObject(registry, resource, { namespace, name, subresource: '', strategy, change, request })
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error
  }
}

interface RolePart {
  readonly rules?: readonly unknown[]
  readonly subjects?: readonly unknown[]
}
const partNames = ['rules', 'subjects'] as const

const missingParts = (present: KubeObject & RolePart, wanted: KubeObject & RolePart, part: keyof RolePart): unknown[] =>
  (wanted[part] ?? []).filter((each) => !(present[part] ?? []).some((has) => jsonEqual(has, each)))

/** Of roles and bindings from an earlier version, unless a person has taken them over: what this one adds is added to them. */
const lacksPart = (present: KubeObject, wanted: KubeObject): boolean =>
  present.metadata.annotations?.[autoUpdateAnnotation] === 'true' &&
  partNames.some((part) => missingParts(present, wanted, part).length > 0)

function withParts(
  object: KubeObject & { -readonly [K in keyof RolePart]: RolePart[K] },
  wanted: KubeObject,
): KubeObject {
  for (const part of partNames) {
    const missing = missingParts(object, wanted, part)
    if (missing.length > 0) object[part] = [...(object[part] ?? []), ...structuredClone(missing)]
  }
  return object
}

/** kubernetes.default: always the first address of the service range. */
function kubernetesService(registry: Registry): KubeObject & Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: firstAddress(registry.cluster.serviceCIDRs[0] ?? ''),
      // What answers at this address on every node listens on the service's own port.
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 443 }],
    },
  }
}

function firstAddress(cidr: string): string {
  const { first, family } = rangeOf(cidr)
  return numberToAddress(first + 1n, family)
}
