// Validation of StatefulSets.
import type { StatefulSet, StatefulSetSpec } from '../../../../common/api/generated/types.ts'
import { forbiddenField, invalidValue, required, type FieldError } from '../../../../common/machinery/field-error.ts'
import { semanticEqual } from '../../equality.ts'
import { checkName, isDnsLabel } from '../../validation/names.ts'
import {
  checkAtMostHundredPercent,
  checkCountOrPercent,
  checkNonNegative,
  countOrPercent,
  unsupported,
} from '../../validation/values.ts'
import { checkSelectorAndTemplate } from '../workload.ts'

export function checkStatefulSet({ spec }: StatefulSet): FieldError[] {
  const errors: FieldError[] = []
  const {
    podManagementPolicy = '',
    persistentVolumeClaimRetentionPolicy: retention,
    ordinals,
    serviceName = '',
  } = spec ?? {}
  if (podManagementPolicy === '') errors.push(required('spec.podManagementPolicy'))
  else if (podManagementPolicy !== 'OrderedReady' && podManagementPolicy !== 'Parallel') {
    errors.push(invalidValue('spec.podManagementPolicy', podManagementPolicy, "must be 'OrderedReady' or 'Parallel'"))
  }
  checkStrategy(errors, 'spec.updateStrategy', spec?.updateStrategy ?? {})
  for (const field of ['whenDeleted', 'whenScaled'] as const) {
    const value = retention?.[field]
    if (value !== undefined && value !== 'Retain' && value !== 'Delete') {
      errors.push(unsupported(`spec.persistentVolumeClaimRetentionPolicy.${field}`, value, ['Retain', 'Delete']))
    }
  }
  if (serviceName !== '') checkName(errors, 'spec.serviceName', serviceName, isDnsLabel)
  checkNonNegative(errors, 'spec.replicas', spec?.replicas)
  checkNonNegative(errors, 'spec.minReadySeconds', spec?.minReadySeconds)
  checkNonNegative(errors, 'spec.ordinals.start', ordinals?.start)
  checkSelectorAndTemplate(errors, spec?.selector, withClaims(spec), {
    resource: 'statefulset',
    templateOf: 'StatefulSet',
  })
  return errors
}

/** The pods will have a volume for each claim template; mounts of them are fine. */
function withClaims(spec: StatefulSetSpec | undefined): StatefulSetSpec['template'] | undefined {
  const { template, volumeClaimTemplates: claims = [] } = spec ?? {}
  if (template?.spec === undefined || claims.length === 0) return template
  const names = new Set(claims.map((claim) => claim.metadata?.name))
  const volumes = (template.spec.volumes ?? []).filter((volume) => !names.has(volume.name))
  const added = claims.map((claim) => ({
    name: claim.metadata?.name ?? '',
    persistentVolumeClaim: { claimName: claim.metadata?.name ?? '' },
  }))
  return { ...template, spec: { ...template.spec, volumes: [...volumes, ...added] } }
}

function checkStrategy(
  errors: FieldError[],
  path: string,
  strategy: NonNullable<StatefulSetSpec['updateStrategy']>,
): void {
  const { type = '', rollingUpdate } = strategy
  if (type === '') errors.push(required(path))
  else if (type === 'OnDelete') {
    if (rollingUpdate !== undefined) {
      errors.push(
        invalidValue(`${path}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"),
      )
    }
  } else if (type !== 'RollingUpdate') {
    errors.push(invalidValue(path, strategy, "must be 'RollingUpdate' or 'OnDelete'"))
  } else {
    checkNonNegative(errors, `${path}.rollingUpdate.partition`, rollingUpdate?.partition)
    const most = rollingUpdate?.maxUnavailable
    if (most === undefined) return
    const at = `${path}.rollingUpdate.maxUnavailable`
    checkCountOrPercent(errors, at, most)
    if (countOrPercent(most) === 0) errors.push(invalidValue(at, most, 'cannot be 0'))
    checkAtMostHundredPercent(errors, at, most)
  }
}

const mutable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]

export function checkStatefulSetUpdate({ spec }: StatefulSet, { spec: old }: StatefulSet): FieldError[] {
  const rest = (value: StatefulSetSpec | undefined): unknown =>
    Object.fromEntries(Object.entries(value ?? {}).filter(([field]) => !mutable.includes(field)))
  if (semanticEqual(rest(spec), rest(old))) return []
  const detail =
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
  return [forbiddenField('spec', detail)]
}
