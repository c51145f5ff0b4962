// DaemonSet: one pod on every (suitable) node.
import type { DaemonSet, DaemonSetUpdateStrategy } from '../../../common/api/generated/types.ts'
import { invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, containerColumns, formatLabels, nameColumn, selectorColumn } from '../columns.ts'
import { setPodTemplateDefaults } from '../core/pod-spec/defaults.ts'
import { podTemplateWarnings } from '../core/pod-spec/warnings.ts'
import { defineKind } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import {
  checkAtMostHundredPercent,
  checkCountOrPercent,
  checkImmutable,
  checkNonNegative,
  countOrPercent,
  unsupported,
} from '../validation/values.ts'
import { checkCollisionCount, checkCounters, checkSelectorAndTemplate } from './workload.ts'

const counters = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
] as const

export const daemonSet = defineKind('apps/v1/daemonsets', {
  shortNames: ['ds'],
  categories: ['all'],
  prepareForCreate: dropStatus,
  setDefaults: (object) => {
    object.status ??= { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 }
    const { spec } = object
    if (spec === undefined) return
    spec.updateStrategy ??= {}
    spec.updateStrategy.type ||= 'RollingUpdate'
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {}
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0
    }
    spec.revisionHistoryLimit ??= 10
    if (spec.template !== undefined) setPodTemplateDefaults(spec.template)
  },
  validate: ({ spec }) => {
    const errors: FieldError[] = []
    checkSelectorAndTemplate(errors, spec?.selector, spec?.template, { resource: 'daemonset', templateOf: 'DaemonSet' })
    checkNonNegative(errors, 'spec.minReadySeconds', spec?.minReadySeconds)
    checkStrategy(errors, 'spec.updateStrategy', spec?.updateStrategy ?? {})
    checkNonNegative(errors, 'spec.revisionHistoryLimit', spec?.revisionHistoryLimit)
    return errors
  },
  update: mainDoor((object, old) => {
    const errors: FieldError[] = []
    checkImmutable(errors, 'spec.selector', object.spec?.selector, old.spec?.selector)
    return errors
  }),
  status: statusDoor({
    validate: ({ status }, old) => {
      const errors: FieldError[] = []
      checkCounters(errors, status ?? {}, counters)
      checkCollisionCount(errors, status?.collisionCount, old.status?.collisionCount)
      return errors
    },
  }),
  warnings: (object, old) => podTemplateWarnings('spec.template', object.spec?.template, { object, old }),
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', cell: ({ status }) => status?.desiredNumberScheduled ?? 0 },
    { name: 'Current', type: 'integer', cell: ({ status }) => status?.currentNumberScheduled ?? 0 },
    { name: 'Ready', type: 'integer', cell: ({ status }) => status?.numberReady ?? 0 },
    { name: 'Up-to-date', type: 'integer', cell: ({ status }) => status?.updatedNumberScheduled ?? 0 },
    { name: 'Available', type: 'integer', cell: ({ status }) => status?.numberAvailable ?? 0 },
    { name: 'Node Selector', type: 'string', cell: ({ spec }) => formatLabels(spec?.template?.spec?.nodeSelector) },
    ageColumn,
    ...containerColumns<DaemonSet>(({ spec }) => spec?.template?.spec?.containers),
    selectorColumn<DaemonSet>(({ spec }) => spec?.selector),
  ],
})

function checkStrategy(errors: FieldError[], path: string, { type, rollingUpdate }: DaemonSetUpdateStrategy): void {
  if (type === 'OnDelete') return
  if (type !== 'RollingUpdate') {
    errors.push(unsupported(path, { type: type ?? '' }, ['RollingUpdate', 'OnDelete']))
    return
  }
  if (rollingUpdate === undefined) {
    errors.push(required(`${path}.rollingUpdate`))
    return
  }
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate
  const at = `${path}.rollingUpdate`
  checkCountOrPercent(errors, `${at}.maxUnavailable`, maxUnavailable)
  checkAtMostHundredPercent(errors, `${at}.maxUnavailable`, maxUnavailable)
  checkCountOrPercent(errors, `${at}.maxSurge`, maxSurge)
  checkAtMostHundredPercent(errors, `${at}.maxSurge`, maxSurge)
  const [unavailable, surge] = [countOrPercent(maxUnavailable), countOrPercent(maxSurge)]
  if (unavailable > 0 && surge > 0) {
    errors.push(invalidValue(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  }
  if (unavailable === 0 && surge === 0) {
    errors.push(required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
  }
}
