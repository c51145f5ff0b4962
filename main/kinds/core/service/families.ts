// Which IP families a Service has: what its author said, completed by what the cluster has. Follows --service-cluster-ip-range: its
// first range is the family of Services that name none.
import type { Service, ServiceSpec } from '../../../../common/api/generated/types.ts'
import { invalidValue, type FieldError } from '../../../../common/machinery/field-error.ts'
import { sameElements } from '../../validation/collections.ts'
import { familyOf, type IpFamily } from '../../../../common/machinery/addresses.ts'
import type { ClusterFacts, WriteContext } from '../../kind.ts'
import { isHeadless } from './defaults.ts'
import { checkFamilies } from './family-validation.ts'

/** The families of this cluster, the default one first. */
export const familiesOf = ({ serviceCIDRs }: ClusterFacts): IpFamily[] => serviceCIDRs.map(familyOf)

/** Completes ipFamilyPolicy and ipFamilies; says why that cannot be. */
export function setFamilies({ spec }: Service, old: Service | undefined, { cluster }: WriteContext): FieldError[] {
  if (spec === undefined || spec.type === 'ExternalName' || keepsPreferred(spec, old?.spec)) return []
  const selectorless = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0
  // Without a selector the endpoints of a headless Service may be of any family.
  spec.ipFamilyPolicy ??= old?.spec?.ipFamilyPolicy ?? (selectorless ? 'RequireDualStack' : 'SingleStack')
  const wrong = checkFamilies(spec)
  if (wrong.length > 0) return wrong
  const errors: FieldError[] = []
  if (old !== undefined) checkReduction(errors, spec, old.spec ?? {})
  checkPolicy(errors, spec)
  const configured = familiesOf(cluster)
  inferFamilies(errors, spec, configured)
  if (errors.length > 0) return errors
  if (!selectorless) checkConfigured(errors, spec, configured)
  if (errors.length > 0) return errors
  const families = spec.ipFamilies ?? []
  if (families.length === 0) families.push(configured[0] ?? 'IPv4')
  if (families.length === 1 && spec.ipFamilyPolicy !== 'SingleStack' && (selectorless || configured.length === 2))
    families.push(families[0] === 'IPv4' ? 'IPv6' : 'IPv4')
  spec.ipFamilies = families
  return []
}

/** PreferDualStack takes what there was when it was written: a cluster that gains or loses a family does not change it. */
export function keepsPreferred(spec: ServiceSpec, old: ServiceSpec | undefined): boolean {
  return (
    old !== undefined &&
    spec.type === old.type &&
    spec.type !== 'ExternalName' &&
    spec.ipFamilyPolicy === 'PreferDualStack' &&
    (old.ipFamilyPolicy ?? 'PreferDualStack') === 'PreferDualStack' &&
    sameElements(spec.clusterIPs, old.clusterIPs) &&
    sameElements(spec.ipFamilies, old.ipFamilies)
  )
}

const isReduced = (now: readonly string[] = [], before: readonly string[] = []): boolean =>
  now.length > 0 && now.length < before.length

/** SingleStack lets the second family go; without it nothing may be left out. */
function checkReduction(errors: FieldError[], spec: ServiceSpec, old: ServiceSpec): void {
  const refuse = (what: string): void => {
    const detail = `must be 'SingleStack' to release the secondary ${what}`
    errors.push(invalidValue('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail))
  }
  if (spec.ipFamilyPolicy !== 'SingleStack') {
    if (isReduced(spec.clusterIPs, old.clusterIPs)) refuse('cluster IP')
    if (isReduced(spec.ipFamilies, old.ipFamilies)) refuse('IP family')
    return
  }
  if (spec.clusterIPs !== undefined && sameElements(spec.clusterIPs, old.clusterIPs))
    spec.clusterIPs = spec.clusterIPs.slice(0, 1)
  if (spec.ipFamilies !== undefined && sameElements(spec.ipFamilies, old.ipFamilies))
    spec.ipFamilies = spec.ipFamilies.slice(0, 1)
}

function checkPolicy(errors: FieldError[], { ipFamilyPolicy, clusterIPs = [], ipFamilies = [] }: ServiceSpec): void {
  if (ipFamilyPolicy !== 'SingleStack') return
  const refuse = (what: string): void => {
    const detail = `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`
    errors.push(invalidValue('spec.ipFamilyPolicy', ipFamilyPolicy, detail))
  }
  if (clusterIPs.length === 2) refuse('cluster IPs')
  if (ipFamilies.length === 2) refuse('IP families')
}

/** Addresses that were asked for tell their families. */
function inferFamilies(errors: FieldError[], spec: ServiceSpec, configured: readonly IpFamily[]): void {
  if (isHeadless(spec)) return
  const { clusterIPs = [] } = spec
  const families = (spec.ipFamilies ??= [])
  clusterIPs.slice(families.length).forEach((address) => {
    const family = familyOf(address)
    if (configured.includes(family)) {
      families.push(family)
      return
    }
    const path = `spec.clusterIPs[${String(clusterIPs.indexOf(address))}]`
    errors.push(invalidValue(path, clusterIPs, `${family} is not configured on this cluster`))
  })
}

function checkConfigured(
  errors: FieldError[],
  { ipFamilyPolicy, ipFamilies = [] }: ServiceSpec,
  configured: readonly IpFamily[],
): void {
  if (ipFamilyPolicy === 'RequireDualStack' && configured.length < 2) {
    const detail = 'this cluster is not configured for dual-stack services'
    errors.push(invalidValue('spec.ipFamilyPolicy', ipFamilyPolicy, detail))
  }
  ipFamilies.forEach((family, index) => {
    if (!configured.some((name) => name === family))
      errors.push(invalidValue(`spec.ipFamilies[${String(index)}]`, family, 'not configured on this cluster'))
  })
}
