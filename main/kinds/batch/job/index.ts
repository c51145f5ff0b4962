// Job: pods that run to completion, a given number of times.
import type { Job } from '../../../../common/api/generated/types.ts'
import { invalidValue, required, type FieldError } from '../../../../common/machinery/field-error.ts'
import { formatHumanDuration } from '../../../../common/machinery/duration.ts'
import { ageColumn, containerColumns, nameColumn, selectorColumn } from '../../columns.ts'
import { podTemplateWarnings } from '../../core/pod-spec/warnings.ts'
import { defineKind } from '../../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../../strategy.ts'
import { checkLabelSelector, selectorMatches } from '../../validation/label-selector.ts'
import { isDnsLabel } from '../../validation/names.ts'
import { generateSelector, setJobDefaults } from './defaults.ts'
import { checkJobSpec } from './spec.ts'
import { checkJobStatusUpdate } from './status-update.ts'
import { checkJobUpdate } from './update.ts'

export const job = defineKind('batch/v1/jobs', {
  categories: ['all'],
  // As ever in batch/v1: clients that do not say keep the pods; kubectl says Background.
  defaultPropagation: 'Orphan',
  deletionWarning:
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  prepareForCreate: dropStatus,
  setDefaults: setJobDefaults,
  allocate: (object, old) => {
    if (old === undefined) {
      generateSelector(object)
      // A job without labels takes those of its pods, the generated ones too.
      setJobDefaults(object)
    }
    return []
  },
  validate,
  update: mainDoor(checkJobUpdate),
  status: statusDoor({ validate: checkJobStatusUpdate }),
  warnings: (object, old) => {
    const problems = isDnsLabel(object.metadata.name ?? '')
    const nameWarning = `metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`
    return [
      ...(old === undefined && problems.length > 0 ? [nameWarning] : []),
      ...podTemplateWarnings('spec.template', object.spec?.template, { object, old }),
    ]
  },
  selectableFields: ({ status }) => ({ 'status.successful': String(status?.succeeded ?? 0) }),
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', description: 'Status of the job.', cell: statusText },
    { name: 'Completions', type: 'string', cell: completions },
    { name: 'Duration', type: 'string', description: 'Time required to complete the job.', cell: duration },
    ageColumn,
    ...containerColumns<Job>(({ spec }) => spec?.template?.spec?.containers),
    selectorColumn<Job>(({ spec }) => spec?.selector),
  ],
})

function statusText({ metadata, status }: Job): string {
  const is = (type: string): boolean => status?.conditions?.some((c) => c.type === type && c.status === 'True') ?? false
  if (is('Complete')) return 'Complete'
  if (is('Failed')) return 'Failed'
  if (metadata.deletionTimestamp !== undefined) return 'Terminating'
  if (is('Suspended')) return 'Suspended'
  return is('FailureTarget') ? 'FailureTarget' : 'Running'
}

function completions({ spec, status }: Job): string {
  const done = String(status?.succeeded ?? 0)
  if (spec?.completions !== undefined) return `${done}/${String(spec.completions)}`
  const parallelism = spec?.parallelism ?? 0
  return parallelism > 1 ? `${done}/1 of ${String(parallelism)}` : `${done}/1`
}

function duration({ status }: Job, now: Date): string {
  if (status?.startTime === undefined) return ''
  const end = status.completionTime === undefined ? now.getTime() : Date.parse(status.completionTime)
  return formatHumanDuration(end - Date.parse(status.startTime))
}

function validate({ metadata, spec }: Job): FieldError[] {
  const errors: FieldError[] = []
  const { name = '' } = metadata
  const labels = spec?.template?.metadata?.labels ?? {}
  const selector = spec?.selector
  if (spec?.manualSelector !== true && selector !== undefined) checkGenerated(errors, { metadata, labels, selector })
  checkJobSpec(errors, 'spec', spec ?? { template: {} })
  if (selector === undefined) errors.push(required('spec.selector'))
  else {
    checkLabelSelector(errors, 'spec.selector', selector)
    if (selectorMatches(selector, labels) === false) {
      errors.push(invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'))
    }
  }
  if (spec?.completionMode === 'Indexed' && (spec.completions ?? 0) > 0) {
    const longest = `${name}-${String((spec.completions ?? 1) - 1)}`
    if (isDnsLabel(longest).length > 0) {
      errors.push(invalidValue('metadata.name', name, `will not able to create pod with invalid DNS label: ${longest}`))
    }
  }
  return errors
}

/** The labels of a selector that the server made are where it put them. */
function checkGenerated(
  errors: FieldError[],
  {
    metadata,
    labels,
    selector,
  }: { metadata: Job['metadata']; labels: Record<string, string>; selector: NonNullable<Job['spec']>['selector'] },
): void {
  const { uid = '', name = '' } = metadata
  const expected: Record<string, string> = {
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  }
  for (const [key, value] of Object.entries(expected)) {
    const path = `spec.template.metadata.labels[${key}]`
    if (labels[key] === undefined) errors.push(required(path, `must be '${value}'`))
    else if (labels[key] !== value) errors.push(invalidValue(path, labels, `must be '${value}'`))
  }
  if (selector !== undefined && selectorMatches(selector, expected) === false) {
    errors.push(invalidValue('spec.selector', selector, '`selector` not auto-generated'))
  }
}
