// Pure decisions about a number of like pods: how many pods to make or delete, which ones to delete, what the status says.
import type {
  Pod,
  ReplicaSet,
  ReplicaSetCondition,
  ReplicaSetStatus,
  ReplicationController,
} from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import {
  availableInMs,
  isPodActive,
  isPodAvailable,
  isPodReady,
  isPodTerminating,
  podCondition,
  restartsOf,
} from '../pods/pod-state.ts'

/** What keeps a number of like pods. */
export type Replicated = ReplicaSet | ReplicationController

/** Pods made or deleted in one go. */
export const burstReplicas = 500

export interface ReplicaPlan {
  create: number
  delete: Pod[]
}

/**
 * `active` are the owned active pods; `related` all pods of replica sets under the same owner, by which pods that crowd a node
 * are found.
 */
export function planReplicas(
  owner: Replicated,
  active: readonly Pod[],
  related: readonly Pod[],
  nowMs: number,
): ReplicaPlan {
  const surplus = active.length - (owner.spec?.replicas ?? 1)
  if (surplus === 0) return { create: 0, delete: [] }
  if (surplus < 0) return { create: Math.min(-surplus, burstReplicas), delete: [] }
  const wanted = Math.min(surplus, burstReplicas)
  if (wanted === active.length) return { create: 0, delete: [...active] }
  return { create: 0, delete: rankForDeletion(active, related, nowMs).slice(0, wanted) }
}

/** Most deletable first. */
export function rankForDeletion(pods: readonly Pod[], related: readonly Pod[], nowMs: number): Pod[] {
  const onNode = new Map<string, number>()
  for (const pod of related) {
    const node = pod.spec?.nodeName
    if (node !== undefined && isPodActive(pod)) onNode.set(node, (onNode.get(node) ?? 0) + 1)
  }
  const facts = pods.map((pod) => {
    const ready = isPodReady(pod)
    const node = pod.spec?.nodeName ?? ''
    return {
      pod,
      order: [
        node === '' ? 0 : 1,
        phaseOrder(pod),
        ready ? 1 : 0,
        deletionCost(pod),
        -(onNode.get(node) ?? 0),
        // The shorter ready the better to delete, by orders of magnitude: exact times would always pick the same ones.
        ready ? ageBucket(podCondition(pod, 'Ready')?.lastTransitionTime, nowMs) : 0,
        -restartsOf(pod),
        ageBucket(pod.metadata.creationTimestamp, nowMs),
      ],
      uid: pod.metadata.uid ?? '',
    }
  })
  facts.sort((a, b) => {
    for (const [i, left] of a.order.entries()) {
      const difference = left - (b.order[i] ?? 0)
      if (difference !== 0) return difference
    }
    return a.uid < b.uid ? -1 : 1
  })
  return facts.map(({ pod }) => pod)
}

function phaseOrder(pod: Pod): number {
  switch (pod.status?.phase) {
    case 'Running':
      return 2
    case 'Unknown':
      return 1
    default:
      return 0
  }
}

export const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost'

function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[deletionCostAnnotation]
  const cost = Number(text)
  return text === undefined || !Number.isInteger(cost) ? 0 : cost
}

/** 0 for unknown and just now, growing with the logarithm of the age. */
function ageBucket(since: string | undefined, nowMs: number): number {
  if (since === undefined) return 0
  return Math.floor(Math.log2(Math.max(1, (nowMs - Date.parse(since)) / 1000)))
}

export function planStatus(
  owner: Replicated,
  owned: readonly Pod[],
  failure: Error | undefined,
  wantedDifference: number,
  nowMs: number,
): ReplicaSetStatus {
  const active = owned.filter(isPodActive)
  const minReadySeconds = owner.spec?.minReadySeconds ?? 0
  const templateLabels = Object.entries(owner.spec?.template?.metadata?.labels ?? {})
  const count = (test: (pod: Pod) => boolean): number => active.reduce((sum, pod) => sum + (test(pod) ? 1 : 0), 0)
  const conditions = planConditions(owner, failure, wantedDifference, nowMs)
  return {
    replicas: active.length,
    fullyLabeledReplicas: count((pod) => templateLabels.every(([key, value]) => pod.metadata.labels?.[key] === value)),
    readyReplicas: count(isPodReady),
    availableReplicas: count((pod) => isPodAvailable(pod, minReadySeconds, nowMs)),
    // Replication controllers do not say.
    ...(owner.kind === 'ReplicaSet' ? { terminatingReplicas: owned.filter(isPodTerminating).length } : {}),
    observedGeneration: owner.metadata.generation,
    ...(conditions.length === 0 ? {} : { conditions }),
  }
}

function planConditions(
  owner: Replicated,
  failure: Error | undefined,
  wantedDifference: number,
  nowMs: number,
): ReplicaSetCondition[] {
  const conditions = owner.status?.conditions ?? []
  const others = conditions.filter((condition) => condition.type !== 'ReplicaFailure')
  if (failure === undefined) return others
  const reason = wantedDifference < 0 ? 'FailedCreate' : 'FailedDelete'
  const known = conditions.find((condition) => condition.type === 'ReplicaFailure')
  if (known?.reason === reason) return [...conditions]
  const { message } = failure
  return [...others, { type: 'ReplicaFailure', status: 'True', lastTransitionTime: formatTime(nowMs), reason, message }]
}

/** Milliseconds until the next ready pod counts as available; undefined when none is on its way. */
export function nextAvailableInMs(owner: Replicated, owned: readonly Pod[], nowMs: number): number | undefined {
  const minReadySeconds = owner.spec?.minReadySeconds ?? 0
  if (minReadySeconds === 0) return undefined
  const waits = owned.filter(isPodActive).flatMap((pod) => {
    const wait = availableInMs(pod, minReadySeconds, nowMs)
    return wait === undefined || wait === 0 ? [] : [wait]
  })
  return waits.length === 0 ? undefined : Math.min(...waits)
}
