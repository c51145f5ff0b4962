// ServiceCIDR: a range that Services get their cluster IPs from.
import type { NetworkingV1ServiceCIDR as ServiceCidr } from '../../../common/api/generated/types.ts'
import { invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { familyOf } from '../../../common/machinery/addresses.ts'
import { checkCanonicalCidr, isCidr } from '../validation/ip.ts'

const immutable = 'field is immutable'

export const serviceCidr = defineKind('networking.k8s.io/v1/servicecidrs', {
  tracksGeneration: false,
  returnsDeletedObject: true,
  prepareForCreate: dropStatus,
  validate: (object, _context, old) => (old === undefined ? checkCidrs(object.spec?.cidrs ?? []) : []),
  update: mainDoor(checkUpdate),
  status: statusDoor(),
  columns: [
    nameColumn,
    { name: 'CIDRs', type: 'string', cell: ({ spec }) => (spec?.cidrs ?? []).join(',') },
    ageColumn,
  ],
})

function checkCidrs(cidrs: readonly string[]): FieldError[] {
  const path = 'spec.cidrs'
  if (cidrs.length === 0) return [required(path, 'at least one CIDR required')]
  if (cidrs.length > 2) return [invalidValue(path, { cidrs }, 'may only hold up to 2 values')]
  const errors: FieldError[] = []
  cidrs.forEach((cidr, index) => {
    checkCanonicalCidr(errors, `${path}[${String(index)}]`, cidr)
  })
  const families = cidrs.filter(isCidr).map(familyOf)
  if (families.length === 2 && families[0] === families[1]) {
    const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'
    errors.push(invalidValue(path, cidrs, detail))
  }
  return errors
}

/** A second family may be added; nothing else changes. */
function checkUpdate({ spec }: ServiceCidr, { spec: old }: ServiceCidr): FieldError[] {
  const cidrs = spec?.cidrs ?? []
  const before = old?.cidrs ?? []
  const changed = before.flatMap((cidr, index) =>
    cidrs[index] === cidr ? [] : [invalidValue(`spec.cidrs[${String(index)}]`, cidrs[index], immutable)],
  )
  if (cidrs.length === before.length) return changed
  if (before.length === 1 && cidrs.length === 2) return [...changed, ...checkCidrs(cidrs)]
  return [invalidValue('spec.cidrs', cidrs, immutable)]
}
