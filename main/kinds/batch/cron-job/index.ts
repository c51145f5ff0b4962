// CronJob: makes Jobs on a schedule.
import type { CronJob } from '../../../../common/api/generated/types.ts'
import { scheduleProblem } from '../../../../common/machinery/cron/parse.ts'
import { formatAge } from '../../../../common/machinery/duration.ts'
import { invalidValue, required, type FieldError } from '../../../../common/machinery/field-error.ts'
import { ageColumn, containerColumns, nameColumn, selectorColumn } from '../../columns.ts'
import { setPodTemplateDefaults } from '../../core/pod-spec/defaults.ts'
import { podTemplateWarnings } from '../../core/pod-spec/warnings.ts'
import { defineKind } from '../../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../../strategy.ts'
import { checkNonNegative, unsupported } from '../../validation/values.ts'
import { checkJobSpec } from '../job/spec.ts'

export const cronJob = defineKind('batch/v1/cronjobs', {
  shortNames: ['cj'],
  categories: ['all'],
  prepareForCreate: dropStatus,
  setDefaults: (object) => {
    object.status ??= {}
    const { spec } = object
    if (spec === undefined) return
    spec.concurrencyPolicy ||= 'Allow'
    spec.suspend ??= false
    spec.successfulJobsHistoryLimit ??= 3
    spec.failedJobsHistoryLimit ??= 1
    if (spec.jobTemplate === undefined) return
    spec.jobTemplate.metadata ??= {}
    if (spec.jobTemplate.spec?.template !== undefined) setPodTemplateDefaults(spec.jobTemplate.spec.template)
  },
  validate,
  update: mainDoor(),
  status: statusDoor(),
  warnings: (object, old) =>
    podTemplateWarnings('spec.jobTemplate.spec.template', object.spec?.jobTemplate?.spec?.template, { object, old }),
  columns: [
    nameColumn,
    { name: 'Schedule', type: 'string', cell: ({ spec }) => spec?.schedule ?? '' },
    { name: 'Timezone', type: 'string', cell: ({ spec }) => spec?.timeZone ?? '<none>' },
    {
      name: 'Suspend',
      type: 'boolean',
      cell: ({ spec }) => (spec?.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False'),
    },
    { name: 'Active', type: 'integer', cell: ({ status }) => status?.active?.length ?? 0 },
    {
      name: 'Last Schedule',
      type: 'string',
      cell: ({ status }, now) =>
        status?.lastScheduleTime === undefined ? '<none>' : formatAge(status.lastScheduleTime, now),
    },
    ageColumn,
    ...containerColumns<CronJob>(({ spec }) => spec?.jobTemplate?.spec?.template?.spec?.containers),
    selectorColumn<CronJob>(({ spec }) => spec?.jobTemplate?.spec?.selector),
  ],
})

/** The Job's name gets an 11-character suffix and must stay a label. */
const longestName = 52

function validate({ metadata: { name = '', resourceVersion }, spec }: CronJob): FieldError[] {
  const errors: FieldError[] = []
  const { schedule = '', timeZone, concurrencyPolicy = '', jobTemplate } = spec ?? {}
  if (schedule === '') errors.push(required('spec.schedule'))
  else {
    const problem = scheduleProblem(schedule)
    if (problem !== undefined) errors.push(invalidValue('spec.schedule', schedule, problem))
    if (schedule.includes('TZ')) {
      errors.push(
        invalidValue('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'),
      )
    }
  }
  checkNonNegative(errors, 'spec.startingDeadlineSeconds', spec?.startingDeadlineSeconds)
  if (timeZone !== undefined) checkTimeZone(errors, 'spec.timeZone', timeZone)
  const policies = ['Allow', 'Forbid', 'Replace']
  if (concurrencyPolicy === '') errors.push(required('spec.concurrencyPolicy'))
  else if (!policies.includes(concurrencyPolicy))
    errors.push(unsupported('spec.concurrencyPolicy', concurrencyPolicy, policies))
  checkJobSpec(errors, 'spec.jobTemplate.spec', jobTemplate?.spec ?? { template: {} })
  if (jobTemplate?.spec?.selector !== undefined) {
    errors.push(
      invalidValue('spec.jobTemplate.spec.selector', jobTemplate.spec.selector, '`selector` will be auto-generated'),
    )
  }
  if (jobTemplate?.spec?.manualSelector === true) {
    errors.push(unsupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']))
  }
  checkNonNegative(errors, 'spec.successfulJobsHistoryLimit', spec?.successfulJobsHistoryLimit)
  checkNonNegative(errors, 'spec.failedJobsHistoryLimit', spec?.failedJobsHistoryLimit)
  if (resourceVersion === undefined && name.length > longestName) {
    errors.push(invalidValue('metadata.name', name, 'must be no more than 52 characters'))
  }
  return errors
}

function checkTimeZone(errors: FieldError[], path: string, zone: string): void {
  if (zone === '') errors.push(invalidValue(path, zone, 'timeZone must be nil or non-empty string'))
  else if (zone.toLowerCase() === 'local') {
    errors.push(
      invalidValue(path, zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'),
    )
  } else {
    try {
      new Intl.DateTimeFormat('en', { timeZone: zone })
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      errors.push(invalidValue(path, zone, `unknown time zone ${zone}`))
    }
  }
}
