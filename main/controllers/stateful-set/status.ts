// Pure: what the set says about itself.
import type { Pod, StatefulSet, StatefulSetStatus } from '../../../common/api/generated/types.ts'
import { availableInMs, isPodAvailable, isPodReady, isPodTerminating } from '../pods/pod-state.ts'
import { replicasOf, revisionOf } from './identity.ts'

export interface StatusFacts {
  set: StatefulSet
  pods: readonly Pod[]
  currentRevision: string
  updateRevision: string
  collisionCount: number
  /** Pods that this sync deletes for the update. */
  updating: number
  nowMs: number
}

export function planStatus(facts: StatusFacts): StatefulSetStatus {
  const { set, pods, currentRevision, updateRevision, nowMs } = facts
  const minReadySeconds = set.spec?.minReadySeconds ?? 0
  const count = (test: (pod: Pod) => boolean): number => pods.reduce((sum, pod) => sum + (test(pod) ? 1 : 0), 0)
  const isReady = (pod: Pod): boolean => pod.status?.phase === 'Running' && isPodReady(pod)
  const isOf = (revision: string) => (pod: Pod) => !isPodTerminating(pod) && revisionOf(pod) === revision
  const status: StatefulSetStatus = {
    observedGeneration: set.metadata.generation,
    replicas: pods.length,
    readyReplicas: count(isReady),
    availableReplicas: count((pod) => isReady(pod) && isPodAvailable(pod, minReadySeconds, nowMs)),
    currentReplicas: Math.max(0, count(isOf(currentRevision)) - facts.updating),
    updatedReplicas: count(isOf(updateRevision)),
    currentRevision,
    updateRevision,
    collisionCount: facts.collisionCount,
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
  }
  return isUpdated(set, status)
    ? { ...status, currentRevision: updateRevision, currentReplicas: status.updatedReplicas }
    : status
}

/** All pods are of the new revision and ready: from here on it is the current one. */
function isUpdated(set: StatefulSet, { replicas, readyReplicas, updatedReplicas }: StatefulSetStatus): boolean {
  const wanted = replicasOf(set)
  return (
    (set.spec?.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate' &&
    updatedReplicas === wanted &&
    readyReplicas === wanted &&
    replicas === wanted
  )
}

/** Milliseconds until the next ready pod counts as available; undefined when none is on its way. */
export function nextAvailableInMs(set: StatefulSet, pods: readonly Pod[], nowMs: number): number | undefined {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0
  const waits = pods.flatMap((pod) => {
    const wait = availableInMs(pod, minReadySeconds, nowMs)
    return wait === undefined || wait === 0 ? [] : [wait]
  })
  return waits.length === 0 ? undefined : Math.min(...waits)
}
