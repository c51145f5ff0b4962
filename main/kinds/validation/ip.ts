// IP addresses and CIDRs as Kubernetes accepts them.
import { isIP, isIPv4 } from 'node:net'
import { addressToNumber, familyOf, numberToAddress, rangeOf } from '../../../common/machinery/addresses.ts'
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
export const canonicalAddress = (value: string): string | undefined =>
  isAddress(value) ? numberToAddress(addressToNumber(value), familyOf(value)) : undefined

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
