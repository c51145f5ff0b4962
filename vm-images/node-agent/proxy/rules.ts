// Compiles services and their endpoints into an nftables table: verdict maps for addresses and node ports, one chain per service port
// and per endpoint. Pure; apply.ts loads it, difference.ts makes updates small.
import { createHash } from 'node:crypto'
import type { EndpointSlice, Service } from '../../../common/api/generated/types.ts'
import { portBackends, type Backend, type PortBackends } from './backends.ts'

export const tableName = 'orrery-proxy'
/** Set on packets whose source is to be replaced by this node's address; the bit kubelets have always used. */
const masqueradeMark = '0x4000'

export interface Ruleset {
  /** Map name to elements: key to verdict. */
  readonly maps: Readonly<Record<MapName, ReadonlyMap<string, string>>>
  /** Session affinity sets, with their timeout in seconds. */
  readonly affinities: ReadonlyMap<string, number>
  /** Chain name to rules. */
  readonly chains: ReadonlyMap<string, readonly string[]>
}

export const mapTypes = {
  'service-ips': 'ipv4_addr . inet_proto . inet_service : verdict',
  'service-nodeports': 'inet_proto . inet_service : verdict',
  'no-endpoint-services': 'ipv4_addr . inet_proto . inet_service : verdict',
  'no-endpoint-nodeports': 'inet_proto . inet_service : verdict',
} as const
export type MapName = keyof typeof mapTypes

/** The part that never changes: hooks and what they jump to. */
export const fixedChains: ReadonlyMap<string, readonly string[]> = new Map([
  ['mark-for-masquerade', [`meta mark set meta mark or ${masqueradeMark}`]],
  ['refuse', ['meta l4proto tcp reject with tcp reset', 'reject with icmp type port-unreachable']],
  ['services', [
    'ip daddr . meta l4proto . th dport vmap @service-ips',
    'fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @service-nodeports',
  ]],
  ['no-endpoints', [
    'ip daddr . meta l4proto . th dport vmap @no-endpoint-services',
    'fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @no-endpoint-nodeports',
  ]],
  ['nat-prerouting', ['type nat hook prerouting priority dstnat; policy accept;', 'jump services']],
  ['nat-output', ['type nat hook output priority -100; policy accept;', 'jump services']],
  ['nat-postrouting', [
    'type nat hook postrouting priority srcnat; policy accept;',
    `meta mark and ${masqueradeMark} != ${masqueradeMark} return`,
    `meta mark set meta mark xor ${masqueradeMark}`,
    'masquerade fully-random',
  ]],
  ['filter-input', ['type filter hook input priority -110; policy accept;', 'ct state new jump no-endpoints']],
  ['filter-forward', ['type filter hook forward priority -110; policy accept;', 'ct state new jump no-endpoints']],
  ['filter-output', ['type filter hook output priority -110; policy accept;', 'ct state new jump no-endpoints']],
]) // prettier-ignore

/** What is still on its way to the service range after the address translation above goes to no service: refused at once. */
export function unallocatedChains(options: {
  serviceCIDR: string
  skipAddresses: ReadonlySet<string>
}): Map<string, readonly string[]> {
  const own = [...options.skipAddresses].join(', ')
  const rule = `ip daddr ${options.serviceCIDR}${own === '' ? '' : ` ip daddr != { ${own} }`} ct state new goto refuse`
  return new Map([
    ['unallocated-forward', ['type filter hook forward priority 0; policy accept;', rule]],
    ['unallocated-output', ['type filter hook output priority 0; policy accept;', rule]],
  ])
}

/** A port of this node that belongs to a pod of this node. */
export interface HostPort {
  /** "" or "0.0.0.0": every address of the node. */
  readonly hostIP: string
  readonly hostPort: number
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly podIP: string
  readonly containerPort: number
}

export interface RulesInput {
  services: readonly Service[]
  slices: readonly EndpointSlice[]
  hostPorts: readonly HostPort[]
  nodeName: string
  /** Service addresses that this node's agent answers itself (API tunnel, DNS). */
  skipAddresses: ReadonlySet<string>
}

export function compileRules(input: RulesInput): Ruleset {
  const builder = new Builder()
  for (const entry of portBackends(input.services, input.slices, input)) builder.addPort(entry)
  for (const port of input.hostPorts) builder.addHostPort(port)
  return builder
}

/** How traffic from inside (pods, nodes) and from outside reaches the port. */
class Builder implements Ruleset {
  readonly maps: Record<MapName, Map<string, string>> = {
    'service-ips': new Map(),
    'service-nodeports': new Map(),
    'no-endpoint-services': new Map(),
    'no-endpoint-nodeports': new Map(),
  }
  readonly affinities = new Map<string, number>()
  readonly chains = new Map<string, readonly string[]>()

