// Ends a pod that the cluster, not its user, wants gone: first the pod says why, then it is deleted with its own grace period.
import type { Pod } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { pods } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { withDisruption } from './disruption.ts'

/** A pod that is gone, or another of the same name by now, counts as ended. */
export async function endDisrupted(
  client: KubeClient,
  pod: Pod,
  { reason, message, nowMs }: { reason: string; message: string; nowMs: number },
): Promise<void> {
  const { name = '', namespace, uid } = pod.metadata
  try {
    await client.patch(pods, { name, namespace, subresource: 'status' }, 'application/merge-patch+json', {
      metadata: { uid },
      status: { conditions: withDisruption(pod, reason, message, nowMs) },
    })
    await client.delete(pods, name, namespace, { preconditions: { uid } })
  } catch (error) {
    if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
  }
}
