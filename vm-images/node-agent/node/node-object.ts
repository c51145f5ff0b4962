// The Node object as this agent writes it: metadata at registration, status as it changes. Pure.
import { gitVersion } from '../../../common/api/kubernetes-version.ts'
import type { ContainerImage, Node, NodeCondition, NodeStatus } from '../../../common/api/generated/types.ts'
import type { GuestConfig } from '../../../common/channel/guest-config.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { MachineFacts, Pressure } from './node-facts.ts'

export interface NodeStatusInput {
  config: GuestConfig
  facts: MachineFacts
  pressure: Pressure
  /** Why the node cannot run pods now; undefined when it can. */
  problem: string | undefined
  runtimeVersion: string
  images: readonly ContainerImage[]
  now: number
  previous: readonly NodeCondition[]
}

const maxPods = '110'

export function nodeLabels({ config, facts }: { config: GuestConfig; facts: MachineFacts }): Record<string, string> {
  return {
    'kubernetes.io/arch': facts.architecture,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/hostname': config.machine,
    'node.kubernetes.io/instance-type': 'orrery-vm',
    'beta.kubernetes.io/arch': facts.architecture,
    'beta.kubernetes.io/os': 'linux',
    ...config.labels,
  }
}

export function newNode(config: GuestConfig, facts: MachineFacts, status: NodeStatus): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: config.machine,
      labels: nodeLabels({ config, facts }),
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: {
      podCIDR: config.cluster.podCIDR,
      podCIDRs: [config.cluster.podCIDR],
      providerID: `orrery://${config.machine}`,
      ...(config.taints.length === 0 ? {} : { taints: config.taints }),
    },
    status,
  }
}

const mib = (bytes: number): string => `${String(Math.floor(bytes / 1024))}Ki`

export function nodeStatus(input: NodeStatusInput): NodeStatus {
  const { config, facts, runtimeVersion } = input
  return {
    addresses: [
      { type: 'InternalIP', address: facts.address },
      { type: 'Hostname', address: config.machine },
    ],
    capacity: {
      cpu: String(facts.cpus),
      memory: mib(facts.memoryBytes),
      pods: maxPods,
      'ephemeral-storage': mib(facts.diskBytes),
    },
    allocatable: {
      cpu: String(facts.cpus),
      memory: mib(facts.allocatableMemoryBytes),
      pods: maxPods,
      'ephemeral-storage': String(facts.allocatableDiskBytes),
    },
    conditions: conditions(input),
    daemonEndpoints: { kubeletEndpoint: { Port: config.agent.port } },
    nodeInfo: {
      architecture: facts.architecture,
      bootID: facts.bootId,
      containerRuntimeVersion: `containerd://${runtimeVersion}`,
      kernelVersion: facts.kernelVersion,
      kubeProxyVersion: gitVersion,
      kubeletVersion: gitVersion,
      machineID: facts.machineId,
      operatingSystem: 'linux',
      osImage: facts.osImage,
      systemUUID: config.machineUid,
    },
    images: [...input.images],
  }
}

function conditions({ pressure, problem, now, previous }: NodeStatusInput): NodeCondition[] {
  const own: { type: string; status: boolean; reason: string; message: string }[] = [
    pressure.memory
      ? {
          type: 'MemoryPressure',
          status: true,
          reason: 'KubeletHasInsufficientMemory',
          message: 'kubelet has insufficient memory available',
        }
      : {
          type: 'MemoryPressure',
          status: false,
          reason: 'KubeletHasSufficientMemory',
          message: 'kubelet has sufficient memory available',
        },
    pressure.disk
      ? { type: 'DiskPressure', status: true, reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure' }
      : {
          type: 'DiskPressure',
          status: false,
          reason: 'KubeletHasNoDiskPressure',
          message: 'kubelet has no disk pressure',
        },
    pressure.pids
      ? {
          type: 'PIDPressure',
          status: true,
          reason: 'KubeletHasInsufficientPID',
          message: 'kubelet has insufficient PID available',
        }
      : {
          type: 'PIDPressure',
          status: false,
          reason: 'KubeletHasSufficientPID',
          message: 'kubelet has sufficient PID available',
        },
    problem === undefined
      ? { type: 'Ready', status: true, reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : { type: 'Ready', status: false, reason: 'KubeletNotReady', message: problem },
  ]
  return own.map(({ status, ...rest }) => {
    const text = status ? 'True' : 'False'
    const old = previous.find(({ type }) => type === rest.type)
    return {
      ...rest,
      status: text,
      lastHeartbeatTime: formatTime(now),
      lastTransitionTime:
        old?.status === text && old.lastTransitionTime !== undefined ? old.lastTransitionTime : formatTime(now),
    }
  })
}
