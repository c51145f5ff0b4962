// Pure: taints of devices, and who puts up with them.
import type { ResourceV1Device, ResourceV1DeviceToleration } from '../../../common/api/generated/types.ts'

/** Whether all taints that keep users away are tolerated. */
export function isTolerated(
  { taints = [] }: ResourceV1Device,
  tolerations: readonly ResourceV1DeviceToleration[] = [],
): boolean {
  return taints.every(
    ({ key, value = '', effect }) =>
      (effect !== 'NoSchedule' && effect !== 'NoExecute') ||
      tolerations.some(
        (toleration) =>
          (toleration.effect === undefined || toleration.effect === '' || toleration.effect === effect) &&
          (toleration.key === undefined || toleration.key === '' || toleration.key === key) &&
          (toleration.operator === 'Exists' || (toleration.value ?? '') === value),
      ),
  )
}
