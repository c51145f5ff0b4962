// Pure decisions of the stateful set controller: the next step towards the wanted pods at the wanted revisions. Ordered sets take one
// step at a time and none while a pod is not available; parallel ones take all at once.
import type { Pod, StatefulSet } from '../../../common/api/generated/types.ts'
import { scaleValue } from '../deployment/limits.ts'
import { isPodAvailable, isPodFinished, isPodReady, isPodTerminating } from '../pods/pod-state.ts'
import { isInRange, ordinalOf, replicasOf, revisionOf, startOf } from './identity.ts'

export interface StatefulFacts {
  set: StatefulSet
  /** Owned pods. */
  pods: readonly Pod[]
  /** Names of the revisions the set comes from and goes to. */
  currentRevision: string
  updateRevision: string
  /** The claim that a pod of this ordinal would get still belongs to its predecessor, which is going away. */
  hasStaleClaim: (ordinal: number) => boolean
  nowMs: number
}

export interface NewPod {
  ordinal: number
  revision: 'current' | 'update'
}

export interface StatefulPlan {
  create: NewPod[]
  delete: Pod[]
  /** Pods that wait to be placed: claims that are missing are made. */
  ensureClaims: Pod[]
  /** Pods whose labels and whose claims' owners must be right. */
  settle: Pod[]
  /** Deleted for the update: they no longer count as current. */
  updating: number
}

type Slot = { ordinal: number; pod: Pod | undefined }

export function planStatefulSet(facts: StatefulFacts): StatefulPlan {
  const plan: StatefulPlan = { create: [], delete: [], ensureClaims: [], settle: [], updating: 0 }
  const { set } = facts
  if (set.metadata.deletionTimestamp !== undefined) return plan
  const { replicas, condemned } = sortPods(set, facts.pods)
  const ordered = set.spec?.podManagementPolicy !== 'Parallel'
  for (const slot of replicas) if (planReplica(slot, facts, plan) && ordered) return plan
  plan.settle.push(...condemned)
  const worst = firstUnavailable(replicas, condemned, facts)
  for (const pod of condemned) {
    if (isPodTerminating(pod)) {
      if (ordered) return plan
      continue
    }
    if (ordered && !isAvailable(pod, facts) && pod !== worst) return plan
    plan.delete.push(pod)
    if (ordered) return plan
  }
  planUpdate(replicas, facts, plan)
  return plan
}

/** Pods by their place; `condemned` are those beyond the wanted range, highest ordinal first. */
function sortPods(set: StatefulSet, pods: readonly Pod[]): { replicas: Slot[]; condemned: Pod[] } {
  const byOrdinal = new Map<number, Pod>()
  for (const pod of pods) {
    const ordinal = ordinalOf(set, pod)
    if (ordinal !== undefined) byOrdinal.set(ordinal, pod)
  }
  const replicas = Array.from({ length: replicasOf(set) }, (_, i) => {
    const ordinal = startOf(set) + i
    return { ordinal, pod: byOrdinal.get(ordinal) }
  })
  const condemned = [...byOrdinal]
    .filter(([ordinal]) => !isInRange(set, ordinal))
    .sort(([a], [b]) => b - a)
    .map(([, pod]) => pod)
  return { replicas, condemned }
}

const isRunningAndReady = (pod: Pod): boolean => pod.status?.phase === 'Running' && isPodReady(pod)

function isAvailable(pod: Pod, { set, nowMs }: StatefulFacts): boolean {
  return isRunningAndReady(pod) && isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)
}

const isServing = (pod: Pod | undefined, facts: StatefulFacts): pod is Pod =>
  pod !== undefined && isAvailable(pod, facts) && !isPodTerminating(pod)

/** Returns whether an ordered set must wait here. */
function planReplica({ ordinal, pod }: Slot, facts: StatefulFacts, plan: StatefulPlan): boolean {
  if (pod === undefined) {
    if (!facts.hasStaleClaim(ordinal)) plan.create.push({ ordinal, revision: revisionFor(facts, ordinal) })
    return true
  }
  if (isPodFinished(pod)) {
    // Whatever its exit code: it is made again when it is gone.
    if (!isPodTerminating(pod)) plan.delete.push(pod)
    return true
  }
  if (pod.status?.phase === 'Pending') plan.ensureClaims.push(pod)
  if (!isPodTerminating(pod)) plan.settle.push(pod)
  return !isServing(pod, facts)
}

/** Below the partition pods keep, and get back, the old revision. */
function revisionFor({ set }: StatefulFacts, ordinal: number): NewPod['revision'] {
  const { type = 'RollingUpdate', rollingUpdate } = set.spec?.updateStrategy ?? {}
  if (type !== 'RollingUpdate') return 'update'
  const kept = rollingUpdate === undefined ? (set.status?.currentReplicas ?? 0) : (rollingUpdate.partition ?? 0)
  return ordinal < startOf(set) + kept ? 'current' : 'update'
}

function firstUnavailable(replicas: readonly Slot[], condemned: readonly Pod[], facts: StatefulFacts): Pod | undefined {
  const replica = replicas.find(({ pod }) => pod !== undefined && !isServing(pod, facts))
  return replica?.pod ?? [...condemned].reverse().find((pod) => !isServing(pod, facts))
}

/** Highest ordinals first, as many at a time as may be unavailable. */
function planUpdate(replicas: readonly Slot[], facts: StatefulFacts, plan: StatefulPlan): void {
  const { type = 'RollingUpdate', rollingUpdate } = facts.set.spec?.updateStrategy ?? {}
  if (type !== 'RollingUpdate') return
  const partition = rollingUpdate?.partition ?? 0
  const limit = Math.max(1, scaleValue(rollingUpdate?.maxUnavailable ?? 1, replicas.length, 'down'))
  let room = limit - replicas.filter(({ pod }) => !isServing(pod, facts)).length
  for (const { pod } of replicas.slice(partition).reverse()) {
    if (pod === undefined || isPodTerminating(pod) || revisionOf(pod) === facts.updateRevision) continue
    if (plan.delete.includes(pod)) continue
    // A pod that serves nobody is replaced at no cost; otherwise a broken template could never be mended.
    if (isServing(pod, facts) && room-- <= 0) return
    plan.delete.push(pod)
    plan.updating++
  }
}
