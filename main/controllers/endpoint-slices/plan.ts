// Pure: which endpoints a service has, and how they are spread over EndpointSlices with as few writes as possible.
import type {
  DiscoveryV1EndpointPort,
  Endpoint,
  EndpointSlice,
  Node,
  Pod,
  Service,
  ServicePort,
} from '../../../common/api/generated/types.ts'
import { familyOf, type IpFamily } from '../../../common/machinery/addresses.ts'
import { familiesOf, podAddresses } from './families.ts'
import { controllerReference } from '../ownership/controller-of.ts'
import { isPodFinished, isPodReady, isPodTerminating } from '../pods/pod-state.ts'
import { canonicalJson } from '../pods/template-hash.ts'

export const serviceNameLabel = 'kubernetes.io/service-name'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
export const managedBy = 'endpointslice-controller.k8s.io'
export const headlessLabel = 'service.kubernetes.io/headless'
/** Endpoints per slice; upstream's default. */
export const maxEndpointsPerSlice = 100

export const isHeadless = (service: Service): boolean => service.spec?.clusterIP === 'None'

export interface SlicePlan {
  create: EndpointSlice[]
  update: EndpointSlice[]
  delete: EndpointSlice[]
  /** Pods that are left out because their node is not there (yet). */
  homeless: Pod[]
}

/** `pods` are those the service's selector matches, `slices` those of the service. */
export function planSlices(
  service: Service,
  pods: readonly Pod[],
  slices: readonly EndpointSlice[],
  nodeOf: (name: string) => Node | undefined,
): SlicePlan {
  const plan: SlicePlan = { create: [], update: [], delete: [], homeless: [] }
  const families = familiesOf(service)
  const placed = pods.flatMap((pod) => {
    if (isPodFinished(pod) || podAddresses(pod).length === 0) return []
    const node = nodeOf(pod.spec?.nodeName ?? '')
    if (node === undefined && service.spec?.publishNotReadyAddresses !== true) {
      plan.homeless.push(pod)
      return []
    }
    return [{ pod, node }]
  })
  for (const family of families) planFamily(service, family, placed, slices, plan)
  // The address type of a slice cannot change.
  plan.delete.push(...slices.filter(({ addressType }) => !families.some((family) => family === addressType)))
  return plan
}

interface PlacedPod {
  readonly pod: Pod
  readonly node: Node | undefined
}

function planFamily(
  service: Service,
  family: IpFamily,
  pods: readonly PlacedPod[],
  all: readonly EndpointSlice[],
  plan: SlicePlan,
): void {
  const slices = all.filter(({ addressType }) => addressType === family)
  const own: SlicePlan = { create: [], update: [], delete: [], homeless: [] }
  const byPorts = new Map<string, EndpointSlice[]>()
  for (const slice of slices) append(byPorts, portsKey(slice.ports ?? []), slice)
  for (const [key, group] of groupByPorts(service, family, pods)) {
    planGroup(service, group, byPorts.get(key) ?? [], own)
    byPorts.delete(key)
  }
  for (const stale of byPorts.values()) own.delete.push(...stale)
  // A service without endpoints still has one slice, empty: "known to be nobody" differs from "not known yet".
  if (slices.length === own.delete.length && own.create.length === 0) keepOneEmpty(service, family, own)
  plan.create.push(...own.create)
  plan.update.push(...own.update)
  plan.delete.push(...own.delete)
}

/** Empties a slice that would go rather than replacing it: an empty one that is there already stays as it is. */
function keepOneEmpty(service: Service, family: IpFamily, plan: SlicePlan): void {
  const slice = plan.delete.shift()
  if (slice === undefined) {
    plan.create.push(newSlice(service, { family, ports: [] }, []))
    return
  }
  const next = { ...slice, endpoints: [], ports: [], metadata: { ...slice.metadata, labels: sliceLabels(service) } }
  if (changed(slice, next)) plan.update.push(next)
}

interface SliceShape {
  family: IpFamily
  ports: DiscoveryV1EndpointPort[]
}

interface PortGroup extends SliceShape {
  endpoints: Map<string, Endpoint>
}

/** A pod that has none of the ports is there too, with the ports it has: none. */
function groupByPorts(service: Service, family: IpFamily, pods: readonly PlacedPod[]): Map<string, PortGroup> {
  const groups = new Map<string, PortGroup>()
  for (const { pod, node } of pods) {
    const ports = endpointPorts(service, pod)
    const key = portsKey(ports)
    let group = groups.get(key)
    if (group === undefined) {
      group = { family, ports, endpoints: new Map() }
      groups.set(key, group)
    }
    const addresses = podAddresses(pod).filter((address) => familyOf(address) === family)
    if (addresses.length > 0) group.endpoints.set(pod.metadata.uid ?? '', endpointOf(service, pod, addresses, node))
  }
  return groups
}

export function endpointPorts(service: Service, pod: Pod): DiscoveryV1EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((port) => {
    const number = targetPortOf(port, pod)
    if (number === undefined) return []
    const { name = '', protocol = 'TCP', appProtocol } = port
    return [{ name, port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }]
  })
}

