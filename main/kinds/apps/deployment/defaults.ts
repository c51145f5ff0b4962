// Defaults of Deployments.
import type { Deployment } from '../../../../common/api/generated/types.ts'
import { setPodTemplateDefaults } from '../../core/pod-spec/defaults.ts'

export function setDeploymentDefaults(object: Deployment): void {
  object.status ??= {}
  const { spec } = object
  if (spec === undefined) return
  spec.replicas ??= 1
  spec.strategy ??= {}
  spec.strategy.type ||= 'RollingUpdate'
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {}
    spec.strategy.rollingUpdate.maxUnavailable ??= '25%'
    spec.strategy.rollingUpdate.maxSurge ??= '25%'
  }
  spec.revisionHistoryLimit ??= 10
  spec.progressDeadlineSeconds ??= 600
  if (spec.template !== undefined) setPodTemplateDefaults(spec.template)
}
