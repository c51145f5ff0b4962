// HorizontalPodAutoscaler (v2): scales a workload by metrics.
import type {
  AutoscalingV2HorizontalPodAutoscaler as Autoscaler,
  AutoscalingV2HorizontalPodAutoscalerSpec as AutoscalerSpec,
  HPAScalingRules,
  MetricSpec,
  MetricTarget,
} from '../../../common/api/generated/types.ts'
import {
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { compareQuantities, isQuantity, zeroQuantity } from '../../../common/machinery/quantity.ts'
import { defineKind } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { checkLabelSelector } from '../validation/label-selector.ts'
import { checkName, isDnsLabel, isPathSegment } from '../validation/names.ts'
import { checkQuantity } from '../validation/quantity.ts'
import { checkNonNegative } from '../validation/values.ts'
import { autoscalerColumns } from './columns.ts'

export const horizontalPodAutoscaler = defineKind('autoscaling/v2/horizontalpodautoscalers', {
  shortNames: ['hpa'],
  categories: ['all'],
  tracksGeneration: false,
  prepareForCreate: dropStatus,
  setDefaults: setAutoscalerDefaults,
  validate: checkAutoscaler,
  update: mainDoor(),
  status: statusDoor({ validate: checkAutoscalerStatus }),
  columns: autoscalerColumns,
})

const defaultUtilization = 80

export function setAutoscalerDefaults(object: Autoscaler): void {
  object.status ??= { desiredReplicas: 0 }
  object.status.desiredReplicas ??= 0
  const { spec } = object
  if (spec === undefined) return
  spec.minReplicas ??= 1
  if ((spec.metrics ?? []).length === 0) {
    const target = { type: 'Utilization', averageUtilization: defaultUtilization }
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }]
  }
  if (spec.behavior === undefined) return
  const percent = { type: 'Percent', value: 100, periodSeconds: 15 }
  const up: HPAScalingRules = {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }, percent],
  }
  const down: HPAScalingRules = { selectPolicy: 'Max', policies: [percent] }
  spec.behavior.scaleUp = { ...up, ...spec.behavior.scaleUp }
  spec.behavior.scaleDown = { ...down, ...spec.behavior.scaleDown }
}

export function checkAutoscalerStatus({ status }: Autoscaler): FieldError[] {
  const errors: FieldError[] = []
  checkNonNegative(errors, 'status.currentReplicas', status?.currentReplicas)
  checkNonNegative(errors, 'status.desiredReplicas', status?.desiredReplicas)
  return errors
}

export function checkAutoscaler({ spec }: Autoscaler): FieldError[] {
  const errors: FieldError[] = []
  const { minReplicas, maxReplicas = 0, scaleTargetRef, metrics = [], behavior }: Partial<AutoscalerSpec> = spec ?? {}
  if (minReplicas !== undefined && minReplicas < 1)
    errors.push(invalidValue('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'))
  if (maxReplicas < 1) errors.push(invalidValue('spec.maxReplicas', maxReplicas, 'must be greater than 0'))
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalidValue('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
  }
  checkTarget(errors, 'spec.scaleTargetRef', scaleTargetRef)
  metrics.forEach((metric, index) => {
    checkMetric(errors, `spec.metrics[${String(index)}]`, metric)
  })
  for (const field of ['scaleUp', 'scaleDown'] as const) {
    if (behavior?.[field] !== undefined) checkRules(errors, `spec.behavior.${field}`, behavior[field])
  }
  return errors
}

function checkTarget(errors: FieldError[], path: string, target: { kind?: string; name?: string } | undefined): void {
  for (const field of ['kind', 'name'] as const) {
    const value = target?.[field] ?? ''
    if (value === '') errors.push(required(`${path}.${field}`))
    else checkName(errors, `${path}.${field}`, value, isPathSegment)
  }
}

const sources = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
} as const

function checkMetric(errors: FieldError[], path: string, metric: MetricSpec): void {
  const types = Object.keys(sources)
  const { type = '' } = metric
  if (type === '') errors.push(required(`${path}.type`, 'must specify a metric source type'))
  if (!types.includes(type)) errors.push(notSupported(`${path}.type`, type, types))
  const expected = types.includes(type) ? sources[type as keyof typeof sources] : undefined
  if (expected !== undefined && metric[expected] === undefined) {
    errors.push(required(`${path}.${expected}`, 'must populate information for the given metric source'))
  }
  const present = Object.values(sources).filter((source) => metric[source] !== undefined)
  if (present.length > 1) {
    for (const extra of present.filter((source) => source !== expected)) {
      errors.push(forbiddenField(`${path}.${extra}`, 'must populate the given metric source only'))
    }
  }
  const [first] = present
  if (first !== undefined) checkSource(errors, `${path}.${first}`, metric)
}

