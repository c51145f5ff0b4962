// A machine's stable identity on the lab's network, derived from one small number that is allocated once.

export interface MachineIdentity {
  /** 1-254 */
  readonly index: number
  /** "10.77.0.11" */
  readonly lanAddress: string
  /** "10.244.1.0/24" */
  readonly podCIDR: string
  readonly macs: { readonly control: string; readonly lan: string }
}

export interface LabRanges {
  /** "10.77.0.0/16" */
  readonly lanCIDR: string
  /** "10.244.0.0/16" */
  readonly clusterCIDR: string
}

export const maxMachines = 254
/** LAN addresses start at .11: the first ten are left for the lab's own uses. */
const firstHost = 10

/** The smallest index that none of `used` has; undefined when the lab is full. */
export function freeIndex(used: Iterable<number>): number | undefined {
  const taken = new Set(used)
  for (let index = 1; index <= maxMachines; index++) if (!taken.has(index)) return index
  return undefined
}

export function identityOf(index: number, ranges: LabRanges): MachineIdentity {
  const suffix = `00:${index.toString(16).padStart(2, '0')}`
  return {
    index,
    lanAddress: formatIPv4(cidrBase(ranges.lanCIDR) + firstHost + index),
    podCIDR: `${formatIPv4(cidrBase(ranges.clusterCIDR) + index * 256)}/24`,
    // 52:54:00 is the prefix QEMU uses; the next byte tells the two NICs apart ('C' for control, 'L' for LAN).
    macs: { control: `52:54:00:43:${suffix}`, lan: `52:54:00:4c:${suffix}` },
  }
}

export function cidrPrefix(cidr: string): number {
  return Number(cidr.slice(cidr.indexOf('/') + 1))
}

function cidrBase(cidr: string): number {
  const address = cidr.slice(0, cidr.indexOf('/'))
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

const formatIPv4 = (value: number): string => [24, 16, 8, 0].map((shift) => String((value >>> shift) & 255)).join('.')
