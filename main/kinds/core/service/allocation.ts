// Cluster IPs and node ports. An address is free when no IPAddress has its name; the Service and its IPAddress are written in one
// transaction. Node ports are found by looking at all Services, so their writes must not run side by side (`serializeWrites`).
import type {
  NetworkingV1IPAddress as IpAddress,
  NetworkingV1ServiceCIDR as ServiceCidr,
  Service,
  ServicePort,
} from '../../../../common/api/generated/types.ts'
import { invalidValue, type FieldError } from '../../../../common/machinery/field-error.ts'
import type { ClusterFacts, Companions, WriteContext } from '../../kind.ts'
import { ipv4Range, ipv4ToNumber, isAddress, familyOf, numberToIpv4 } from '../../validation/ip.ts'
import { isExternallyAccessible, isHeadless, needsHealthCheckPort } from './defaults.ts'

const addressGroup = 'networking.k8s.io'

const isNodePortType = ({ spec }: Service): boolean =>
  spec?.type === 'NodePort' || (spec?.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)

function others(service: Service, context: WriteContext): readonly Service[] {
  const { name, namespace } = service.metadata
  return (context.lookupAll('', 'services') as readonly Service[]).filter(
    (other) => other.metadata.name !== name || other.metadata.namespace !== namespace,
  )
}

export function allocate(service: Service, context: WriteContext): void {
  const { spec } = service
  if (spec === undefined) return
  const needsAddress = spec.type !== 'ExternalName' && !spec.clusterIP && (spec.clusterIPs ?? []).length === 0
  const openPorts = isNodePortType(service) ? (spec.ports ?? []).filter((port) => !port.nodePort) : []
  const needsHealthPort = needsHealthCheckPort(spec) && !spec.healthCheckNodePort
  if (!needsAddress && openPorts.length === 0 && !needsHealthPort) return
  if (needsAddress) {
    const address = freeAddress(service, context)
    if (address !== undefined) {
      spec.clusterIP = address
      spec.clusterIPs = [address]
    }
  }
  if (openPorts.length === 0 && !needsHealthPort) return
  const services = others(service, context)
  const taken = takenPorts([...services, service])
  for (const port of openPorts) {
    const nodePort = reusablePort(spec.ports ?? [], port) ?? freePort(taken, context.cluster)
    if (nodePort === undefined) continue
    port.nodePort = nodePort
    taken.add(nodePort)
  }
  const healthPort = needsHealthPort ? freePort(taken, context.cluster) : undefined
  if (healthPort !== undefined) spec.healthCheckNodePort = healthPort
}

/** The ranges that addresses may come from now. */
function rangesOf(context: WriteContext): string[] {
  const configured = context.lookupAll(addressGroup, 'servicecidrs') as readonly ServiceCidr[]
  const ready = configured.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined &&
      status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true,
  )
  const ranges = ready
    .flatMap(({ spec }) => spec?.cidrs ?? [])
    .filter((cidr) => familyOf(cidr.split('/')[0] ?? '') === 'IPv4')
  return configured.length === 0 ? [context.cluster.serviceCIDR] : ranges
}

/** How many addresses at the start are kept for Services that ask for theirs; they are given away when all others are gone. */
const staticBand = (size: number): number => (size < 256 ? 0 : Math.min(256, Math.floor(size / 16)))

function freeAddress(service: Service, context: WriteContext): string | undefined {
  for (const range of rangesOf(context)) {
    const { first, size } = ipv4Range(range)
    // Neither the network's own nor the broadcast address.
    const hosts = size - 2
    const band = staticBand(size)
    const upper = probe(first + 1 + band, hosts - band, service, context)
    const address = upper ?? probe(first + 1, band, service, context)
    if (address !== undefined) return address
  }
  return undefined
}

/** The first free one, from a place that the Service's uid chooses. */
function probe(first: number, count: number, { metadata }: Service, context: WriteContext): string | undefined {
  const start = Number.parseInt((metadata.uid ?? '0').slice(0, 8), 16) || 0
  for (let step = 0; step < count; step += 1) {
    const address = numberToIpv4(first + ((start + step) % count))
    if (ownerOf(address, context) === undefined) return address
  }
  return undefined
}

const ownerOf = (address: string, context: WriteContext): IpAddress | undefined =>
  context.lookup(addressGroup, 'ipaddresses', undefined, address) as IpAddress | undefined

/** The IPAddresses that a Service must have. */
function addressesOf(service: Service | undefined): string[] {
  const { spec } = service ?? {}
  if (spec === undefined || spec.type === 'ExternalName' || isHeadless(spec)) return []
  return (spec.clusterIPs ?? []).filter((address) => address !== '')
}

