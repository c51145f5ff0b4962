// Resizing a running pod in place, decided purely: whether the node admits what the pod asks for now, and which containers differ from
// what was admitted. Same decisions as the kubelet's allocation manager.
import type { Container, ContainerStatus, Pod, ResourceRequirements } from '../../../common/api/generated/types.ts'
import type { ObservedContainer, ObservedPod } from '../runtime/observed.ts'
import type { NodeFacts } from './field-path.ts'
import { amounts, containerResources, podRequests, type Amounts, type ContainerResources } from './resources.ts'

export interface Admission {
  /** The pod with the resources that its containers have or may have now. */
  readonly pod: Pod
  /** Why the pod's wish has to wait. */
  readonly pending?: { readonly reason: 'Deferred' | 'Infeasible'; readonly message: string }
}

export function admitResize(pod: Pod, node: NodeFacts, neighbours: readonly Pod[]): Admission {
  const containers = pod.spec?.containers ?? []
  const admitted = new Map((pod.status?.containerStatuses ?? []).map(({ name, resources }) => [name, resources]))
  const isResized = (container: Container): boolean => {
    const before = admitted.get(container.name)
    return before !== undefined && !sameResources(before, container.resources)
  }
  if (!containers.some(isResized)) return { pod }
  const wanted = podRequests(pod)
  const used = neighbours
    .filter(
      ({ metadata, status }) =>
        metadata.uid !== pod.metadata.uid && status?.phase !== 'Succeeded' && status?.phase !== 'Failed',
    ) // prettier-ignore
    .map(podRequests)
  const pending = (['cpuMillis', 'memoryBytes'] as const)
    .map((key) =>
      shortage(
        key,
        wanted[key],
        used.reduce((sum, one) => sum + one[key], 0),
        node.allocatable[key],
      ),
    )
    .find((found) => found !== undefined)
  if (pending === undefined) return { pod }
  const kept = containers.map((container) => ({
    ...container,
    resources: admitted.get(container.name) ?? container.resources,
  }))
  return { pod: { ...pod, spec: { ...pod.spec, containers: kept } }, pending }
}

const resourceNames = { cpuMillis: 'cpu', memoryBytes: 'memory' } as const

function shortage(key: keyof Amounts, wanted: number, used: number, capacity: number): Admission['pending'] {
  const numbers = `${resourceNames[key]}, requested: ${String(wanted)}`
  if (wanted > capacity)
    return { reason: 'Infeasible', message: `Node didn't have enough capacity: ${numbers}, capacity: ${String(capacity)}` } // prettier-ignore
  return wanted + used > capacity
    ? { reason: 'Deferred', message: `Node didn't have enough resource: ${numbers}, used: ${String(used)}, capacity: ${String(capacity)}` } // prettier-ignore
    : undefined
}

function sameResources(before: ResourceRequirements, now: ResourceRequirements | undefined): boolean {
  return (['limits', 'requests'] as const).every((kind) => {
    const [old, wanted] = [amounts(before[kind]), amounts(now?.[kind])]
    return old.cpuMillis === wanted.cpuMillis && old.memoryBytes === wanted.memoryBytes
  })
}

export interface ContainerResize {
  readonly container: ObservedContainer
  readonly resources: ContainerResources
}

/** Running containers whose kernel limits are to be changed without a restart. */
export function planResizes(pod: Pod, observed: ObservedPod): ContainerResize[] {
  return (pod.spec?.containers ?? []).flatMap((container) => {
    const running = observed.containers.find(({ name, state }) => name === container.name && state === 'running')
    if (running === undefined || changedResources(container, running).length === 0) return []
    if (resizeNeedsRestart(container, running)) return []
    return [{ container: running, resources: containerResources(container) }]
  })
}

/** The container has to be replaced for its new resources to take effect. */
export function resizeNeedsRestart(container: Container, running: ObservedContainer): boolean {
  return changedResources(container, running).some((name) =>
    container.resizePolicy?.some(
      (policy) => policy.resourceName === name && policy.restartPolicy === 'RestartContainer',
    ),
  )
}

function changedResources(container: Container, running: ObservedContainer): ('cpu' | 'memory')[] {
  const [has, wants] = [running.resources, containerResources(container)]
  if (has === undefined) return []
  return [
    ...(has.cpuShares === wants.cpuShares && has.cpuQuotaUs === wants.cpuQuotaUs ? [] : ['cpu' as const]),
    ...(has.memoryLimitBytes === wants.memoryLimitBytes ? [] : ['memory' as const]),
  ]
}

/** What a container's status tells about its resources. */
export function resourcesInStatus(container: Container): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
  const { limits, requests } = container.resources ?? {}
  return {
    resources: { ...(limits === undefined ? {} : { limits }), ...(requests === undefined ? {} : { requests }) },
    ...(requests === undefined ? {} : { allocatedResources: requests }),
  }
}
