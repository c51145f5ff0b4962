// Thin: ends the victims of a preemption, with the condition that tells job controllers and people why.
import type { KubeClient } from '../../../common/client/client.ts'
import type { EventRecorder } from '../../../common/client/event-recorder.ts'
import { pods } from '../../../common/client/resources.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { withDisruption } from '../../controllers/pods/disruption.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import { preemptionReason } from './plan.ts'
import type { Candidate } from './victims.ts'

export interface PreemptOptions {
  client: KubeClient
  events: EventRecorder
  clock: Clock
  schedulerName: string
}

/** Rejects when a victim could not be ended; those that are gone already are no failure. */
export async function preempt(options: PreemptOptions, preemptor: PodFacts, candidate: Candidate): Promise<void> {
  await Promise.all(candidate.victims.map((victim) => endVictim(options, preemptor, candidate.node.name, victim)))
}

async function endVictim(
  { client, events, clock, schedulerName }: PreemptOptions,
  preemptor: PodFacts,
  node: string,
  victim: PodFacts,
): Promise<void> {
  const { name = '', namespace, uid, deletionTimestamp } = victim.pod.metadata
  if (deletionTimestamp !== undefined) return
  try {
    const current = await client.get(pods, name, namespace)
    if (current.metadata.uid !== uid) return
    const message = `${schedulerName}: preempting to accommodate a higher priority pod`
    const conditions = withDisruption(current, preemptionReason, message, clock.now())
    const target = { name, namespace: namespace ?? '', subresource: 'status' }
    const patch = { metadata: { uid }, status: { conditions } }
    await client.patch(pods, target, 'application/merge-patch+json', patch)
    await client.delete(pods, name, namespace, { preconditions: { uid } })
  } catch (error) {
    if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return
    throw error
  }
  events.event(victim.pod, 'Normal', 'Preempted', `Preempted by pod ${preemptor.uid} on node ${node}`)
}
