// Makes and deletes pods for an owner, with the events that tell about it.
import type { Pod } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import type { EventRecorder } from '../../../common/client/event-recorder.ts'
import { pods } from '../../../common/client/resources.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'

export interface PodControl {
  create(owner: KubeObject, pod: Pod): Promise<Pod>
  /** A pod that is already gone, or another of the same name by now, counts as deleted. */
  delete(owner: KubeObject, pod: Pod): Promise<void>
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export function createPodControl(client: KubeClient, events: EventRecorder): PodControl {
  return {
    async create(owner, pod) {
      try {
        const created = await client.create(pods, pod)
        events.event(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name ?? ''}`)
        return created
      } catch (error) {
        // In a terminating namespace this is expected and would only be noise.
        if (!isNamespaceTerminating(error))
          events.event(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`)
        throw error
      }
    },
    async delete(owner, pod) {
      const { name = '', namespace, uid } = pod.metadata
      try {
        await client.delete(pods, name, namespace, { preconditions: { uid } })
      } catch (error) {
        if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return
        events.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`)
        throw error
      }
      events.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
    },
  }
}

export function isNamespaceTerminating(error: unknown): boolean {
  return (
    isReason(error, 'Forbidden') &&
    (error.status.details?.causes ?? []).some((cause) => cause.reason === 'NamespaceTerminating')
  )
}
