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
