// Pure: taints of devices, and who puts up with them.
import type {
  ResourceV1Device,
  ResourceV1DeviceTaint,
  ResourceV1DeviceToleration,
} from '../../../common/api/generated/types.ts'

/** Whether all taints that keep users away are tolerated. */
export function isTolerated(
  { taints = [] }: ResourceV1Device,
  tolerations: readonly ResourceV1DeviceToleration[] = [],
): boolean {
  return taints.every(
    (taint) =>
      (taint.effect !== 'NoSchedule' && taint.effect !== 'NoExecute') ||
      tolerations.some((toleration) => toleratesTaint(toleration, taint)),
  )
}

/** Empty key with Exists tolerates everything; an empty effect, all effects. */
export const toleratesTaint = (
  toleration: ResourceV1DeviceToleration,
  { key, value = '', effect }: ResourceV1DeviceTaint,
): boolean =>
  (toleration.effect === undefined || toleration.effect === '' || toleration.effect === effect) &&
  (toleration.key === undefined || toleration.key === '' || toleration.key === key) &&
  (toleration.operator === 'Exists' || (toleration.value ?? '') === value)
