// What Deployment, ReplicaSet, DaemonSet and their like have in common: a selector and a template that fit together.
import type { LabelSelector, PodTemplateSpec } from '../../../common/api/generated/types.ts'
import { forbiddenField, invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { checkPodTemplate } from '../core/pod-spec/validation.ts'
import { checkLabelSelector, isEmptySelector, selectorMatches } from '../validation/label-selector.ts'
import { checkNonNegative, unsupported } from '../validation/values.ts'

export interface WorkloadRules {
  /** As the message about an empty selector names it ("deployment"). */
  readonly resource: string
  /** As the message about activeDeadlineSeconds names it ("ReplicaSet"). */
  readonly templateOf: string
}

/** Selector and template; the template's pods must match the selector and restart always. */
export function checkSelectorAndTemplate(
  errors: FieldError[],
  selector: LabelSelector | undefined,
  template: PodTemplateSpec | undefined,
  { resource, templateOf }: WorkloadRules,
): void {
  if (selector === undefined) errors.push(required('spec.selector'))
  else {
    checkLabelSelector(errors, 'spec.selector', selector)
    if (isEmptySelector(selector))
      errors.push(invalidValue('spec.selector', selector, `empty selector is invalid for ${resource}`))
  }
  const labels = template?.metadata?.labels
  if (selector !== undefined && !isEmptySelector(selector)) {
    const matches = selectorMatches(selector, labels)
    if (matches === undefined) errors.push(invalidValue('spec.selector', selector, 'invalid label selector'))
    else if (!matches) {
      errors.push(
        invalidValue('spec.template.metadata.labels', labels ?? {}, '`selector` does not match template `labels`'),
      )
    }
  }
  checkPodTemplate(errors, 'spec.template', template)
  const { restartPolicy, activeDeadlineSeconds } = template?.spec ?? {}
  if (restartPolicy !== undefined && restartPolicy !== 'Always') {
    errors.push(unsupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']))
  }
  if (activeDeadlineSeconds !== undefined) {
    const detail = `activeDeadlineSeconds in ${templateOf} is not Supported`
    errors.push(forbiddenField('spec.template.spec.activeDeadlineSeconds', detail))
  }
}

/** Counters of a status are never negative. */
export function checkCounters(errors: FieldError[], status: object, fields: readonly string[]): void {
  for (const [field, value] of Object.entries(status)) {
    if (fields.includes(field) && typeof value === 'number') checkNonNegative(errors, `status.${field}`, value)
  }
}

/** A rollback may not make the controller's name collisions forgotten. */
export function checkCollisionCount(errors: FieldError[], count: number | undefined, old: number | undefined): void {
  if (count !== undefined) checkNonNegative(errors, 'status.collisionCount', count)
  if (old !== undefined && (count ?? -1) < old) {
    errors.push(invalidValue('status.collisionCount', count ?? null, 'cannot be decremented'))
  }
}

export interface ReplicaStatus {
  replicas?: number
  fullyLabeledReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
  updatedReplicas?: number
  currentReplicas?: number
}

/** Parts cannot be more than the whole. */
export function checkReplicaCounts(
  errors: FieldError[],
  status: ReplicaStatus,
  parts: readonly (keyof ReplicaStatus)[],
): void {
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status
  for (const part of parts) {
    const value = status[part] ?? 0
    if (value > replicas) errors.push(invalidValue(`status.${part}`, value, 'cannot be greater than status.replicas'))
  }
  if (availableReplicas > readyReplicas) {
    errors.push(invalidValue('status.availableReplicas', availableReplicas, 'cannot be greater than readyReplicas'))
  }
}