/** The container port that a service port leads to; undefined when the pod has no port of that name. */
export function targetPortOf(port: ServicePort, pod: Pod): number | undefined {
  const { targetPort = port.port, protocol = 'TCP' } = port
  if (typeof targetPort === 'number') return targetPort === 0 ? port.port : targetPort
  const containers = [
    ...(pod.spec?.containers ?? []),
    ...(pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always'),
  ]
  for (const container of containers) {
    for (const candidate of container.ports ?? []) {
      if (candidate.name === targetPort && (candidate.protocol ?? 'TCP') === protocol) return candidate.containerPort
    }
  }
  return undefined
}

function endpointOf(service: Service, pod: Pod, addresses: string[], node: Node | undefined): Endpoint {
  const serving = isPodReady(pod)
  const terminating = isPodTerminating(pod)
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating)
  const { nodeName = '', hostname = '', subdomain } = pod.spec ?? {}
  const zone = node?.metadata.labels?.['topology.kubernetes.io/zone'] ?? ''
  const endpoint: Endpoint = {
    addresses,
    conditions: { ready, serving, terminating },
    ...(nodeName === '' ? {} : { nodeName }),
    ...(hostname !== '' && subdomain === service.metadata.name ? { hostname } : {}),
    ...(zone === '' ? {} : { zone }),
    targetRef: { kind: 'Pod', namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid },
  }
  const hints = ready ? hintsOf(service, endpoint) : undefined
  return hints === undefined ? endpoint : { ...endpoint, hints }
}

/** Who should use an endpoint first, where the service asks for short ways. */
function hintsOf({ spec }: Service, { zone, nodeName }: Endpoint): Endpoint['hints'] {
  const wish = spec?.trafficDistribution
  const sameNode = wish === 'PreferSameNode' && nodeName !== undefined
  const sameZone =
    (wish === 'PreferClose' || wish === 'PreferSameZone' || wish === 'PreferSameNode') && zone !== undefined
  if (!sameNode && !sameZone) return undefined
  return {
    ...(sameZone ? { forZones: [{ name: zone }] } : {}),
    ...(sameNode ? { forNodes: [{ name: nodeName }] } : {}),
  }
}

const portsKey = (ports: readonly DiscoveryV1EndpointPort[]): string =>
  ports
    .map((port) => `${port.name ?? ''}/${port.protocol ?? 'TCP'}/${String(port.port ?? '')}/${port.appProtocol ?? ''}`)
    .sort()
    .join(',')

/** Keeps what is right where it is, drops what is gone, and fills the rest into slices with room before making new ones. */
function planGroup(service: Service, group: PortGroup, slices: readonly EndpointSlice[], plan: SlicePlan): void {
  const missing = new Map(group.endpoints)
  const drafts = slices.map((slice) => {
    const endpoints = (slice.endpoints ?? []).flatMap((endpoint) => {
      const uid = endpoint.targetRef?.uid ?? ''
      const wanted = missing.get(uid)
      if (wanted === undefined) return []
      missing.delete(uid)
      return [wanted]
    })
    return { slice, endpoints }
  })
  const toPlace = [...missing.values()]
  // The fullest slice first, so that slices stay full and few.
  for (const draft of [...drafts].sort((a, b) => b.endpoints.length - a.endpoints.length)) {
    if (toPlace.length === 0) break
    draft.endpoints.push(...toPlace.splice(0, Math.max(0, maxEndpointsPerSlice - draft.endpoints.length)))
  }
  while (toPlace.length > 0) plan.create.push(newSlice(service, group, toPlace.splice(0, maxEndpointsPerSlice)))
  for (const { slice, endpoints } of drafts) {
    if (endpoints.length === 0) {
      plan.delete.push(slice)
      continue
    }
    const next: EndpointSlice = {
      ...slice,
      endpoints,
      ports: group.ports,
      metadata: { ...slice.metadata, labels: sliceLabels(service) },
    }
    if (changed(slice, next)) plan.update.push(next)
  }
}

const changed = (a: EndpointSlice, b: EndpointSlice): boolean =>
  canonicalJson([a.endpoints ?? [], a.metadata.labels, a.ports ?? []]) !==
  canonicalJson([b.endpoints ?? [], b.metadata.labels, b.ports ?? []])

function sliceLabels(service: Service): Record<string, string> {
  const labels = { ...service.metadata.labels }
  delete labels[headlessLabel]
  if (isHeadless(service)) labels[headlessLabel] = ''
  return { ...labels, [serviceNameLabel]: service.metadata.name ?? '', [managedByLabel]: managedBy }
}

function newSlice(service: Service, { family, ports }: SliceShape, endpoints: Endpoint[]): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${service.metadata.name ?? ''}-`,
      namespace: service.metadata.namespace,
      labels: sliceLabels(service),
      ownerReferences: [controllerReference({ ...service, apiVersion: 'v1', kind: 'Service' })],
    },
    addressType: family,
    ports,
    endpoints,
  }
}

function append<V>(map: Map<string, V[]>, key: string, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
