// Pure: pods that nobody else will ever remove.
import type { Pod } from '../../../common/api/generated/types.ts'
import { isPodFinished } from '../pods/pod-state.ts'

/** A node that vanished may only be registering anew. */
export const quarantineMs = 40_000

export type PodGcReason = 'orphaned' | 'unscheduled-terminating'

/** `nodeKnown`: the node object exists. */
export function planPod(pod: Pod, nodeKnown: boolean): PodGcReason | undefined {
  const nodeName = pod.spec?.nodeName ?? ''
  if (nodeName === '') return pod.metadata.deletionTimestamp === undefined ? undefined : 'unscheduled-terminating'
  return nodeKnown ? undefined : 'orphaned'
}

/** The oldest finished pods beyond the threshold; none where that is 0. */
export function planTerminated(finished: readonly Pod[], threshold: number): Pod[] {
  const surplus = finished.length - threshold
  if (surplus <= 0 || threshold <= 0) return []
  const created = (pod: Pod): string => pod.metadata.creationTimestamp ?? ''
  return finished
    .filter((pod) => isPodFinished(pod) && pod.metadata.deletionTimestamp === undefined)
    .sort((a, b) =>
      created(a) < created(b)
        ? -1
        : created(a) > created(b)
          ? 1
          : (a.metadata.name ?? '') < (b.metadata.name ?? '')
            ? -1
            : 1,
    )
    .slice(0, surplus)
}
