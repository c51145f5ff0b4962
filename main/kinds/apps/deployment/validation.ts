// Validation of Deployments.
import type { Deployment, DeploymentStrategy } from '../../../../common/api/generated/types.ts'
import { forbiddenField, invalidValue, required, type FieldError } from '../../../../common/machinery/field-error.ts'
import {
  checkAtMostHundredPercent,
  checkCountOrPercent,
  checkNonNegative,
  countOrPercent,
  unsupported,
} from '../../validation/values.ts'
import { checkCollisionCount, checkCounters, checkReplicaCounts, checkSelectorAndTemplate } from '../workload.ts'

export function checkDeployment({ spec }: Deployment): FieldError[] {
  const errors: FieldError[] = []
  checkNonNegative(errors, 'spec.replicas', spec?.replicas)
  checkSelectorAndTemplate(errors, spec?.selector, spec?.template, { resource: 'deployment', templateOf: 'ReplicaSet' })
  checkStrategy(errors, 'spec.strategy', spec?.strategy ?? {})
  checkNonNegative(errors, 'spec.minReadySeconds', spec?.minReadySeconds)
  checkNonNegative(errors, 'spec.revisionHistoryLimit', spec?.revisionHistoryLimit)
  const deadline = spec?.progressDeadlineSeconds
  if (deadline !== undefined) {
    checkNonNegative(errors, 'spec.progressDeadlineSeconds', deadline)
    if (deadline <= (spec?.minReadySeconds ?? 0)) {
      errors.push(invalidValue('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'))
    }
  }
  return errors
}

function checkStrategy(errors: FieldError[], path: string, { type, rollingUpdate }: DeploymentStrategy): void {
  const types = ['Recreate', 'RollingUpdate']
  if (type === undefined || !types.includes(type)) {
    errors.push(unsupported(`${path}.type`, type ?? '', types))
    return
  }
  if (type === 'Recreate') {
    if (rollingUpdate !== undefined) {
      errors.push(forbiddenField(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'"))
    }
    return
  }
  if (rollingUpdate === undefined) {
    errors.push(required(`${path}.rollingUpdate`, 'this should be defaulted and never be nil'))
    return
  }
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate
  checkCountOrPercent(errors, `${path}.rollingUpdate.maxUnavailable`, maxUnavailable)
  checkCountOrPercent(errors, `${path}.rollingUpdate.maxSurge`, maxSurge)
  if (countOrPercent(maxUnavailable) === 0 && countOrPercent(maxSurge) === 0) {
    errors.push(
      invalidValue(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'),
    )
  }
  checkAtMostHundredPercent(errors, `${path}.rollingUpdate.maxUnavailable`, maxUnavailable)
}

export function checkDeploymentStatus({ status = {} }: Deployment, old: Deployment): FieldError[] {
  const errors: FieldError[] = []
  checkCounters(errors, status, [
    'observedGeneration',
    'replicas',
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
    'unavailableReplicas',
    'terminatingReplicas',
  ])
  checkCollisionCount(errors, status.collisionCount, old.status?.collisionCount)
  checkReplicaCounts(errors, status, ['updatedReplicas', 'readyReplicas', 'availableReplicas'])
  return errors
}
