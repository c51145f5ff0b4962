// Pure: when a pod must leave its node because of NoExecute taints.
import type { Pod, Taint } from '../../../common/api/generated/types.ts'
import { tolerates } from '../../scheduler/state/tolerations.ts'

/** Milliseconds since the epoch at which the pod must go; undefined: it may stay. */
export function evictAt(
  pod: Pod,
  taints: readonly Taint[],
  firstSeenMs: (taint: Taint) => number,
  nowMs: number,
): number | undefined {
  let earliest: number | undefined
  for (const taint of taints) {
    if (taint.effect !== 'NoExecute') continue
    const tolerating = (pod.spec?.tolerations ?? []).filter((toleration) => tolerates(toleration, taint))
    if (tolerating.length === 0) return nowMs
    const limits = tolerating.flatMap(({ tolerationSeconds }) =>
      tolerationSeconds === undefined ? [] : [tolerationSeconds],
    )
    if (limits.length === 0) continue
    const seconds = Math.max(0, Math.min(...limits))
    const at = firstSeenMs(taint) + seconds * 1000
    if (earliest === undefined || at < earliest) earliest = at
  }
  return earliest
}
