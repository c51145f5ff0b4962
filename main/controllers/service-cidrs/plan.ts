// Pure: whether a range of service addresses may go. Membership by node's own block list: exact for both families.
import { BlockList, isIPv6 } from 'node:net'
import type { NetworkingV1IPAddress, NetworkingV1ServiceCIDR } from '../../../common/api/generated/types.ts'

export const cidrFinalizer = 'networking.k8s.io/service-cidr-finalizer'
export const readyMessage = 'Kubernetes Service CIDR is ready'
export const inUseMessage =
  'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR'
/** Allocators may still take the range for usable this long after its deletion. */
const graceMs = 10_000

export type CidrPlan =
  | { action: 'ready'; finalizers: string[] | undefined }
  | { action: 'in-use' }
  | { action: 'wait'; afterMs: number }
  | { action: 'release'; finalizers: string[] }
  | { action: 'none' }

export function planCidr(
  cidr: NetworkingV1ServiceCIDR,
  all: readonly NetworkingV1ServiceCIDR[],
  addresses: readonly NetworkingV1IPAddress[],
  nowMs: number,
): CidrPlan {
  const { deletionTimestamp, finalizers = [], uid } = cidr.metadata
  const held = finalizers.includes(cidrFinalizer)
  if (deletionTimestamp === undefined)
    return { action: 'ready', finalizers: held ? undefined : [...finalizers, cidrFinalizer] }
  if (!held) return { action: 'none' }
  const others = all.filter(({ metadata }) => metadata.uid !== uid && metadata.deletionTimestamp === undefined)
  const own = rangesOf([cidr])
  const elsewhere = rangesOf(others)
  const orphaned = addresses.some(({ metadata }) => {
    const name = metadata.name ?? ''
    return holds(own, name) && !holds(elsewhere, name)
  })
  if (orphaned) return { action: 'in-use' }
  const leftMs = Date.parse(deletionTimestamp) + graceMs - nowMs
  if (leftMs > 0) return { action: 'wait', afterMs: leftMs }
  return { action: 'release', finalizers: finalizers.filter((other) => other !== cidrFinalizer) }
}

function rangesOf(cidrs: readonly NetworkingV1ServiceCIDR[]): BlockList {
  const list = new BlockList()
  for (const { spec } of cidrs) {
    for (const text of spec?.cidrs ?? []) {
      const [network = '', bits = ''] = text.split('/')
      list.addSubnet(network, Number(bits), familyOf(network))
    }
  }
  return list
}

const holds = (ranges: BlockList, address: string): boolean => ranges.check(address, familyOf(address))
const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4')
