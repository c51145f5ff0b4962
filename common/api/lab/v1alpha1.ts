// lab.orrery.dev/v1alpha1: what Orrery adds to the Kubernetes API. Cluster-scoped, written as desired state, reconciled by main/lab.
import type { ObjectMeta } from '../generated/types.ts'
import type { Condition } from '../generated/types.ts'
import type { GuestArch } from '../../channel/guest-config.ts'

export const labGroup = 'lab.orrery.dev'
export const labVersion = 'v1alpha1'
export const labApiVersion = 'lab.orrery.dev/v1alpha1'

/** The lab as a whole; exactly one, named "default". */
export interface Lab {
  apiVersion: 'lab.orrery.dev/v1alpha1'
  kind: 'Lab'
  metadata: ObjectMeta
  spec: LabSpec
  status?: LabStatus
}
export interface LabSpec {
  /** Whether machines should run: "Stopped" powers all of them off and keeps their disks. */
  powerState?: PowerState
  network?: {
    /** Node LAN, pods, services; fixed at creation. */
    lanCIDR?: string
    clusterCIDR?: string
    serviceCIDR?: string
    internet?: boolean
  }
}
export interface LabStatus {
  accelerators?: AcceleratorStatus[]
  conditions?: Condition[]
}
export interface AcceleratorStatus {
  arch: GuestArch
  accelerator: 'kvm' | 'hvf' | 'whpx' | 'tcg'
  /** Why not a faster one, in plain words; absent when the fastest is in use. */
  reason?: string
}

export type PowerState = 'Running' | 'Stopped'

/** A QEMU virtual machine that is a worker node. */
export interface Machine {
  apiVersion: 'lab.orrery.dev/v1alpha1'
  kind: 'Machine'
  metadata: ObjectMeta
  spec: MachineSpec
  status?: MachineStatus
}
export interface MachineSpec {
  arch: GuestArch
  /** 1-16, default 1 (2 when the host has more cores than the lab has machines) */
  cpus?: number
  /** MiB, 256-65536, default 512 */
  memoryMiB?: number
  /** GiB of the node's writable disk, 1-1024, default 8 */
  diskGiB?: number
  /** Node image name; default "node" (the one this Orrery ships for the arch). */
  image?: string
  powerState?: PowerState
  /** What happens when the VM dies unasked. Default Always. */
  restartPolicy?: 'Always' | 'Never'
  labels?: Record<string, string>
  taints?: { key: string; value?: string; effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' }[]
}

/** Stopped -> Starting -> Running -> Stopping -> Stopped; Failed needs a person (its reason says what to do). */
export type MachinePhase = 'Pending' | 'Starting' | 'Running' | 'Stopping' | 'Stopped' | 'Failed'

export interface MachineStatus {
  phase?: MachinePhase
  /** CamelCase reason and a sentence for a person: what it waits for or why it failed, and the remedy. */
  reason?: string
  message?: string
  observedGeneration?: number
  /** Stable identity, allocated once. */
  index?: number
  lanAddress?: string
  podCIDR?: string
  macs?: { control: string; lan: string }
  accelerator?: AcceleratorStatus['accelerator']
  pid?: number
  startedAt?: string
  /** Times this VM was booted, and unasked deaths among them. */
  boots?: number
  crashes?: number
  lastExit?: { at: string; reason: string; message: string }
  /** Types: Booting phases "KernelStarted", "InitDone", "RuntimeReady", "AgentConnected", "Ready"; lastTransitionTime is when it was reached. */
  conditions?: Condition[]
  /** Milliseconds from power-on to each phase of the current boot. */
  bootMs?: Partial<Record<'kernel' | 'init' | 'runtime' | 'agent' | 'ready', number>>
  resources?: { rssBytes?: number; cpuMillis?: number }
}

/** Subresource streams (WebSocket, binary frames, v5.channel.k8s.io): machines/{name}/console, machines/{name}/shell, labs/{name}/shell. */

/** Why a pod is where it is (or nowhere): the scheduler's newest decision for the pod of the same name and namespace, owned by that pod. */
export interface SchedulingDecision {
  apiVersion: 'lab.orrery.dev/v1alpha1'
  kind: 'SchedulingDecision'
  metadata: ObjectMeta
  status: {
    podUid: string
    time: string
    attempt: number
    outcome: 'Scheduled' | 'Unschedulable' | 'Error'
    nodeName?: string
    /** The sentence of the pod's PodScheduled condition or event. */
    message: string
    /** Absent when the lab had no node. */
    nodes?: NodeVerdict[]
  }
}
export interface NodeVerdict {
  node: string
  /** Each filter plugin in the order it ran; it stops at the first rejection. */
  filters: { plugin: string; passed: boolean; reason?: string }[]
  /** Only for nodes that passed: normalized score 0-100, weight, and why in a few words. */
  scores?: { plugin: string; score: number; weight: number; reason?: string }[]
  /** Sum of score x weight. */
  total?: number
}

/** An OCI image that the lab's registry can serve to every node. Name: the reference with characters names may not have replaced. */
export interface Image {
  apiVersion: 'lab.orrery.dev/v1alpha1'
  kind: 'Image'
  metadata: ObjectMeta
  spec: {
    /** Full reference: "docker.io/library/hello:1.0". */
    reference: string
  }
  status?: {
    digest?: string
    sizeBytes?: number
    platforms?: { os: string; architecture: string; variant?: string; digest: string; sizeBytes: number }[]
    importedAt?: string
    source?: 'built-in' | 'import' | 'push'
  }
}

/** One JSON line of the answer to labs/import: what it is at, an image that is in now, or why nothing is. */
export interface ImageImportLine {
  progress?: string
  image?: { reference: string; digest: string }
  error?: string
  hint?: string
}
