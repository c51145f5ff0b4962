// Cluster IPs and node ports: the lowest free ones, found by looking at all Services. Writes of Services must not run side by
// side (`serializeWrites`), else two of them could find the same one free.
import type { Service, ServicePort } from '../../../../common/api/generated/types.ts'
import { invalidValue, type FieldError } from '../../../../common/machinery/field-error.ts'
import type { ClusterFacts, WriteContext } from '../../kind.ts'
import { ipv4Range, ipv4ToNumber, isAddress, familyOf, numberToIpv4 } from '../../validation/ip.ts'
import { isExternallyAccessible, isHeadless, needsHealthCheckPort } from './defaults.ts'

/** The first 16 addresses are kept for Services that ask for theirs (the API server is .1, DNS is .10). */
const reservedAddresses = 16

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
  const services = others(service, context)
  if (needsAddress) {
    const address = freeAddress(services, context.cluster)
    if (address !== undefined) {
      spec.clusterIP = address
      spec.clusterIPs = [address]
    }
  }
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

function freeAddress(services: readonly Service[], { serviceCIDR }: ClusterFacts): string | undefined {
  const taken = new Set(services.flatMap(({ spec }) => spec?.clusterIPs ?? []))
  const { first, size } = ipv4Range(serviceCIDR)
  const reserved = Math.min(reservedAddresses, Math.floor(size / 16))
  // Neither the network's own nor the broadcast address; reserved ones only when nothing else is left.
  for (let offset = reserved + 1; offset < size - 1; offset += 1) {
    const address = numberToIpv4(first + offset)
    if (!taken.has(address)) return address
  }
  for (let offset = 1; offset <= reserved; offset += 1) {
    const address = numberToIpv4(first + offset)
    if (offset !== 1 && offset !== 10 && !taken.has(address)) return address
  }
  return undefined
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
  if (checkedAddress === undefined && ports.length === 0) return
  const services = others(service, context)
  if (checkedAddress !== undefined) checkAddressFree(errors, checkedAddress, services, context.cluster)
  if (!isExternallyAccessible(spec)) return
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

function checkAddressFree(
  errors: FieldError[],
  address: string,
  services: readonly Service[],
  { serviceCIDR }: ClusterFacts,
): void {
  const refuse = (why: string): void => {
    errors.push(invalidValue('spec.clusterIPs', [address], `failed to allocate IP ${address}: ${why}`))
  }
  if (familyOf(address) !== 'IPv4') {
    errors.push(invalidValue('spec.clusterIPs[0]', [address], 'IPv6 is not configured on this cluster'))
    return
  }
  const { first, size } = ipv4Range(serviceCIDR)
  const offset = ipv4ToNumber(address) - first
  if (offset <= 0 || offset >= size - 1) {
    refuse(`the provided IP (${address}) is not in the valid range. The range of valid IPs is ${serviceCIDR}`)
  } else if (services.some(({ spec }) => spec?.clusterIPs?.includes(address) === true)) {
    refuse('provided IP is already allocated')
  }
}
