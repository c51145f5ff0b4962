// Which endpoints a service port sends connections to, from Services and EndpointSlices. Pure.
import type { Endpoint, EndpointSlice, Service, ServicePort } from '../../../common/api/generated/types.ts'

export interface Backend {
  readonly ip: string
  readonly port: number
  /** Runs on this node. */
  readonly local: boolean
}

export interface PortBackends {
  readonly service: Service
  readonly port: ServicePort
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly all: readonly Backend[]
}

const serviceNameLabel = 'kubernetes.io/service-name'

/** "namespace/name" of the service a slice belongs to. */
export const sliceService = (slice: EndpointSlice): string =>
  `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[serviceNameLabel] ?? ''}`

const isReady = ({ conditions }: Endpoint): boolean => conditions?.ready !== false
/** Still answers while it shuts down: better than nothing when nobody is ready. */
const isServingTerminating = ({ conditions }: Endpoint): boolean =>
  conditions?.serving === true && conditions.terminating === true

/** Endpoints of the slices that may get traffic: the ready ones, or, when there is none, those that still serve while terminating. */
export function usableEndpoints(slices: readonly EndpointSlice[]): { endpoint: Endpoint; slice: EndpointSlice }[] {
  const all = slices
    .filter(({ addressType }) => addressType === 'IPv4')
    .flatMap((slice) => (slice.endpoints ?? []).map((endpoint) => ({ endpoint, slice })))
  const ready = all.filter(({ endpoint }) => isReady(endpoint))
  return ready.length > 0 ? ready : all.filter(({ endpoint }) => isServingTerminating(endpoint))
}

export function portBackends(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  options: { nodeName: string; skipAddresses: ReadonlySet<string> },
): PortBackends[] {
  const byService = Map.groupBy(slices, sliceService)
  const result: PortBackends[] = []
  for (const service of services) {
    const { clusterIP = '', type, ports = [] } = service.spec ?? {}
    if (type === 'ExternalName' || clusterIP === '' || clusterIP === 'None' || !clusterIP.includes('.')) continue
    if (options.skipAddresses.has(clusterIP)) continue
    const usable = usableEndpoints(
      byService.get(`${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}`) ?? [],
    )
    for (const port of ports) {
      const seen = new Map<string, Backend>()
      for (const { endpoint, slice } of usable) {
        const target = slice.ports?.find(({ name = '' }) => name === (port.name ?? ''))
        if (target?.port === undefined) continue
        for (const ip of endpoint.addresses.slice(0, 1))
          seen.set(`${ip}:${String(target.port)}`, {
            ip,
            port: target.port,
            local: endpoint.nodeName === options.nodeName,
          })
      }
      const all = [...seen.values()].sort((a, b) => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : a.port - b.port))
      result.push({ service, port, protocol: (port.protocol ?? 'TCP').toLowerCase() as PortBackends['protocol'], all })
    }
  }
  return result
}
