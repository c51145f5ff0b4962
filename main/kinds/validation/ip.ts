// IP addresses and CIDRs as Kubernetes accepts them.
import { isIP, isIPv4 } from 'node:net'
import { invalidValue, type FieldError } from '../../../common/machinery/field-error.ts'

export const isAddress = (value: string): boolean => isIP(value) !== 0 && !value.includes('%')

export function checkAddress(errors: FieldError[], path: string, value: string): void {
  if (!isAddress(value)) {
    errors.push(invalidValue(path, value, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'))
  }
}

export function isCidr(value: string): boolean {
  const [address = '', bits = '', ...rest] = value.split('/')
  if (rest.length > 0 || !isAddress(address) || !/^(0|[1-9][0-9]*)$/.test(bits)) return false
  return Number(bits) <= (isIPv4(address) ? 32 : 128)
}

export function checkCidr(errors: FieldError[], path: string, value: string): void {
  if (!isCidr(value))
    errors.push(invalidValue(path, value, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'))
}

/** The one way to write an address: no leading zeros, IPv6 as short as it gets. Undefined when it is none. */
export function canonicalAddress(value: string): string | undefined {
  if (!isAddress(value)) return undefined
  if (isIPv4(value)) return value
  const text = new URL(`http://[${value}]/`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text)
  if (mapped === null) return text
  const [high = 0n, low = 0n] = mapped.slice(1).map((part) => BigInt(`0x${part}`))
  return `::ffff:${numberToAddress((high << 16n) | low, 'IPv4')}`
}

/** For new APIs, which take an address in one form only. */
export function checkCanonicalAddress(errors: FieldError[], path: string, value: string): void {
  const canonical = canonicalAddress(value)
  if (canonical === undefined) checkAddress(errors, path, value)
  else if (canonical.startsWith('::ffff:') && canonical.includes('.'))
    errors.push(invalidValue(path, value, 'must not be an IPv4-mapped IPv6 address'))
  else if (canonical !== value)
    errors.push(invalidValue(path, value, `must be in canonical form (${JSON.stringify(canonical)})`))
}

/** A network in canonical form, without host bits. */
export function checkCanonicalCidr(errors: FieldError[], path: string, value: string): void {
  if (!isCidr(value)) {
    checkCidr(errors, path, value)
    return
  }
  const [address = '', bits = ''] = value.split('/')
  const network = networkOf(address, Number(bits))
  const refuse = (detail: string): void => {
    errors.push(invalidValue(path, value, detail))
  }
  if (network !== canonicalAddress(address)) refuse('must not have bits set beyond the prefix length')
  else if (network !== address) refuse(`must be in canonical form (${JSON.stringify(`${network}/${bits}`)})`)
}

/** The address with everything after the first `bits` bits zero. */
const networkOf = (address: string, bits: number): string =>
  numberToAddress(rangeOf(`${address}/${String(bits)}`).first, familyOf(address))

export type IpFamily = 'IPv4' | 'IPv6'

export const familyOf = (address: string): IpFamily => (isIPv4(address) ? 'IPv4' : 'IPv6')

const bitsOf = { IPv4: 32, IPv6: 128 } as const

/** As one number; `address` must be valid. */
export function addressToNumber(address: string): bigint {
  if (isIPv4(address)) return groupsToNumber(address.split('.').map(Number), 8n)
  const [head = '', tail] = (canonicalAddress(address) ?? '').split('::')
  const before = ipv6Groups(head)
  const after = ipv6Groups(tail ?? '')
  const between = Array.from({ length: 8 - before.length - after.length }, () => 0)
  return groupsToNumber([...before, ...between, ...after], 16n)
}

const groupsToNumber = (groups: readonly number[], bits: bigint): bigint =>
  groups.reduce((sum, group) => (sum << bits) | BigInt(group), 0n)

function ipv6Groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)]
    const value = Number(addressToNumber(part))
    return [value >>> 16, value & 0xffff]
  })
}

/** In canonical form. */
export function numberToAddress(value: bigint, family: IpFamily): string {
  const [groups, bits] = family === 'IPv4' ? [4, 8n] : [8, 16n]
  const parts = Array.from({ length: groups }, (_, index) => {
    return (value >> (BigInt(groups - 1 - index) * bits)) & ((1n << bits) - 1n)
  })
  if (family === 'IPv4') return parts.join('.')
  const text = parts.map((part) => part.toString(16)).join(':')
  return canonicalAddress(text) ?? text
}

export interface AddressRange {
  readonly family: IpFamily
  readonly first: bigint
  /** Number of addresses. */
  readonly size: bigint
}

/** The addresses of a valid CIDR. */
export function rangeOf(cidr: string): AddressRange {
  const [address = '', bits = ''] = cidr.split('/')
  const family = familyOf(address)
  const size = 1n << BigInt(bitsOf[family] - Number(bits))
  return { family, first: (addressToNumber(address) / size) * size, size }
}

export const familyOfCidr = (cidr: string): IpFamily => familyOf(cidr.split('/')[0] ?? '')
