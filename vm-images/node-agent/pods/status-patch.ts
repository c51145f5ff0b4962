// The strategic merge patch by which a node reports a pod's status. Conditions of others stay; lists that a node owns are replaced whole;
// what is no longer there is removed; the uid guards against a namesake.
import type { Pod, PodStatus } from '../../../common/api/generated/types.ts'

/** Status fields that the node owns and may remove. */
const ownFields = ['podIP', 'podIPs', 'reason', 'message', 'initContainerStatuses'] as const

export function statusPatch(pod: Pod, status: PodStatus): unknown {
  const removed = Object.fromEntries(
    ownFields.filter((field) => !(field in status) && pod.status?.[field] !== undefined).map((field) => [field, null]),
  )
  const lists = Object.fromEntries(
    (['podIPs', 'hostIPs'] as const)
      .filter((field) => status[field] !== undefined)
      .map((field) => [field, [{ $patch: 'replace' }, ...(status[field] ?? [])]]),
  )
  return {
    metadata: { uid: pod.metadata.uid },
    // Conditions are merged by type: an old reason would stay unless it is taken away.
    status: {
      ...removed,
      ...status,
      ...lists,
      conditions: [
        ...(status.conditions ?? []).map((own) => ({ reason: null, message: null, ...own })),
        ...passedConditions(pod, status),
      ],
    },
  }
}

/** Conditions that a node sets only while they hold. */
function passedConditions(pod: Pod, status: PodStatus): { $patch: 'delete'; type: string }[] {
  const has = (of: PodStatus | undefined, type: string): boolean => of?.conditions?.some((one) => one.type === type) === true // prettier-ignore
  return ['PodResizePending']
    .filter((type) => has(pod.status, type) && !has(status, type))
    .map((type) => ({ $patch: 'delete', type }))
}
