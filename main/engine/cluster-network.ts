// The address plan of a cluster. In a lab all of it is private to the lab's own switch; nothing is visible to the host's network.
import type { LabNetwork } from '../lab/machines/deps.ts'
import { familyOf, numberToAddress, rangeOf } from '../../common/machinery/addresses.ts'
import { isCidr } from '../kinds/validation/ip.ts'
import { CodedError } from './coded-error.ts'

export interface ClusterNetwork {
  lanCIDR: string
  clusterCIDR: string
  /** Ranges of Services: one, or one of each family; the first is of the default family. */
  serviceCIDRs: readonly string[]
  /** First address of the first service range: kubernetes.default. */
  apiServiceAddress: string
  /** Tenth address; undefined in a range that has none. */
  dnsAddress: string | undefined
  domain: string
  nodePortRange: { from: number; to: number }
}

/** As kube-apiserver: allocators need a few addresses, and walk no more than half of IPv6's. */
const prefixes = { IPv4: { shortest: 8, longest: 29 }, IPv6: { shortest: 64, longest: 125 } } as const

/** One range, or one of each family, in canonical form. Throws Error with what is wrong. */
export function parseCidrs(cidrs: readonly string[]): string[] {
  for (const cidr of cidrs)
    if (!isCidr(cidr)) throw new Error(`"${cidr}" is not a range of addresses, for example 10.96.0.0/16`)
  if (cidrs.length === 0) throw new Error('names no range')
  if (cidrs.length > 2) throw new Error('must not name more than two ranges, one of each family')
  if (cidrs.length === 2 && familyOf(cidrs[0] ?? '') === familyOf(cidrs[1] ?? ''))
    throw new Error('two ranges must be of different families')
  return cidrs.map((cidr) => {
    const { first, family } = rangeOf(cidr)
    return `${numberToAddress(first, family)}/${cidr.split('/')[1] ?? ''}`
  })
}

/** The ranges that --service-cluster-ip-range may name. */
export function parseServiceRanges(text: string): string[] {
  const cidrs = parseCidrs(text.split(',').map((part) => part.trim()))
  for (const cidr of cidrs) checkRange(cidr)
  return cidrs
}

function checkRange(cidr: string): void {
  const { shortest, longest } = prefixes[familyOf(cidr)]
  const bits = Number(cidr.split('/')[1])
  if (bits < shortest || bits > longest)
    throw new Error(
      `${cidr} must be between /${String(shortest)} and /${String(longest)} for ${familyOf(cidr)} addresses`,
    )
}

/** The addresses that follow from the service ranges: the first is the API, the tenth is DNS. */
export function clusterNetwork(
  serviceCIDRs: readonly string[] = ['10.96.0.0/16'],
  nodePortRange = { from: 30000, to: 32767 },
): ClusterNetwork {
  const { first, family, size } = rangeOf(serviceCIDRs[0] ?? '')
  return {
    lanCIDR: '10.77.0.0/16',
    clusterCIDR: '10.244.0.0/16',
    serviceCIDRs,
    apiServiceAddress: numberToAddress(first + 1n, family),
    dnsAddress: size < 16n ? undefined : numberToAddress(first + 10n, family),
    domain: 'cluster.local',
    nodePortRange,
  }
}

/** What machines are told: their LAN carries one IPv4 service range with room for the addresses of API and DNS. */
export function labNetwork(network: ClusterNetwork): LabNetwork {
  const [serviceCIDR = '', ...others] = network.serviceCIDRs
  const { dnsAddress } = network
  if (others.length > 0 || dnsAddress === undefined || familyOf(serviceCIDR) !== 'IPv4')
    throw new CodedError(
      'BadArgument',
      `--service-cluster-ip-range ${network.serviceCIDRs.join(',')}: machines need one IPv4 range of 16 addresses or more.`,
      'Name such a range, or start without machines (--no-machines).',
    )
  return { ...network, serviceCIDR, dnsAddress }
}
