// What may change in a Job: how much of it runs, not what runs.
import type { Job, JobSpec, PodTemplateSpec } from '../../../../common/api/generated/types.ts'
import { invalidValue, type FieldError } from '../../../../common/machinery/field-error.ts'
import { semanticEqual } from '../../equality.ts'
import { cloneJson } from '../../strategy.ts'
import { checkImmutable } from '../../validation/values.ts'

export function checkJobUpdate(job: Job, old: Job): FieldError[] {
  const errors: FieldError[] = []
  if (job.spec === undefined || old.spec === undefined) return errors
  const { spec } = job
  checkCompletions(errors, spec, old.spec)
  checkImmutable(errors, 'spec.selector', spec.selector, old.spec.selector)
  // Until it first starts, a suspended Job may still be moved to other nodes.
  const movable = old.spec.suspend === true && old.status?.startTime === undefined
  const before = movable ? withPlacement(old.spec.template, spec.template) : old.spec.template
  checkImmutable(errors, 'spec.template', spec.template, before)
  for (const field of [
    'completionMode',
    'podFailurePolicy',
    'backoffLimitPerIndex',
    'managedBy',
    'successPolicy',
  ] as const) {
    checkImmutable(errors, `spec.${field}`, spec[field], old.spec[field])
  }
  return errors
}

/** An indexed Job may grow and shrink when it runs all its indexes at once. */
function checkCompletions(errors: FieldError[], spec: JobSpec, old: JobSpec): void {
  if (spec.completionMode !== 'Indexed') checkImmutable(errors, 'spec.completions', spec.completions, old.completions)
  else if (
    !semanticEqual(spec.completions, old.completions) &&
    spec.completions !== undefined &&
    spec.completions !== spec.parallelism
  ) {
    errors.push(
      invalidValue('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism'),
    )
  }
}

function withPlacement(old: PodTemplateSpec, template: PodTemplateSpec): PodTemplateSpec {
  const merged = cloneJson(old)
  merged.metadata = {
    ...merged.metadata,
    labels: template.metadata?.labels,
    annotations: template.metadata?.annotations,
  }
  if (merged.spec === undefined) return merged
  const { nodeSelector, tolerations, schedulingGates, affinity } = template.spec ?? {}
  const nodeAffinity = affinity?.nodeAffinity
  Object.assign(merged.spec, {
    nodeSelector,
    tolerations,
    schedulingGates,
    affinity: { ...merged.spec.affinity, nodeAffinity },
  })
  return merged
}
