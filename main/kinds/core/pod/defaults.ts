// Defaults of pods that templates do not get, so that they show only on the pod itself.
import type { Container, Pod, PodStatus, ResourceRequirements } from '../../../../common/api/generated/types.ts'
import { setPodSpecDefaults } from '../pod-spec/defaults.ts'

export function setPodDefaults(pod: Pod): void {
  pod.status ??= {}
  alignAddresses(pod.status)
  const { spec } = pod
  if (spec === undefined) return
  setPodSpecDefaults(spec)
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  for (const container of containers) if (container.resources !== undefined) requestLimits(container.resources)
  if (spec.resources?.limits !== undefined) requestLimits(spec.resources)
  spec.enableServiceLinks ??= true
  if (spec.hostNetwork === true) for (const container of containers) useContainerPorts(container)
}

/** `podIP` and `podIPs[0]` mean the same; who writes only the first means it. */
function alignAddresses(status: PodStatus): void {
  const first = status.podIPs?.[0]?.ip ?? ''
  const { podIP = '' } = status
  if (podIP === first) return
  if (podIP === '') status.podIP = first
  else status.podIPs = [{ ip: podIP }]
}

/** What is limited but not requested is requested in full. */
function requestLimits(resources: ResourceRequirements): void {
  for (const [name, limit] of Object.entries(resources.limits ?? {})) {
    resources.requests ??= {}
    resources.requests[name] ??= limit
  }
}

/** With the node's network a container port is a port of the node. */
function useContainerPorts(container: Container): void {
  for (const port of container.ports ?? []) port.hostPort ||= port.containerPort
}
