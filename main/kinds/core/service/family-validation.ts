// What clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy may say, by themselves and about each other.
import type { ServiceSpec } from '../../../../common/api/generated/types.ts'
import {
  duplicate,
  invalidValue,
  notSupported,
  required,
  type FieldError,
} from '../../../../common/machinery/field-error.ts'
import { familyOf } from '../../../../common/machinery/addresses.ts'
import { checkAddress, isAddress } from '../../validation/ip.ts'
import { isHeadless } from './defaults.ts'

const supportedFamilies = ['IPv4', 'IPv6']
const supportedPolicies = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

export function checkFamilies(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName') return []
  const { clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec
  const errors: FieldError[] = []
  if (clusterIP !== '' && clusterIPs.length === 0) errors.push(required('spec.clusterIPs'))
  else if (clusterIP !== '' && clusterIPs[0] !== clusterIP) {
    errors.push(invalidValue('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`'))
  } else if (clusterIP === '' && clusterIPs.length > 0) {
    errors.push(invalidValue('spec.clusterIPs', clusterIPs, 'must be empty when `clusterIP` is not specified'))
  }
  const seen = new Set<string>()
  ipFamilies.forEach((family, index) => {
    const path = `spec.ipFamilies[${String(index)}]`
    if (!supportedFamilies.includes(family)) errors.push(notSupported(path, family, supportedFamilies))
    if (seen.has(family)) errors.push(duplicate(path, family))
    seen.add(family)
  })
  if (ipFamilyPolicy !== undefined && !supportedPolicies.includes(ipFamilyPolicy)) {
    errors.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, supportedPolicies))
  }
  checkClusterIPs(errors, spec)
  return errors
}

function checkClusterIPs(errors: FieldError[], spec: ServiceSpec): void {
  const { clusterIPs = [], ipFamilies = [] } = spec
  const before = errors.length
  if (clusterIPs[0] === 'None' && clusterIPs.length > 1)
    errors.push(invalidValue('spec.clusterIPs', clusterIPs, "'None' must be the first and only value"))
  const misplaced = errors.length > before
  const addressesFrom = errors.length
  clusterIPs.forEach((address, index) => {
    if (index > 0 || address !== 'None') checkAddress(errors, `spec.clusterIPs[${String(index)}]`, address)
  })
  const malformed = errors.length > addressesFrom
  if (clusterIPs.length > 2) errors.push(invalidValue('spec.clusterIPs', clusterIPs, 'may only hold up to 2 values'))
  if (misplaced || malformed || isHeadless(spec)) return
  const families = clusterIPs.filter(isAddress).map(familyOf)
  if (new Set(families).size < families.length) {
    errors.push(invalidValue('spec.clusterIPs', clusterIPs, 'may specify no more than one IP for each IP family'))
  }
  if (errors.length > 0) return
  families.forEach((family, index) => {
    const expected = ipFamilies[index]
    if (expected === undefined || expected === family) return
    const detail = `expected an ${expected} value as indicated by \`ipFamilies[${String(index)}]\``
    errors.push(invalidValue(`spec.clusterIPs[${String(index)}]`, clusterIPs[index], detail))
  })
}

/** Addresses stay with a Service for its life; a second one may come, and go when the policy says so. */
export function checkFamilyUpdate(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return []
  const errors: FieldError[] = []
  const [headless, wasHeadless] = [isHeadless(spec), isHeadless(old)]
  if (!headless || !wasHeadless) checkKept(errors, 'clusterIPs', 'clusterIP', spec, old)
  if (!headless && !wasHeadless) checkKept(errors, 'ipFamilies', 'ipFamily', spec, old)
  return errors
}

function checkKept(
  errors: FieldError[],
  field: 'clusterIPs' | 'ipFamilies',
  one: string,
  spec: ServiceSpec,
  old: ServiceSpec,
): void {
  const [values, before] = [spec[field] ?? [], old[field] ?? []]
  if (before.length > 0 && values.length === 0)
    errors.push(invalidValue(`spec.${field}[0]`, values, `primary ${one} can not be unset`))
  else {
    const count = values.length === before.length ? before.length : Math.min(1, before.length)
    for (let index = 0; index < count; index += 1) {
      if (values[index] !== before[index])
        errors.push(invalidValue(`spec.${field}[${String(index)}]`, values, 'may not change once set'))
    }
  }
  if (before.length > values.length && values.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const detail = `must be set to 'SingleStack' when releasing the secondary ${one}`
    errors.push(invalidValue('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail))
  }
}
