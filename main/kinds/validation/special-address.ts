// Addresses that no endpoint may have: unspecified, loopback, link-local.
import { isIPv4 } from 'node:net'
import { invalidValue, type FieldError } from '../../../common/machinery/field-error.ts'

export function checkNotSpecialAddress(errors: FieldError[], path: string, address: string): void {
  const refuse = (detail: string): void => {
    errors.push(invalidValue(path, address, detail))
  }
  const v4 = isIPv4(address)
  const lower = address.toLowerCase()
  if (v4 ? address === '0.0.0.0' : /^[0:]+$/.test(lower)) refuse(`may not be unspecified (${address})`)
  if (v4 ? address.startsWith('127.') : /^[0:]*:0*1$/.test(lower))
    refuse('may not be in the loopback range (127.0.0.0/8, ::1/128)')
  if (v4 ? address.startsWith('169.254.') : /^fe[89ab]/.test(lower)) {
    refuse('may not be in the link-local range (169.254.0.0/16, fe80::/10)')
  }
  if (v4 ? address.startsWith('224.0.0.') : lower.startsWith('ff02:')) {
    refuse('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')
  }
}
