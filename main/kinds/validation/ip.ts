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
  const [high = 0, low = 0] = mapped.slice(1).map((part) => Number.parseInt(part, 16))
  return `::ffff:${numberToIpv4(high * 65_536 + low)}`
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
function networkOf(address: string, bits: number): string {
  if (isIPv4(address)) return numberToIpv4(ipv4Range(`${address}/${String(bits)}`).first)
  const groups = ipv6Groups(address).map((group, index) => {
    const kept = Math.min(16, Math.max(0, bits - index * 16))
    return group & ~(0xffff >> kept)
  })
  return canonicalAddress(groups.map((group) => (group & 0xffff).toString(16)).join(':')) ?? address
}

function ipv6Groups(address: string): number[] {
  const [head = '', tail] = (canonicalAddress(address) ?? '').split('::')
  const parse = (text: string): number[] =>
    text === ''
      ? []
      : text.split(':').flatMap((part) => {
          if (!part.includes('.')) return [Number.parseInt(part, 16)]
          const value = ipv4ToNumber(part)
          return [Math.floor(value / 65_536), value % 65_536]
        })
  const before = parse(head)
  if (tail === undefined) return before
  const after = parse(tail)
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
}

export const familyOf = (address: string): 'IPv4' | 'IPv6' => (isIPv4(address) ? 'IPv4' : 'IPv6')

/** IPv4 only. */
export function ipv4ToNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

export function numberToIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => String(Math.floor(value / 2 ** shift) % 256)).join('.')
}

/** First address and number of addresses of an IPv4 CIDR. */
export function ipv4Range(cidr: string): { first: number; size: number } {
  const [address = '', bits = '32'] = cidr.split('/')
  const size = 2 ** (32 - Number(bits))
  return { first: Math.floor(ipv4ToNumber(address) / size) * size, size }
}
