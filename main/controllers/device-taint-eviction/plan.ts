// Pure: when a pod must go because of the taints of the devices that its claims have got.
import type {
  Pod,
  ResourceV1DeviceTaint,
  ResourceV1ResourceClaim,
  ResourceV1ResourceSlice,
} from '../../../common/api/generated/types.ts'
import { gatherPools } from '../../scheduler/devices/pools.ts'
import { toleratesTaint } from '../../scheduler/devices/taints.ts'

/** Taints that end pods, by "driver/pool/device". */
export type EndingTaints = ReadonlyMap<string, readonly ResourceV1DeviceTaint[]>

export function endingTaints(slices: readonly ResourceV1ResourceSlice[]): EndingTaints {
  const found = new Map<string, readonly ResourceV1DeviceTaint[]>()
  for (const { id, device } of gatherPools(slices).flatMap(({ devices }) => devices)) {
    const taints = (device.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
    if (taints.length > 0) found.set(id, taints)
  }
  return found
}

/** Milliseconds since the epoch at which the pod must go; undefined: it may stay. */
export function evictAt(
  { metadata }: Pod,
  claims: readonly ResourceV1ResourceClaim[],
  taintsOf: EndingTaints,
  nowMs: number,
): number | undefined {
  let earliest: number | undefined
  for (const { status } of claims) {
    if (status?.reservedFor?.some(({ uid }) => uid === metadata.uid) !== true) continue
    for (const { driver, pool, device, tolerations = [] } of status.allocation?.devices?.results ?? []) {
      for (const taint of taintsOf.get(`${driver}/${pool}/${device}`) ?? []) {
        const tolerating = tolerations.filter((toleration) => toleratesTaint(toleration, taint))
        if (tolerating.length === 0) return nowMs
        const limits = tolerating.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? [])
        if (limits.length === 0) continue
        const since = taint.timeAdded === undefined ? nowMs : Date.parse(taint.timeAdded)
        earliest = Math.min(earliest ?? Infinity, since + Math.max(0, Math.min(...limits)) * 1000)
      }
    }
  }
  return earliest
}