export function ipAddressOf({ metadata }: Service, address: string): IpAddress {
  const { namespace = '', name = '' } = metadata
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: address,
      labels: {
        'ipaddress.kubernetes.io/ip-family': familyOf(address),
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
    },
    spec: { parentRef: { resource: 'services', namespace, name } },
  }
}

/** Addresses are created and deleted with the Service that has them. */
export function serviceAddresses(service: Service | undefined, old: Service | undefined): Companions {
  const wanted = addressesOf(service)
  const before = addressesOf(old)
  return {
    create:
      service === undefined
        ? []
        : wanted
            .filter((address) => !before.includes(address))
            .map((address) => ({ group: addressGroup, plural: 'ipaddresses', object: ipAddressOf(service, address) })),
    remove: before
      .filter((address) => !wanted.includes(address))
      .map((name) => ({ group: addressGroup, plural: 'ipaddresses', name })),
  }
}

const takenPorts = (services: readonly Service[]): Set<number> =>
  new Set(
    services.flatMap(({ spec }) => [
      ...(spec?.ports ?? []).map((port) => port.nodePort ?? 0),
      spec?.healthCheckNodePort ?? 0,
    ]),
  )

/** The same port number for TCP and UDP gets the same node port. */
const reusablePort = (ports: readonly ServicePort[], port: ServicePort): number | undefined =>
  ports.find(
    (other) => other !== port && other.port === port.port && other.protocol !== port.protocol && other.nodePort,
  )?.nodePort

function freePort(taken: ReadonlySet<number>, { nodePortRange: { from, to } }: ClusterFacts): number | undefined {
  for (let port = from; port <= to; port += 1) if (!taken.has(port)) return port
  return undefined
}

/** What was asked for but is out of range or somebody else's. */
export function checkAllocation(errors: FieldError[], service: Service, context: WriteContext): void {
  const { spec } = service
  if (spec === undefined || spec.type === 'ExternalName') return
  const ports = (spec.ports ?? []).filter((port) => port.nodePort)
  const address = spec.clusterIPs?.[0]
  if (!isHeadless(spec) && address === undefined) {
    errors.push(invalidValue('spec.clusterIPs', spec.clusterIPs ?? [], 'failed to allocate IP 0: range is full'))
  }
  const checkedAddress = address !== undefined && !isHeadless(spec) && isAddress(address) ? address : undefined
  if (checkedAddress !== undefined) checkAddressFree(errors, checkedAddress, service, context)
  if (ports.length === 0 || !isExternallyAccessible(spec)) return
  const services = others(service, context)
  const { from, to } = context.cluster.nodePortRange
  ports.forEach(({ nodePort = 0, protocol }) => {
    const path = `spec.ports[${String(spec.ports?.findIndex((port) => port.nodePort === nodePort && port.protocol === protocol) ?? 0)}].nodePort`
    if (nodePort < from || nodePort > to) {
      const detail = `provided port is not in the valid range. The range of valid ports is ${String(from)}-${String(to)}`
      errors.push(invalidValue(path, nodePort, detail))
    } else if (takenPorts(services).has(nodePort)) {
      errors.push(invalidValue(path, nodePort, 'provided port is already allocated'))
    }
  })
}

function checkAddressFree(errors: FieldError[], address: string, service: Service, context: WriteContext): void {
  const { metadata, spec } = service
  const refuse = (why: string): void => {
    errors.push(invalidValue('spec.clusterIPs', spec?.clusterIPs ?? [], `failed to allocate IP ${address}: ${why}`))
  }
  if (familyOf(address) !== 'IPv4') {
    errors.push(invalidValue('spec.clusterIPs[0]', spec?.clusterIPs ?? [], 'IPv6 is not configured on this cluster'))
    return
  }
  const owner = ownerOf(address, context)
  const parent = owner?.spec?.parentRef
  if (parent?.resource === 'services' && parent.name === metadata.name && parent.namespace === metadata.namespace)
    return
  const ranges = rangesOf(context)
  const inside = ranges.some((range) => {
    const { first, size } = ipv4Range(range)
    const offset = ipv4ToNumber(address) - first
    return offset > 0 && offset < size - 1
  })
  if (!inside) {
    refuse(`the provided IP (${address}) is not in the valid range. The range of valid IPs is ${ranges.join(', ')}`)
  } else if (owner !== undefined) refuse('provided IP is already allocated')
}
