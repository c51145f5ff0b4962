// IP addresses and ranges as numbers, of both families. What is given must be valid: who takes text from outside checks it first.

export type IpFamily = 'IPv4' | 'IPv6'

/** Of an address or a CIDR. */
export const familyOf = (address: string): IpFamily => (address.includes(':') ? 'IPv6' : 'IPv4')

const bitsOf = { IPv4: 32, IPv6: 128 } as const

export function addressToNumber(address: string): bigint {
  if (familyOf(address) === 'IPv4') return groupsToNumber(address.split('.').map(Number), 8n)
  const [head = '', tail] = address.split('::')
  const before = ipv6Groups(head)
  const after = ipv6Groups(tail ?? '')
  const between = Array.from({ length: 8 - before.length - after.length }, () => 0)
  return groupsToNumber([...before, ...between, ...after], 16n)
}

const groupsToNumber = (groups: readonly number[], bits: bigint): bigint =>
  groups.reduce((sum, group) => (sum << bits) | BigInt(group), 0n)

/** The last two may be written as an IPv4 address. */
function ipv6Groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)]
    const value = Number(addressToNumber(part))
    return [value >>> 16, value & 0xffff]
  })
}

/** In canonical form (RFC 5952; IPv4-mapped addresses with their IPv4 part). */
export function numberToAddress(value: bigint, family: IpFamily): string {
  if (family === 'IPv4') return groupsOf(value, 4, 8n).join('.')
  if (value >> 32n === 0xffffn) return `::ffff:${numberToAddress(value & 0xffffffffn, 'IPv4')}`
  const text = groupsOf(value, 8, 16n).map((group) => group.toString(16))
  const { at, length } = longestZeros(text)
  if (length < 2) return text.join(':')
  return `${text.slice(0, at).join(':')}::${text.slice(at + length).join(':')}`
}

const groupsOf = (value: bigint, count: number, bits: bigint): bigint[] =>
  Array.from({ length: count }, (_, index) => (value >> (BigInt(count - 1 - index) * bits)) & ((1n << bits) - 1n))

/** The first of the longest runs of zero groups. */
function longestZeros(groups: readonly string[]): { at: number; length: number } {
  let longest = { at: 0, length: 0 }
  let start = 0
  groups.forEach((group, index) => {
    if (group !== '0') start = index + 1
    else if (index + 1 - start > longest.length) longest = { at: start, length: index + 1 - start }
  })
  return longest
}

export interface AddressRange {
  readonly family: IpFamily
  readonly first: bigint
  /** Number of addresses. */
  readonly size: bigint
}

/** The addresses of a CIDR. */
export function rangeOf(cidr: string): AddressRange {
  const [address = '', bits = ''] = cidr.split('/')
  const family = familyOf(address)
  const size = 1n << BigInt(bitsOf[family] - Number(bits))
  return { family, first: (addressToNumber(address) / size) * size, size }
}

export const overlap = (a: AddressRange, b: AddressRange): boolean =>
  a.family === b.family && a.first < b.first + b.size && b.first < a.first + a.size
