// Answers for cluster names, from Services and EndpointSlices, as the Kubernetes DNS specification (1.1.0) says. Pure.
import type { Endpoint, EndpointSlice, Service } from '../../../common/api/generated/types.ts'
import { sliceService, usableEndpoints } from '../proxy/backends.ts'

export type RecordType = 'A' | 'AAAA' | 'SRV' | 'PTR' | 'CNAME' | 'TXT' | 'NS' | 'SOA' | 'ANY' | (string & {})

export type DnsRecord =
  | { name: string; type: 'A'; data: string }
  | { name: string; type: 'CNAME'; data: string }
  | { name: string; type: 'PTR'; data: string }
  | { name: string; type: 'TXT'; data: string }
  | { name: string; type: 'NS'; data: string }
  | { name: string; type: 'SRV'; data: { priority: number; weight: number; port: number; target: string } }

export type Lookup =
  /** The name exists; no records: it has none of this type. */
  { found: true; answers: DnsRecord[]; additionals: DnsRecord[] } | { found: false }

/** What the records are made from; implementations keep it current. */
export interface ClusterNames {
  readonly domain: string
  readonly dnsAddress: string
  service(namespace: string, name: string): Service | undefined
  slices(namespace: string, name: string): readonly EndpointSlice[]
  hasNamespace(namespace: string): boolean
  serviceByAddress(ip: string): Service | undefined
  /** Headless services' endpoints by address. */
  endpointByAddress(ip: string): { endpoint: Endpoint; slice: EndpointSlice } | undefined
}

const nothing: Lookup = { found: false }
const noData: Lookup = { found: true, answers: [], additionals: [] }

/** `name` in lower case without the final dot. */
export function lookup(names: ClusterNames, name: string, type: RecordType): Lookup {
  if (name.endsWith('.in-addr.arpa')) return reverse(names, name, type)
  const suffix = `.${names.domain}`
  if (name === names.domain)
    return type === 'NS' ? answer([{ name, type: 'NS', data: `ns.dns.${names.domain}` }]) : noData
  if (!name.endsWith(suffix)) return nothing
  const labels = name.slice(0, -suffix.length).split('.')
  const zone = labels.pop()
  if (zone === 'svc') return serviceName(names, name, labels, type)
  if (zone === 'pod') return podName(names, name, labels, type)
  if (zone === 'dns-version' && labels.length === 0)
    return type === 'TXT' ? answer([{ name, type: 'TXT', data: '1.1.0' }]) : noData
  if (zone === 'dns' && labels.length === 1 && labels[0] === 'ns') return addresses(name, [names.dnsAddress], type)
  return nothing
}

function answer(answers: DnsRecord[], additionals: DnsRecord[] = []): Lookup {
  return { found: true, answers, additionals }
}

const addresses = (name: string, ips: readonly string[], type: RecordType): Lookup =>
  type === 'A' || type === 'ANY' ? answer(ips.map((data) => ({ name, type: 'A', data }))) : noData

/** 10-244-1-2.NAMESPACE.pod.DOMAIN: the address is in the name. */
function podName(names: ClusterNames, name: string, labels: readonly string[], type: RecordType): Lookup {
  const [dashed = '', namespace] = labels
  if (labels.length === 0) return noData
  if (labels.length === 1) return names.hasNamespace(dashed) ? noData : nothing
  if (labels.length !== 2 || namespace === undefined) return nothing
  const ip = dashed.replaceAll('-', '.')
  return isAddress(ip) ? addresses(name, [ip], type) : nothing
}

const isAddress = (text: string): boolean =>
  /^(\d{1,3}\.){3}\d{1,3}$/.test(text) && text.split('.').every((part) => Number(part) < 256)

function serviceName(names: ClusterNames, name: string, labels: readonly string[], type: RecordType): Lookup {
  const namespace = labels.at(-1)
  if (namespace === undefined) return noData
  if (!names.hasNamespace(namespace)) return nothing
  const serviceLabel = labels.at(-2)
  if (serviceLabel === undefined) return noData
  const service = names.service(namespace, serviceLabel)
  if (service === undefined) return nothing
  const prefix = labels.slice(0, -2)
  if (service.spec?.type === 'ExternalName')
    return prefix.length > 0 ? nothing : alias(names, name, service.spec.externalName ?? '', type)
  const base = `${serviceLabel}.${namespace}.svc.${names.domain}`
  if (prefix.length === 0) return wholeService(names, name, service, type)
  if (prefix.length === 1) return oneEndpoint(names, name, service, prefix[0] ?? '', type)
  const [portLabel = '', protocolLabel = ''] = prefix
  if (prefix.length !== 2 || !portLabel.startsWith('_') || !protocolLabel.startsWith('_')) return nothing
  const found = servicePorts(names, service, base, { port: portLabel.slice(1), protocol: protocolLabel.slice(1) })
  if (found.length === 0) return nothing
  return type === 'SRV' || type === 'ANY' ? srvAnswer(name, found) : noData
}

