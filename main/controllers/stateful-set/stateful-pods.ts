// Thin: carries a plan out, pod by pod, with the events that tell about it.
import type { ControllerRevision, Pod, StatefulSet } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import type { EventRecorder } from '../../../common/client/event-recorder.ts'
import { pods } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { Expectations } from '../ownership/expectations.ts'
import { asError, firstFailure, slowStart } from '../ownership/slow-start.ts'
import { isNamespaceTerminating } from '../pods/pod-control.ts'
import { templateOf } from '../revisions/history.ts'
import type { ClaimControl } from './claims.ts'
import { identityLabels, ordinalOf, podForOrdinal } from './identity.ts'
import type { NewPod, StatefulPlan } from './plan.ts'

export interface StatefulPodsOptions {
  client: KubeClient
  events: EventRecorder
  claims: ClaimControl
  expectations: Expectations<Pod>
}

export interface StatefulPods {
  /** Returns the first failure, after everything was tried. */
  apply(
    key: string,
    set: StatefulSet,
    plan: StatefulPlan,
    revisions: Record<NewPod['revision'], ControllerRevision>,
  ): Promise<Error | undefined>
}

const bounded = 500

export function createStatefulPods({ client, events, claims, expectations }: StatefulPodsOptions): StatefulPods {
  const tell = (set: StatefulSet, verb: 'create' | 'update' | 'delete', podName: string, error?: unknown): void => {
    const about = `${verb} Pod ${podName} in StatefulSet ${set.metadata.name ?? ''}`
    const title = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}`
    if (error === undefined) events.event(set, 'Normal', `Successful${title}`, `${about} successful`)
    else if (!isNamespaceTerminating(error)) {
      const why = asError(error).message
      events.event(set, 'Warning', `Failed${title}`, `${about} failed error: ${why}`)
    }
  }

  async function create(key: string, set: StatefulSet, ordinal: number, revision: ControllerRevision): Promise<void> {
    const pod = podForOrdinal(set, ordinal, templateOf(revision), revision.metadata.name ?? '')
    try {
      await claims.ensure(set, ordinal)
      expectations.created(key, await client.create(pods, pod))
    } catch (error) {
      // An earlier pod of that name is still there: its end will be seen.
      if (!isReason(error, 'AlreadyExists')) tell(set, 'create', pod.metadata.name ?? '', error)
      throw error
    }
    tell(set, 'create', pod.metadata.name ?? '')
  }

  async function remove(key: string, set: StatefulSet, pod: Pod): Promise<void> {
    const { name = '', namespace, uid } = pod.metadata
    try {
      await client.delete(pods, name, namespace, { preconditions: { uid } })
    } catch (error) {
      if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return
      tell(set, 'delete', name, error)
      throw error
    }
    expectations.deleted(key, pod)
    tell(set, 'delete', name)
  }

  /** Labels of an adopted pod, and the owners of its claims. */
  async function settle(set: StatefulSet, pod: Pod): Promise<void> {
    const ordinal = ordinalOf(set, pod) ?? -1
    const labels = identityLabels(set, ordinal)
    const { name = '', namespace, uid } = pod.metadata
    try {
      await claims.settle(set, pod)
      if (Object.entries(labels).every(([label, value]) => pod.metadata.labels?.[label] === value)) return
      const patch = { metadata: { uid, labels } }
      await client.patch(pods, { name, namespace }, 'application/merge-patch+json', patch)
    } catch (error) {
      if (isReason(error, 'Conflict') || isReason(error, 'NotFound')) throw error
      tell(set, 'update', name, error)
      throw error
    }
    tell(set, 'update', name)
  }

  return {
    async apply(key, set, plan, revisions) {
      const made = await slowStart(Math.min(bounded, plan.create.length), async (i) => {
        const wanted = plan.create[i]
        if (wanted !== undefined) await create(key, set, wanted.ordinal, revisions[wanted.revision])
      })
      const others = await Promise.allSettled([
        ...plan.ensureClaims.map((pod) => claims.ensure(set, ordinalOf(set, pod) ?? -1)),
        ...plan.settle.map((pod) => settle(set, pod)),
      ])
      const failure = made.error ?? firstFailure(others)
      if (failure !== undefined) return failure
      const deleted = await Promise.allSettled(plan.delete.map((pod) => remove(key, set, pod)))
      return firstFailure(deleted)
    },
  }
}
