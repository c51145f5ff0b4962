// Validation of a Job's spec, also as template of a CronJob.
import type { JobSpec, PodFailurePolicyRule } from '../../../../common/api/generated/types.ts'
import {
  duplicate,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
  type FieldError,
} from '../../../../common/machinery/field-error.ts'
import { checkPodTemplate } from '../../core/pod-spec/validation.ts'
import { checkName, isDnsSubdomain, isQualifiedName } from '../../validation/names.ts'
import { checkNonNegative, invalidWithoutValue, unsupported } from '../../validation/values.ts'
import { countIndexes } from './indexes.ts'

const maxIndexedParallelism = 100_000
const maxFailedIndexes = 100_000
/** Above this many completions a back-off limit per index needs tighter bounds. */
const manyCompletions = 100_000
const highCompletionsLimit = 10_000
const maxRules = 20
const maxExitCodes = 255
const maxConditionPatterns = 20
const maxIndexesLength = 64 * 1024

export function checkJobSpec(errors: FieldError[], path: string, spec: JobSpec): void {
  const counts = [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const
  for (const field of counts) checkNonNegative(errors, `${path}.${field}`, spec[field])
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  }
  checkManagedBy(errors, `${path}.managedBy`, spec.managedBy)
  const { completionMode } = spec
  if (completionMode !== undefined && completionMode !== 'NonIndexed' && completionMode !== 'Indexed') {
    errors.push(unsupported(`${path}.completionMode`, completionMode, ['NonIndexed', 'Indexed']))
  }
  if (completionMode === 'Indexed') checkIndexed(errors, path, spec)
  else if (completionMode === undefined || completionMode === 'NonIndexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      if (spec[field] !== undefined)
        errors.push(invalidValue(`${path}.${field}`, spec[field], 'requires indexed completion mode'))
    }
  }
  checkFailurePolicy(errors, `${path}.podFailurePolicy`, spec)
  checkSuccessPolicy(errors, `${path}.successPolicy`, spec)
  const replacement = spec.podReplacementPolicy
  const replacements = spec.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed']
  if (replacement !== undefined && !replacements.includes(replacement)) {
    errors.push(notSupported(`${path}.podReplacementPolicy`, replacement, replacements))
  }
  checkPodTemplate(errors, `${path}.template`, spec.template)
  checkRestartPolicy(errors, `${path}.template.spec.restartPolicy`, spec)
}

function checkRestartPolicy(errors: FieldError[], path: string, { template, podFailurePolicy }: JobSpec): void {
  const policy = template?.spec?.restartPolicy ?? ''
  if (policy === '' || policy === 'Always') errors.push(required(path, 'valid values: "OnFailure", "Never"'))
  else if (policy !== 'OnFailure' && policy !== 'Never') errors.push(unsupported(path, policy, ['OnFailure', 'Never']))
  else if (podFailurePolicy !== undefined && policy !== 'Never') {
    errors.push(invalidValue(path, policy, 'only "Never" is supported when podFailurePolicy is specified'))
  }
}

function checkManagedBy(errors: FieldError[], path: string, managedBy: string | undefined): void {
  if (managedBy === undefined) return
  const [domain = '', rest] = managedBy.split(/\/(.*)/s)
  if (rest === undefined || domain === '' || rest === '') {
    errors.push(invalidValue(path, managedBy, 'must be a domain-prefixed path (such as "acme.io/foo")'))
  } else {
    checkName(errors, path, domain, isDnsSubdomain)
  }
  if (managedBy.length > 63) errors.push(tooLong(path, 63))
}