/** The other name and, when the cluster knows it, its records too: resolvers ask only once. */
function alias(names: ClusterNames, name: string, externalName: string, type: RecordType): Lookup {
  const target = externalName.toLowerCase().replace(/\.$/, '')
  const link: DnsRecord = { name, type: 'CNAME', data: target }
  // An alias of an alias is left to the resolver: nothing here can go round in circles.
  const known = type === 'CNAME' || isAlias(names, target) ? nothing : lookup(names, target, type)
  return known.found ? answer([link, ...known.answers], known.additionals) : answer([link])
}

function isAlias(names: ClusterNames, name: string): boolean {
  const [service = '', namespace = ''] = name.split('.')
  return names.service(namespace, service)?.spec?.type === 'ExternalName'
}

function isHeadless(service: Service): boolean {
  return service.spec?.clusterIP === 'None'
}

function wholeService(names: ClusterNames, name: string, service: Service, type: RecordType): Lookup {
  if (!isHeadless(service)) {
    if (type === 'SRV') return srvAnswer(name, servicePorts(names, service, name))
    return addresses(name, [service.spec?.clusterIP ?? ''].filter(isAddress), type)
  }
  const endpoints = endpointsOf(names, service)
  // Without endpoints the name does not exist, as other cluster DNS servers answer.
  if (endpoints.length === 0) return nothing
  if (type === 'SRV') return srvAnswer(name, servicePorts(names, service, name))
  return addresses(name, unique(endpoints.map(({ ip }) => ip)), type)
}

function oneEndpoint(names: ClusterNames, name: string, service: Service, label: string, type: RecordType): Lookup {
  if (!isHeadless(service)) return nothing
  const ips = endpointsOf(names, service)
    .filter(({ host }) => host === label)
    .map(({ ip }) => ip)
  return ips.length === 0 ? nothing : addresses(name, unique(ips), type)
}

interface NamedEndpoint {
  host: string
  ip: string
  slice: EndpointSlice
}

/** Endpoints with the host part of their name: their hostname, or the address with dashes. */
function endpointsOf(names: ClusterNames, service: Service): NamedEndpoint[] {
  const { namespace = '', name = '' } = service.metadata
  const slices = names.slices(namespace, name)
  const usable = usableEndpoints(slices)
  return usable.flatMap(({ endpoint, slice }) =>
    endpoint.addresses.map((ip) => ({ host: hostOf(endpoint, ip), ip, slice })),
  )
}

const hostOf = (endpoint: Endpoint, ip: string): string =>
  endpoint.hostname === undefined || endpoint.hostname === '' ? ip.replaceAll('.', '-') : endpoint.hostname

interface Target {
  port: number
  target: string
  ip: string
}

function servicePorts(
  names: ClusterNames,
  service: Service,
  base: string,
  only?: { port: string; protocol: string },
): Target[] {
  const matches = (port: { name?: string; protocol?: string }): boolean =>
    only === undefined || ((port.name ?? '') === only.port && (port.protocol ?? 'TCP').toLowerCase() === only.protocol)
  if (!isHeadless(service)) {
    const ip = service.spec?.clusterIP ?? ''
    return (service.spec?.ports ?? []).filter(matches).map(({ port }) => ({ port, target: base, ip }))
  }
  return endpointsOf(names, service).flatMap(({ host, ip, slice }) =>
    (slice.ports ?? [])
      .filter(matches)
      .flatMap(({ port }) => (port === undefined ? [] : [{ port, target: `${host}.${base}`, ip }])),
  )
}

function srvAnswer(name: string, targets: readonly Target[]): Lookup {
  const weight = targets.length === 0 ? 0 : Math.max(1, Math.floor(100 / targets.length))
  const hosts = new Map(targets.map(({ target, ip }) => [target, ip]))
  return answer(
    targets.map(({ port, target }) => ({ name, type: 'SRV', data: { priority: 0, weight, port, target } })),
    [...hosts].map(([target, data]) => ({ name: target, type: 'A', data })),
  )
}

function reverse(names: ClusterNames, name: string, type: RecordType): Lookup {
  const ip = name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.')
  const service = names.serviceByAddress(ip)
  const endpoint = service === undefined ? names.endpointByAddress(ip) : undefined
  let target: string
  if (service !== undefined)
    target = `${service.metadata.name ?? ''}.${service.metadata.namespace ?? ''}.svc.${names.domain}`
  else if (endpoint !== undefined) {
    const [namespace = '', serviceName = ''] = sliceService(endpoint.slice).split('/')
    target = `${hostOf(endpoint.endpoint, ip)}.${serviceName}.${namespace}.svc.${names.domain}`
  } else return nothing
  return type === 'PTR' || type === 'ANY' ? answer([{ name, type: 'PTR', data: target }]) : noData
}

const unique = (values: readonly string[]): string[] => [...new Set(values)]
