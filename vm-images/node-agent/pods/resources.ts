// From requests and limits to what the kernel is told: the kubelet's formulas for cgroup v2 by way of CRI's v1-style fields.
// Shares and quota: pkg/kubelet/cm/helpers_linux.go; OOM score: pkg/kubelet/qos/policy.go.
import type { Container, Pod, ResourceRequirements } from '../../../common/api/generated/types.ts'
import { quantityToBytes, quantityToMillis } from '../../../common/machinery/quantity.ts'

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

const minShares = 2
const maxShares = 262_144
const sharesPerCpu = 1024
/** The kernel refuses quotas below one millisecond. */
const minQuotaUs = 1000
export const cpuPeriodUs = 100_000

export interface ContainerResources {
  cpuShares: number
  /** 0: no limit. */
  cpuQuotaUs: number
  /** 0: no limit. */
  memoryLimitBytes: number
}

export function milliCpuToShares(millis: number): number {
  if (millis === 0) return minShares
  return Math.min(maxShares, Math.max(minShares, Math.floor((millis * sharesPerCpu) / 1000)))
}

export function milliCpuToQuotaUs(millis: number): number {
  return millis === 0 ? 0 : Math.max(minQuotaUs, Math.floor((millis * cpuPeriodUs) / 1000))
}

/** cgroup v2's cpu.weight (1-10000) for v1 shares (2-262144). */
export const sharesToWeight = (shares: number): number => Math.floor(1 + ((shares - 2) * 9999) / 262_142)

export interface Amounts {
  cpuMillis: number
  memoryBytes: number
}

/** Undefined where the list says nothing. */
export const amounts = (list: ResourceRequirements['limits']): { [Key in keyof Amounts]: number | undefined } => ({
  cpuMillis: list?.['cpu'] === undefined ? undefined : quantityToMillis(list['cpu']),
  memoryBytes: list?.['memory'] === undefined ? undefined : quantityToBytes(list['memory']),
})

/** Requests default to limits, as the API server writes them (objects may come from elsewhere). */
function requestsOf(container: Pick<Container, 'resources'>): ReturnType<typeof amounts> {
  const limits = amounts(container.resources?.limits)
  const requests = amounts(container.resources?.requests)
  return {
    cpuMillis: requests.cpuMillis ?? limits.cpuMillis,
    memoryBytes: requests.memoryBytes ?? limits.memoryBytes,
  }
}

export function containerResources(container: Pick<Container, 'resources'>): ContainerResources {
  const limits = amounts(container.resources?.limits)
  const requests = requestsOf(container)
  return {
    cpuShares: milliCpuToShares(requests.cpuMillis ?? 0),
    cpuQuotaUs: milliCpuToQuotaUs(limits.cpuMillis ?? 0),
    memoryLimitBytes: limits.memoryBytes ?? 0,
  }
}

/** In CRI's words. */
export const criResources = (
  resources: ContainerResources,
): { cpuPeriod: bigint; cpuQuota: bigint; cpuShares: bigint; memoryLimitInBytes: bigint } => ({
  // prettier-ignore
  cpuPeriod: BigInt(cpuPeriodUs),
  cpuQuota: BigInt(resources.cpuQuotaUs),
  cpuShares: BigInt(resources.cpuShares),
  memoryLimitInBytes: BigInt(resources.memoryLimitBytes),
})

export function qosClass(pod: Pod): QosClass {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
  let guaranteed = true
  let anything = false
  for (const container of containers) {
    const limits = amounts(container.resources?.limits)
    const requests = requestsOf(container)
    for (const key of ['cpuMillis', 'memoryBytes'] as const) {
      if ((limits[key] ?? 0) > 0 || (requests[key] ?? 0) > 0) anything = true
      if ((limits[key] ?? 0) === 0 || limits[key] !== requests[key]) guaranteed = false
    }
  }
  return guaranteed && containers.length > 0 ? 'Guaranteed' : anything ? 'Burstable' : 'BestEffort'
}

export interface PodCgroup {
  /** Below the cgroup root: "/kubepods/burstable/pod<uid>". */
  path: string
  cpuShares: number
  cpuQuotaUs: number
  memoryLimitBytes: number
}

const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always'

/** What all containers together need at their peak; init containers count while they run. */
function podPeak({ spec }: Pod, of: (container: Container) => number): number {
  let sidecars = 0
  let peak = 0
  for (const init of spec?.initContainers ?? []) {
    if (isSidecar(init)) sidecars += of(init)
    peak = Math.max(peak, isSidecar(init) ? sidecars : sidecars + of(init))
  }
  return Math.max(peak, sidecars + (spec?.containers ?? []).reduce((sum, container) => sum + of(container), 0))
}

export const podRequests = (pod: Pod): Amounts => ({
  cpuMillis: podPeak(pod, (container) => requestsOf(container).cpuMillis ?? 0),
  memoryBytes: podPeak(pod, (container) => requestsOf(container).memoryBytes ?? 0),
})

/** The pod's own cgroup: what all its containers together may use. */
export function podCgroup(pod: Pod): PodCgroup {
  const qos = qosClass(pod)
  const everyHas = (key: keyof Amounts): boolean =>
    [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].every(
      (container) => (amounts(container.resources?.limits)[key] ?? 0) > 0,
    )
  const limit = (key: keyof Amounts): number =>
    everyHas(key) ? podPeak(pod, (container) => amounts(container.resources?.limits)[key] ?? 0) : 0
  const uid = pod.metadata.uid ?? ''
  const parent = qos === 'Guaranteed' ? '/kubepods' : `/kubepods/${qos.toLowerCase()}`
  return {
    path: `${parent}/pod${uid}`,
    cpuShares: milliCpuToShares(podRequests(pod).cpuMillis),
    cpuQuotaUs: milliCpuToQuotaUs(limit('cpuMillis')),
    memoryLimitBytes: limit('memoryBytes'),
  }
}

/** -997 never killed before system pods … 1000 killed first. */
export function oomScoreAdjust(pod: Pod, container: Container, nodeMemoryBytes: number): number {
  if ((pod.spec?.priority ?? 0) >= 2_000_000_000) return -997
  const qos = qosClass(pod)
  if (qos === 'Guaranteed') return -997
  if (qos === 'BestEffort') return 1000
  const request = requestsOf(container).memoryBytes ?? 0
  const adjust = Math.trunc(1000 - (1000 * request) / nodeMemoryBytes)
  // Above every guaranteed pod, below best effort.
  if (adjust < 3) return 3
  return adjust === 1000 ? 999 : adjust
}