function checkSource(
  errors: FieldError[],
  path: string,
  { object, external, pods, resource, containerResource }: MetricSpec,
): void {
  const source = object ?? external ?? pods ?? resource ?? containerResource
  const target: Partial<MetricTarget> = source?.target ?? {}
  if (object !== undefined) checkTarget(errors, `${path}.describedObject`, object.describedObject)
  const metric = object?.metric ?? external?.metric ?? pods?.metric
  if (object !== undefined || external !== undefined || pods !== undefined) {
    if (!metric?.name) errors.push(required(`${path}.metric.name`, 'must specify a metric name'))
    else checkName(errors, `${path}.metric.name`, metric.name, isPathSegment)
    checkLabelSelector(errors, `${path}.metric.selector`, metric?.selector)
  } else {
    if (!(resource ?? containerResource)?.name) errors.push(required(`${path}.name`, 'must specify a resource name'))
    if (containerResource !== undefined) {
      if (!containerResource.container) errors.push(required(`${path}.container`, 'must specify a container'))
      else checkName(errors, `${path}.container`, containerResource.container, isDnsLabel)
    }
  }
  checkMetricTarget(errors, `${path}.target`, target)
  const { value, averageValue, averageUtilization } = target
  if (pods !== undefined) {
    if (averageValue === undefined)
      errors.push(required(`${path}.target.averageValue`, 'must specify a positive target averageValue'))
  } else if (object !== undefined || external !== undefined) {
    const what =
      object !== undefined
        ? 'must set either a target value or averageValue'
        : 'must set either a target value for metric or a per-pod target'
    if (value === undefined && averageValue === undefined) errors.push(required(`${path}.target.averageValue`, what))
    if (external !== undefined && value !== undefined && averageValue !== undefined) {
      errors.push(
        forbiddenField(`${path}.target.value`, 'may not set both a target value for metric and a per-pod target'),
      )
    }
  } else {
    if (averageUtilization === undefined && averageValue === undefined) {
      errors.push(
        required(`${path}.target.averageUtilization`, 'must set either a target raw value or a target utilization'),
      )
    }
    if (averageUtilization !== undefined && averageValue !== undefined) {
      errors.push(
        forbiddenField(`${path}.target.averageValue`, 'may not set both a target raw value and a target utilization'),
      )
    }
  }
}

function checkMetricTarget(
  errors: FieldError[],
  path: string,
  { type = '', value, averageValue, averageUtilization }: Partial<MetricTarget>,
): void {
  const types = ['Utilization', 'Value', 'AverageValue']
  if (type === '') errors.push(required(`${path}.type`, 'must specify a metric target type'))
  else if (!types.includes(type))
    errors.push(invalidValue(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  for (const [field, quantity] of [
    ['value', value],
    ['averageValue', averageValue],
  ] as const) {
    if (quantity !== undefined && (!isQuantity(quantity) || compareQuantities(quantity, zeroQuantity) <= 0)) {
      errors.push(invalidValue(`${path}.${field}`, quantity, 'must be positive'))
    }
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalidValue(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'))
  }
}

const maxWindowSeconds = 3600
const maxPeriodSeconds = 1800

function checkRules(errors: FieldError[], path: string, rules: HPAScalingRules): void {
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules
  const at = `${path}.stabilizationWindowSeconds`
  if (window !== undefined && window < 0) errors.push(invalidValue(at, window, 'must be greater than or equal to zero'))
  if (window !== undefined && window > maxWindowSeconds) {
    errors.push(invalidValue(at, window, `must be less than or equal to ${String(maxWindowSeconds)}`))
  }
  if (tolerance !== undefined) checkQuantity(errors, `${path}.tolerance`, tolerance)
  const choices = ['Disabled', 'Max', 'Min']
  if (selectPolicy !== undefined && !choices.includes(selectPolicy))
    errors.push(notSupported(`${path}.selectPolicy`, selectPolicy, choices))
  if (policies.length === 0) errors.push(required(`${path}.policies`, 'must specify at least one Policy'))
  policies.forEach(({ type, value = 0, periodSeconds = 0 }, index) => {
    const policy = `${path}.policies[${String(index)}]`
    if (type !== 'Pods' && type !== 'Percent') errors.push(notSupported(`${policy}.type`, type, ['Percent', 'Pods']))
    if (value <= 0) errors.push(invalidValue(`${policy}.value`, value, 'must be greater than zero'))
    if (periodSeconds <= 0)
      errors.push(invalidValue(`${policy}.periodSeconds`, periodSeconds, 'must be greater than zero'))
    if (periodSeconds > maxPeriodSeconds) {
      errors.push(
        invalidValue(
          `${policy}.periodSeconds`,
          periodSeconds,
          `must be less than or equal to ${String(maxPeriodSeconds)}`,
        ),
      )
    }
  })
}