  addPort(entry: PortBackends): void {
    const { service, port, protocol, all } = entry
    const spec = service.spec ?? {}
    const local = all.filter((backend) => backend.local)
    const internal = spec.internalTrafficPolicy === 'Local' ? local : all
    const keepsSource = spec.externalTrafficPolicy === 'Local'
    const key = (ip: string): string => `${ip} . ${protocol} . ${String(port.port)}`

    const { clusterIP = '' } = spec
    if (all.length === 0) this.maps['no-endpoint-services'].set(key(clusterIP), 'goto refuse')
    else if (internal.length === 0) this.maps['no-endpoint-services'].set(key(clusterIP), 'drop')
    else this.maps['service-ips'].set(key(clusterIP), `goto ${this.#balance('svc', entry, internal)}`)

    const outside = [
      ...(spec.externalIPs ?? []),
      ...(service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []),
    ]
    const nodePort = port.nodePort ?? 0
    if (outside.length === 0 && nodePort === 0) return
    const usable = keepsSource ? local : all
    if (usable.length === 0) {
      const verdict = all.length === 0 ? 'goto refuse' : 'drop'
      for (const ip of outside) this.maps['no-endpoint-services'].set(key(ip), verdict)
      if (nodePort !== 0) this.maps['no-endpoint-nodeports'].set(`${protocol} . ${String(nodePort)}`, verdict)
      return
    }
    const chain = this.#external(entry, usable, { keepsSource, sameAsInside: internal.length === usable.length })
    for (const ip of outside) this.maps['service-ips'].set(key(ip), `goto ${chain}`)
    if (nodePort !== 0) this.maps['service-nodeports'].set(`${protocol} . ${String(nodePort)}`, `goto ${chain}`)
  }

  addHostPort({ hostIP, hostPort, protocol, podIP, containerPort }: HostPort): void {
    const target = `${podIP}:${String(containerPort)}`
    const chain = `host-${protocol}-${String(hostPort)}-${digest(`${hostIP}/${target}`)}`
    this.chains.set(chain, [`ip saddr ${podIP} jump mark-for-masquerade`, `meta l4proto ${protocol} dnat to ${target}`])
    if (hostIP === '' || hostIP === '0.0.0.0')
      this.maps['service-nodeports'].set(`${protocol} . ${String(hostPort)}`, `goto ${chain}`)
    else this.maps['service-ips'].set(`${hostIP} . ${protocol} . ${String(hostPort)}`, `goto ${chain}`)
  }

  #external(
    entry: PortBackends,
    usable: readonly Backend[],
    how: { keepsSource: boolean; sameAsInside: boolean },
  ): string {
    const kind = how.sameAsInside ? 'svc' : 'out'
    // Answers must come back through this node, whichever node the endpoint is on; with policy Local they do anyway.
    if (how.keepsSource) return this.#balance(kind, entry, usable)
    const name = chainName('ext', entry)
    this.chains.set(name, ['jump mark-for-masquerade', `goto ${this.#balance(kind, entry, usable)}`])
    return name
  }

  #balance(kind: string, entry: PortBackends, backends: readonly Backend[]): string {
    const name = chainName(kind, entry)
    const targets = backends.map((backend) => this.#endpoint(entry, backend))
    const sticky = targets.flatMap(({ chain, affinity }) =>
      affinity === undefined ? [] : [`ip saddr @${affinity} goto ${chain}`],
    )
    const choice = targets.map(({ chain }, index) => `${String(index)} : goto ${chain}`).join(', ')
    this.chains.set(name, [...sticky, `numgen random mod ${String(targets.length)} vmap { ${choice} }`])
    return name
  }

  #endpoint(entry: PortBackends, backend: Backend): { chain: string; affinity: string | undefined } {
    const target = `${backend.ip}:${String(backend.port)}`
    const chain = `${chainName('ep', entry)}-${digest(target)}`
    const { sessionAffinity, sessionAffinityConfig } = entry.service.spec ?? {}
    const affinity = sessionAffinity === 'ClientIP' ? `aff-${chain}` : undefined
    if (affinity !== undefined) this.affinities.set(affinity, sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
    this.chains.set(chain, [
      // A pod that reaches itself through its service must not see its own address as the source.
      `ip saddr ${backend.ip} jump mark-for-masquerade`,
      ...(affinity === undefined ? [] : [`update @${affinity} { ip saddr }`]),
      `meta l4proto ${entry.protocol} dnat to ${target}`,
    ])
    return { chain, affinity }
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8)

/** Readable where possible, unique always: nftables names end at 127 bytes. */
function chainName(kind: string, { service, port, protocol }: PortBackends): string {
  const full = `${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}/${protocol}/${port.name ?? ''}/${String(port.port)}`
  return `${kind}-${digest(full)}-${(service.metadata.name ?? '').slice(0, 40)}-${String(port.port)}`
}
