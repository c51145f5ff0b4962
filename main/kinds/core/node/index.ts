// Node: a machine that runs pods. Its agent creates it and keeps its status.
import type { Node } from '../../../../common/api/generated/types.ts'
import { duplicate, forbiddenField, invalidValue, type FieldError } from '../../../../common/machinery/field-error.ts'
import { defineKind } from '../../kind.ts'
import { mainDoor, statusDoor } from '../../strategy.ts'
import { familyOf } from '../../../../common/machinery/addresses.ts'
import { checkCidr, isCidr } from '../../validation/ip.ts'
import { checkResourceQuantity } from '../../validation/quantity.ts'
import { checkTaints } from '../pod-spec/scheduling.ts'
import { nodeColumns } from './columns.ts'

export const node = defineKind('v1/nodes', {
  shortNames: ['no'],
  tracksGeneration: false,
  setDefaults: (object) => {
    object.spec ??= {}
    object.status ??= {}
    const { spec, status } = object
    if (status.capacity !== undefined) status.allocatable ??= { ...status.capacity }
    // `podCIDR` and `podCIDRs[0]` mean the same.
    if (spec.podCIDR && spec.podCIDRs === undefined) spec.podCIDRs = [spec.podCIDR]
    else if (!spec.podCIDR && spec.podCIDRs?.[0] !== undefined) spec.podCIDR = spec.podCIDRs[0]
  },
  validate,
  update: mainDoor(validateUpdate),
  status: statusDoor({ validate: validateUpdate }),
  selectableFields: ({ spec }) => ({ 'spec.unschedulable': String(spec?.unschedulable ?? false) }),
  columns: nodeColumns,
})

function validate({ spec = {}, status = {} }: Node): FieldError[] {
  const errors: FieldError[] = []
  checkTaints(errors, 'metadata.taints', spec.taints ?? [])
  for (const field of ['capacity', 'allocatable'] as const) {
    for (const [name, quantity] of Object.entries(status[field] ?? {})) {
      checkResourceQuantity(errors, `status.${field}.${name}`, name, quantity)
    }
  }
  const cidrs = spec.podCIDRs ?? []
  const seen = new Set<string>()
  cidrs.forEach((cidr, index) => {
    checkCidr(errors, `spec.podCIDRs[${String(index)}]`, cidr)
    if (seen.has(cidr)) errors.push(duplicate(`spec.podCIDRs[${String(index)}]`, cidr))
    seen.add(cidr)
  })
  const families = cidrs.filter(isCidr).map((cidr) => familyOf(cidr.split('/')[0] ?? ''))
  if (new Set(families).size < families.length) {
    errors.push(invalidValue('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'))
  }
  return errors
}

function validateUpdate({ spec = {}, status = {} }: Node, { spec: old = {} }: Node): FieldError[] {
  const errors: FieldError[] = []
  const addresses = new Set<string>()
  status.addresses?.forEach((address, index) => {
    const key = `${address.type} ${address.address}`
    if (addresses.has(key)) errors.push(duplicate(`status.addresses[${String(index)}]`, address))
    addresses.add(key)
  })
  const before = old.podCIDRs ?? []
  if (before.length > 0 && before.join() !== (spec.podCIDRs ?? []).join()) {
    errors.push(forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'))
  }
  if (old.providerID && spec.providerID !== old.providerID) {
    errors.push(forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid'))
  }
  if ((old.externalID ?? '') !== (spec.externalID ?? ''))
    errors.push(forbiddenField('spec.externalID', 'may not be updated'))
  return errors
}
