// Defaults of Jobs and of the Job templates in CronJobs.
import type { Job, JobSpec } from '../../../../common/api/generated/types.ts'
import { setPodTemplateDefaults } from '../../core/pod-spec/defaults.ts'

const uidLabel = 'batch.kubernetes.io/controller-uid'

/** Labels that tie pods to their Job, each under its own and its historical key. */
export function generateSelector(job: Job): void {
  const { spec, metadata } = job
  if (spec === undefined || spec.manualSelector === true) return
  spec.template ??= {}
  spec.template.metadata ??= {}
  const { uid = '', name = '' } = metadata
  spec.template.metadata.labels = {
    ...spec.template.metadata.labels,
    [uidLabel]: uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  }
  spec.selector ??= {}
  spec.selector.matchLabels = { ...spec.selector.matchLabels, [uidLabel]: uid }
}

export function setJobDefaults(job: Job): void {
  job.status ??= {}
  if (job.spec === undefined) return
  setJobSpecDefaults(job.spec)
  job.spec.manualSelector ??= false
  const labels = job.spec.template?.metadata?.labels
  if (labels !== undefined && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = { ...labels }
}

export function setJobSpecDefaults(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
  spec.parallelism ??= 1
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2_147_483_647
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed'
  for (const { onPodConditions = [] } of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of onPodConditions) pattern.status ||= 'True'
  }
  if (spec.template !== undefined) setPodTemplateDefaults(spec.template)
}
