// PodDisruptionBudget: how many of some pods may be missing on purpose.
import { invalidValue, notSupported, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { checkConditions } from '../validation/conditions.ts'
import { checkLabelSelector } from '../validation/label-selector.ts'
import { checkAtMostHundredPercent, checkCountOrPercent, checkNonNegative } from '../validation/values.ts'

export const podDisruptionBudget = defineKind('policy/v1/poddisruptionbudgets', {
  allowUnconditionalUpdate: false,
  shortNames: ['pdb'],
  prepareForCreate: dropStatus,
  setDefaults: (object) => {
    object.spec ??= {}
    object.status ??= {}
    const { status } = object
    status.currentHealthy ??= 0
    status.desiredHealthy ??= 0
    status.disruptionsAllowed ??= 0
    status.expectedPods ??= 0
  },
  validate: ({ spec = {} }) => {
    const errors: FieldError[] = []
    if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
      errors.push(invalidValue('spec', spec, 'minAvailable and maxUnavailable cannot be both set'))
    }
    for (const field of ['minAvailable', 'maxUnavailable'] as const) {
      const value = spec[field]
      if (value === undefined) continue
      checkCountOrPercent(errors, `spec.${field}`, value)
      checkAtMostHundredPercent(errors, `spec.${field}`, value)
    }
    checkLabelSelector(errors, 'spec.selector', spec.selector)
    const policy = spec.unhealthyPodEvictionPolicy
    const policies = ['AlwaysAllow', 'IfHealthyBudget']
    if (policy !== undefined && !policies.includes(policy))
      errors.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, policies))
    return errors
  },
  update: mainDoor(),
  status: statusDoor({
    validate: ({ status = {} }) => {
      const errors: FieldError[] = []
      for (const field of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const) {
        checkNonNegative(errors, `status.${field}`, status[field])
      }
      checkConditions(errors, 'status.conditions', status.conditions ?? [])
      return errors
    },
  }),
  columns: [
    nameColumn,
    { name: 'Min Available', type: 'string', cell: ({ spec }) => String(spec?.minAvailable ?? 'N/A') },
    { name: 'Max Unavailable', type: 'string', cell: ({ spec }) => String(spec?.maxUnavailable ?? 'N/A') },
    { name: 'Allowed Disruptions', type: 'integer', cell: ({ status }) => status?.disruptionsAllowed ?? 0 },
    ageColumn,
  ],
})
