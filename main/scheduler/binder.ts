// The scheduler's writes about pods: binding, the PodScheduled condition, events.
import type { PodCondition } from '../../common/api/generated/types.ts'
import type { KubeClient } from '../../common/client/client.ts'
import type { EventRecorder } from '../../common/client/event-recorder.ts'
import { pods } from '../../common/client/resources.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import { formatTime } from '../../common/machinery/clock.ts'
import { isReason } from '../../common/machinery/status.ts'
import { scheduledMessage } from './framework/messages.ts'
import type { PodFacts } from './state/pod-facts.ts'

export interface PlacementFailure {
  reason: 'Unschedulable' | 'SchedulerError'
  message: string
  /** Where room is made for the pod; null: nowhere any more; undefined: as it was. */
  nominatedNode?: string | null
}

export interface Binder {
  bind(pod: PodFacts, node: string): Promise<void>
  /** Says on the pod and as an event why it is not placed. Never rejects. */
  reportFailure(pod: PodFacts, failure: PlacementFailure): Promise<void>
}

export function createBinder(options: {
  client: KubeClient
  events: EventRecorder
  clock: Clock
  onError: (message: string, error: unknown) => void
}): Binder {
  const { client, events, clock, onError } = options
  return {
    async bind({ pod, namespace, key, uid }, node) {
      const { name = '' } = pod.metadata
      await client.createSubresource(
        pods,
        { name, namespace, subresource: 'binding' },
        {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name, namespace, uid },
          target: { apiVersion: 'v1', kind: 'Node', name: node },
        },
      )
      events.event(pod, 'Normal', 'Scheduled', scheduledMessage(key, node))
    },
    async reportFailure({ pod, namespace }, { reason, message, nominatedNode }) {
      events.event(pod, 'Warning', 'FailedScheduling', message)
      const conditions = pod.status?.conditions ?? []
      const known = conditions.find(({ type }) => type === 'PodScheduled')
      const isKnown = known?.status === 'False' && known.reason === reason && known.message === message
      const isNominated = nominatedNode === undefined || (pod.status?.nominatedNodeName ?? null) === nominatedNode
      if (isKnown && isNominated) return
      const condition: PodCondition = {
        type: 'PodScheduled',
        status: 'False',
        reason,
        message,
        lastProbeTime: undefined,
        lastTransitionTime: known?.status === 'False' ? known.lastTransitionTime : formatTime(clock.now()),
        observedGeneration: pod.metadata.generation,
      }
      const status = {
        conditions: [...conditions.filter(({ type }) => type !== 'PodScheduled'), condition],
        ...(nominatedNode === undefined ? {} : { nominatedNodeName: nominatedNode }),
      }
      const target = { name: pod.metadata.name ?? '', namespace, subresource: 'status' }
      try {
        // The uid keeps the condition off a new pod of the same name.
        await client.patch(pods, target, 'application/merge-patch+json', {
          metadata: { uid: pod.metadata.uid },
          status,
        })
      } catch (error) {
        if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict'))
          onError('the condition of an unschedulable pod could not be written', error)
      }
    },
  }
}
