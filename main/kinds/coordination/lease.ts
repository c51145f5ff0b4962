// Lease: a heartbeat or a leader's claim.
import type { Lease } from '../../../common/api/generated/types.ts'
import { invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { checkNonNegative } from '../validation/values.ts'

export const lease = defineKind('coordination.k8s.io/v1/leases', {
  tracksGeneration: false,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  setDefaults: (object) => {
    object.spec ??= {}
  },
  validate,
  columns: [nameColumn, { name: 'Holder', type: 'string', cell: ({ spec }) => spec?.holderIdentity ?? '' }, ageColumn],
})

function validate({ spec = {} }: Lease): FieldError[] {
  const errors: FieldError[] = []
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = spec
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    errors.push(invalidValue('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'))
  }
  checkNonNegative(errors, 'spec.leaseTransitions', leaseTransitions)
  if (strategy === '') errors.push(invalidValue('spec.strategy', strategy, 'must not be empty'))
  if (preferredHolder !== undefined && preferredHolder !== '' && (strategy === undefined || strategy === '')) {
    errors.push(required('spec.strategy', 'must be specified when preferredHolder is set'))
  }
  return errors
}
