// Pure: the Node object of a hollow node. It looks like a kubelet's in shape and says everywhere that nothing runs behind it.
import { createHash } from 'node:crypto'
import type { Lease, Node, NodeCondition, NodeStatus, Quantity, Taint } from '../../common/api/generated/types.ts'
import { gitVersion } from '../../common/api/kubernetes-version.ts'
import { formatMicroTime, formatTime } from '../../common/machinery/clock.ts'
import type { NodeAddresses } from './addresses.ts'

export const hollowLabel = 'lab.orrery.dev/hollow'
const hollowVersion = `${gitVersion}-hollow`
const osImage = 'Hollow node (simulated, runs nothing)'
const leaseNamespace = 'kube-node-lease'
const leaseSeconds = 40

export interface HollowNodeSpec {
  arch: string
  /** Quantities as in a Node's capacity. */
  cpu: string
  memory: string
  ephemeralStorage: string
  pods: number
  labels: Readonly<Record<string, string>>
  taints: readonly Taint[]
}

export function hollowNode(name: string, spec: HollowNodeSpec, addresses: NodeAddresses, nowMs: number): Node {
  const { podCIDR } = addresses
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/arch': spec.arch,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/hostname': name,
        'beta.kubernetes.io/arch': spec.arch,
        'beta.kubernetes.io/os': 'linux',
        'node.kubernetes.io/instance-type': 'hollow',
        ...spec.labels,
        [hollowLabel]: 'true',
      },
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: {
      podCIDR,
      podCIDRs: [podCIDR],
      providerID: `hollow://${name}`,
      ...(spec.taints.length === 0 ? {} : { taints: [...spec.taints] }),
    },
    status: hollowStatus(name, spec, addresses.address, nowMs),
  }
}

function hollowStatus(name: string, spec: HollowNodeSpec, address: string, nowMs: number): NodeStatus {
  const resources = {
    cpu: spec.cpu,
    memory: spec.memory,
    pods: String(spec.pods),
    'ephemeral-storage': spec.ephemeralStorage,
  }
  const id = createHash('sha256').update(`hollow ${name}`).digest('hex').slice(0, 32)
  const uuid = [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join('-')
  return {
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
    capacity: resources,
    allocatable: resources,
    conditions: hollowConditions([], nowMs),
    // There is no kubelet to speak to: logs, exec and stats of a hollow node are refused, not made up.
    daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
    nodeInfo: {
      architecture: spec.arch,
      bootID: uuid,
      containerRuntimeVersion: `hollow://${hollowVersion}`,
      kernelVersion: 'hollow',
      kubeProxyVersion: hollowVersion,
      kubeletVersion: hollowVersion,
      machineID: id,
      operatingSystem: 'linux',
      osImage,
      systemUUID: uuid,
    },
    images: [],
  }
}

const wellbeing: readonly [type: string, status: string, reason: string, message: string][] = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'hollow node is posting ready status'],
]

export function hollowConditions(previous: readonly NodeCondition[], nowMs: number): NodeCondition[] {
  const now = formatTime(nowMs)
  return wellbeing.map(([type, status, reason, message]) => {
    const old = previous.find((condition) => condition.type === type)
    const lastTransitionTime = old?.status === status ? (old.lastTransitionTime ?? now) : now
    return { type, status, reason, message, lastHeartbeatTime: now, lastTransitionTime }
  })
}

/** Someone (the node controller, after a silence) says otherwise than the node itself, or has given it an extended resource. */
export function isContradicted(node: Node): boolean {
  return (
    Object.keys(extendedAllocatable(node)).length > 0 ||
    wellbeing.some(
      ([type, status]) => node.status?.conditions?.find((condition) => condition.type === type)?.status !== status,
    )
  )
}

/** A merge patch of allocatable: extended resources (example.com/dongle) follow the capacity, by which they are advertised. */
export function extendedAllocatable({ status }: Node): Record<string, Quantity | null> {
  const { capacity = {}, allocatable = {} } = status ?? {}
  const changes: Record<string, Quantity | null> = {}
  for (const name of new Set([...Object.keys(capacity), ...Object.keys(allocatable)])) {
    if (name.includes('/') && capacity[name] !== allocatable[name]) changes[name] = capacity[name] ?? null
  }
  return changes
}

export function hollowLease(node: Node, nowMs: number, previous?: Lease): Lease {
  const { name = '', uid = '' } = node.metadata
  const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime: formatMicroTime(nowMs) }
  if (previous !== undefined) return { ...previous, spec: { ...previous.spec, ...spec } }
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: leaseNamespace, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] },
    spec,
  }
}