function checkIndexed(errors: FieldError[], path: string, spec: JobSpec): void {
  const { completions, parallelism, maxFailedIndexes: failed, backoffLimitPerIndex } = spec
  const atMost = (field: string, value: number | undefined, max: number, why = ''): void => {
    if (value !== undefined && value > max)
      errors.push(invalidValue(`${path}.${field}`, value, `must be less than or equal to ${String(max)}${why}`))
  }
  if (completions === undefined) errors.push(required(`${path}.completions`, 'when completion mode is Indexed'))
  atMost('parallelism', parallelism, maxIndexedParallelism, ' when completion mode is Indexed')
  if (completions !== undefined && failed !== undefined && failed > completions) {
    errors.push(invalidValue(`${path}.maxFailedIndexes`, failed, 'must be less than or equal to completions'))
  }
  atMost('maxFailedIndexes', failed, maxFailedIndexes)
  if (completions === undefined || completions <= manyCompletions || backoffLimitPerIndex === undefined) return
  const why = ` when completions are above ${String(manyCompletions)} and used with backoff limit per index`
  if (failed === undefined)
    errors.push(
      required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${String(manyCompletions)}`),
    )
  atMost('parallelism', parallelism, highCompletionsLimit, why)
  atMost('maxFailedIndexes', failed, highCompletionsLimit, why)
}

function checkFailurePolicy(errors: FieldError[], path: string, spec: JobSpec): void {
  const rules = spec.podFailurePolicy?.rules ?? []
  if (rules.length > maxRules) errors.push(tooMany(`${path}.rules`, rules.length, maxRules))
  const containers = [...(spec.template?.spec?.containers ?? []), ...(spec.template?.spec?.initContainers ?? [])].map(
    ({ name }) => name,
  )
  rules.forEach((rule, index) => {
    checkFailureRule(errors, `${path}.rules[${String(index)}]`, rule, {
      containers,
      perIndex: spec.backoffLimitPerIndex !== undefined,
    })
  })
}

function checkFailureRule(
  errors: FieldError[],
  path: string,
  { action, onExitCodes, onPodConditions = [] }: PodFailurePolicyRule,
  job: { containers: readonly string[]; perIndex: boolean },
): void {
  const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore']
  if (!action) errors.push(required(`${path}.action`, 'valid values: ["Count" "FailIndex" "FailJob" "Ignore"]'))
  else if (!actions.includes(action)) errors.push(notSupported(`${path}.action`, action, actions))
  else if (action === 'FailIndex' && !job.perIndex) {
    errors.push(invalidValue(`${path}.action`, action, 'requires the backoffLimitPerIndex to be set'))
  }
  if (onExitCodes !== undefined) checkExitCodes(errors, `${path}.onExitCodes`, onExitCodes, job.containers)
  if (onPodConditions.length > maxConditionPatterns) {
    errors.push(tooMany(`${path}.onPodConditions`, onPodConditions.length, maxConditionPatterns))
  }
  onPodConditions.forEach(({ type, status }, index) => {
    const at = `${path}.onPodConditions[${String(index)}]`
    checkName(errors, `${at}.type`, type, isQualifiedName)
    const statuses = ['False', 'True', 'Unknown']
    if (!status) errors.push(required(`${at}.status`, 'valid values: ["False" "True" "Unknown"]'))
    else if (!statuses.includes(status)) errors.push(notSupported(`${at}.status`, status, statuses))
  })
  if (onExitCodes !== undefined && onPodConditions.length > 0) {
    errors.push(invalidWithoutValue(path, 'specifying both OnExitCodes and OnPodConditions is not supported'))
  }
  if (onExitCodes === undefined && onPodConditions.length === 0) {
    errors.push(invalidWithoutValue(path, 'specifying one of OnExitCodes and OnPodConditions is required'))
  }
}

function checkExitCodes(
  errors: FieldError[],
  path: string,
  { operator, containerName, values = [] }: NonNullable<PodFailurePolicyRule['onExitCodes']>,
  containers: readonly string[],
): void {
  if (!operator) errors.push(required(`${path}.operator`, 'valid values: ["In" "NotIn"]'))
  else if (operator !== 'In' && operator !== 'NotIn')
    errors.push(notSupported(`${path}.operator`, operator, ['In', 'NotIn']))
  if (containerName !== undefined && !containers.includes(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template'
    errors.push(invalidValue(`${path}.containerName`, containerName, detail))
  }
  if (values.length === 0) errors.push(invalidValue(`${path}.values`, values, 'at least one value is required'))
  else if (values.length > maxExitCodes) errors.push(tooMany(`${path}.values`, values.length, maxExitCodes))
  values.forEach((value, index) => {
    const at = `${path}.values[${String(index)}]`
    if (operator === 'In' && value === 0) errors.push(invalidValue(at, value, 'must not be 0 for the In operator'))
    if (values.indexOf(value) < index) errors.push(duplicate(at, value))
  })
  if (values.some((value, index) => index > 0 && (values[index - 1] ?? 0) > value)) {
    errors.push(invalidValue(`${path}.values`, values, 'must be ordered'))
  }
}

function checkSuccessPolicy(
  errors: FieldError[],
  path: string,
  { successPolicy, completionMode, completions = 0 }: JobSpec,
): void {
  if (successPolicy === undefined) return
  if (completionMode !== 'Indexed') {
    errors.push(invalidValue(path, successPolicy, 'requires indexed completion mode'))
    return
  }
  const rules = successPolicy.rules ?? []
  if (rules.length === 0)
    errors.push(required(`${path}.rules`, 'at least one rules must be specified when the successPolicy is specified'))
  if (rules.length > maxRules) errors.push(tooMany(`${path}.rules`, rules.length, maxRules))
  rules.forEach(({ succeededCount, succeededIndexes }, index) => {
    const at = `${path}.rules[${String(index)}]`
    if (succeededCount === undefined && succeededIndexes === undefined) {
      errors.push(required(at, 'at least one of succeededCount or succeededIndexes must be specified'))
    }
    const indexes = succeededIndexes === undefined ? undefined : countIndexes(succeededIndexes, completions)
    if ((succeededIndexes ?? '').length > maxIndexesLength)
      errors.push(tooLong(`${at}.succeededIndexes`, maxIndexesLength))
    if (indexes !== undefined && 'problem' in indexes) {
      errors.push(
        invalidValue(`${at}.succeededIndexes`, succeededIndexes, `error parsing succeededIndexes: ${indexes.problem}`),
      )
    }
    if (succeededCount === undefined) return
    checkNonNegative(errors, `${at}.succeededCount`, succeededCount)
    const total = indexes !== undefined && 'total' in indexes ? indexes.total : 0
    const limit = (max: number, of: string): void => {
      if (succeededCount <= max) return
      errors.push(
        invalidValue(
          `${at}.succeededCount`,
          succeededCount,
          `must be less than or equal to ${String(max)} (the number of ${of})`,
        ),
      )
    }
    limit(completions, 'specified completions')
    if (indexes !== undefined) limit(total, 'indexes in the specified succeededIndexes field')
  })
}
