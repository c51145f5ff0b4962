// Pure: EndpointSlices that say what a hand-made Endpoints object says, for nodes, which read only slices.
import type {
  DiscoveryV1EndpointPort,
  Endpoint,
  EndpointAddress,
  EndpointSlice,
  EndpointSubset,
  Endpoints,
  Service,
} from '../../../common/api/generated/types.ts'
import { managedByLabel, serviceNameLabel } from '../endpoint-slices/plan.ts'
import { controllerReference } from '../ownership/controller-of.ts'
import { canonicalJson } from '../pods/template-hash.ts'

export const mirroredBy = 'endpointslicemirroring-controller.k8s.io'
const skipMirrorLabel = 'endpointslice.kubernetes.io/skip-mirror'
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader'
/** Of one subset; the rest is not mirrored. */
export const maxEndpointsPerSubset = 1000
const unmirroredAnnotations = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'endpoints.kubernetes.io/last-change-trigger-time',
]

export interface MirrorPlan {
  create: EndpointSlice[]
  update: EndpointSlice[]
  delete: EndpointSlice[]
  /** Addresses that no slice shows, because there are too many. */
  skipped: number
}

export function isMirrored(endpoints: Endpoints | undefined, service: Service | undefined): endpoints is Endpoints {
  if (endpoints === undefined || service === undefined || endpoints.metadata.deletionTimestamp !== undefined)
    return false
  if (endpoints.metadata.labels?.[skipMirrorLabel] === 'true') return false
  if (endpoints.metadata.annotations?.[leaderAnnotation] !== undefined) return false
  return service.spec?.selector === undefined
}

/** `slices`: those that mirror this object now. */
export function planMirror(endpoints: Endpoints, slices: readonly EndpointSlice[]): MirrorPlan {
  const plan: MirrorPlan = { create: [], update: [], delete: [], skipped: 0 }
  const free = [...slices]
  for (const wanted of mirrorsOf(endpoints, plan)) {
    const at = free.findIndex((slice) => shape(slice) === shape(wanted))
    const [slice] = at < 0 ? [] : free.splice(at, 1)
    if (slice === undefined) plan.create.push(wanted)
    else {
      const next = { ...slice, ...wanted, metadata: { ...slice.metadata, ...withoutName(wanted) } }
      if (essence(next) !== essence(slice)) plan.update.push(next)
    }
  }
  plan.delete.push(...free)
  return plan
}

/** What a slice must have in common with another to take its place. */
const shape = ({ addressType, ports }: EndpointSlice): string => canonicalJson([addressType, ports ?? []])
const essence = ({ metadata, endpoints }: EndpointSlice): string =>
  canonicalJson([metadata.labels ?? {}, metadata.annotations ?? {}, endpoints ?? []])

function withoutName({ metadata }: EndpointSlice): Pick<EndpointSlice['metadata'], 'labels' | 'annotations'> {
  return { labels: metadata.labels, annotations: metadata.annotations }
}

function mirrorsOf(endpoints: Endpoints, plan: MirrorPlan): EndpointSlice[] {
  const groups = new Map<
    string,
    { addressType: 'IPv4' | 'IPv6'; ports: DiscoveryV1EndpointPort[]; members: Endpoint[] }
  >()
  for (const subset of endpoints.subsets ?? []) {
    const ports = portsOf(subset)
    const all = [
      ...(subset.addresses ?? []).map((address) => mirrored(address, true)),
      ...(subset.notReadyAddresses ?? []).map((address) => mirrored(address, false)),
    ]
    plan.skipped += Math.max(0, all.length - maxEndpointsPerSubset)
    for (const endpoint of all.slice(0, maxEndpointsPerSubset)) {
      const addressType = endpoint.addresses[0]?.includes(':') === true ? 'IPv6' : 'IPv4'
      const key = canonicalJson([addressType, ports])
      const group = groups.get(key) ?? { addressType, ports, members: [] }
      groups.set(key, group)
      if (!group.members.some((member) => member.addresses[0] === endpoint.addresses[0])) group.members.push(endpoint)
    }
  }
  return [...groups.values()].map(({ addressType, ports, members }) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: mirrorMetadata(endpoints),
    addressType,
    ports,
    endpoints: members,
  }))
}

function portsOf({ ports = [] }: EndpointSubset): DiscoveryV1EndpointPort[] {
  return ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
    name,
    port,
    protocol,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }))
}

function mirrored({ ip, nodeName, hostname, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname === undefined || hostname === '' ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  }
}

function mirrorMetadata(endpoints: Endpoints): EndpointSlice['metadata'] {
  const { name = '', namespace, labels, annotations } = endpoints.metadata
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !unmirroredAnnotations.includes(key))
  return {
    generateName: `${name}-`,
    namespace,
    labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: mirroredBy },
    ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }),
    ownerReferences: [controllerReference({ ...endpoints, apiVersion: 'v1', kind: 'Endpoints' })],
  }
}
