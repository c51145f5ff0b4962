// What a Job's status may say, and how it may change: counters grow, and what is over stays over.
import type { Job } from '../../../../common/api/generated/types.ts'
import { invalidValue, required, type FieldError } from '../../../../common/machinery/field-error.ts'
import { checkNonNegative, invalidWithoutValue } from '../../validation/values.ts'
import { countIndexes } from './indexes.ts'

type ConditionType = 'Complete' | 'Failed' | 'FailureTarget' | 'SuccessCriteriaMet'

const is = ({ status }: Job, type: ConditionType): boolean =>
  status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false

export function checkJobStatusUpdate(job: Job, old: Job): FieldError[] {
  const errors: FieldError[] = []
  checkStatus(errors, job)
  checkConditions(errors, job)
  const { status = {}, spec } = job
  const before = old.status ?? {}
  for (const type of ['Failed', 'Complete', 'FailureTarget'] as const) {
    if (is(old, type) && !is(job, type))
      errors.push(invalidWithoutValue('status.conditions', `cannot disable the terminal ${type}=True condition`))
  }
  for (const field of ['failed', 'succeeded'] as const) {
    if ((status[field] ?? 0) < (before[field] ?? 0)) {
      errors.push(invalidValue(`status.${field}`, status[field] ?? 0, `cannot decrease the ${field} counter`))
    }
  }
  if (
    status.completionTime !== undefined &&
    before.completionTime !== undefined &&
    status.completionTime !== before.completionTime
  ) {
    errors.push(invalidValue('status.completionTime', status.completionTime, 'completionTime cannot be mutated'))
  }
  if (before.startTime !== undefined && before.startTime !== status.startTime && spec?.suspend !== true) {
    errors.push(required('status.startTime', 'startTime cannot be removed for unsuspended job'))
  }
  if (is(old, 'SuccessCriteriaMet') && !is(job, 'SuccessCriteriaMet')) {
    errors.push(invalidWithoutValue('status.conditions', 'cannot disable the SuccessCriteriaMet=True condition'))
  }
  return errors
}

function checkStatus(errors: FieldError[], job: Job): void {
  const { status = {}, spec } = job
  for (const field of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) {
    checkNonNegative(errors, `status.${field}`, status[field])
  }
  const finished = is(job, 'Complete') || is(job, 'Failed')
  const {
    active = 0,
    ready = 0,
    terminating = 0,
    uncountedTerminatedPods: uncounted,
    completionTime,
    startTime,
  } = status
  if (completionTime !== undefined && !is(job, 'Complete')) {
    errors.push(
      invalidValue(
        'status.completionTime',
        completionTime,
        'cannot set completionTime when there is no Complete=True condition',
      ),
    )
  }
  if (completionTime === undefined && is(job, 'Complete')) {
    errors.push(required('status.completionTime', 'completionTime is required for Complete jobs'))
  }
  if (completionTime !== undefined && startTime !== undefined && Date.parse(completionTime) < Date.parse(startTime)) {
    errors.push(invalidValue('status.completionTime', completionTime, 'completionTime cannot be set before startTime'))
  }
  if (finished) {
    if (active > 0) errors.push(invalidValue('status.active', active, 'active>0 is invalid for finished job'))
    if (startTime === undefined) errors.push(required('status.startTime', 'startTime is required for finished job'))
    if ((uncounted?.failed ?? []).length + (uncounted?.succeeded ?? []).length > 0) {
      const detail = 'uncountedTerminatedPods needs to be empty for finished job'
      errors.push(invalidValue('status.uncountedTerminatedPods', uncounted, detail))
    }
    if (terminating > 0)
      errors.push(invalidValue('status.terminating', terminating, 'terminating>0 is invalid for finished job'))
  }
  if (ready > active) errors.push(invalidValue('status.ready', ready, 'cannot set more ready pods than active'))
  const indexes = status.completedIndexes ?? ''
  if (indexes !== '' && spec?.completionMode !== 'Indexed') {
    errors.push(
      invalidValue(
        'status.completedIndexes',
        indexes,
        'cannot set non-empty completedIndexes when non-indexed completion mode',
      ),
    )
  } else if (spec?.completions !== undefined) {
    const counted = countIndexes(indexes, spec.completions)
    if ('problem' in counted) {
      errors.push(
        invalidValue('status.completedIndexes', indexes, `error parsing completedIndexes: ${counted.problem}`),
      )
    }
  }
  if (spec?.backoffLimitPerIndex === undefined && status.failedIndexes !== undefined) {
    const detail = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'
    errors.push(invalidValue('status.failedIndexes', status.failedIndexes, detail))
  }
}

function checkConditions(errors: FieldError[], job: Job): void {
  const refuse = (detail: string): void => {
    errors.push(invalidWithoutValue('status.conditions', detail))
  }
  const [complete, failed, target, success] = (
    ['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet'] as const
  ).map((type) => is(job, type))
  if (complete && failed) refuse('cannot set Complete=True and Failed=true conditions')
  if (complete && target) refuse('cannot set Complete=True and FailureTarget=true conditions')
  if (failed && !target) refuse('cannot set Failed=True condition without the FailureTarget=true condition')
  if (complete && !success) refuse('cannot set Complete=True condition without the SuccessCriteriaMet=true condition')
  if (success && failed) refuse('cannot set SuccessCriteriaMet=True and Failed=true conditions')
  if (success && target) refuse('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions')
}
