// Pure decisions of a rollout: which replica set is the new one, and what size each one should have next. Sizes only; the wiring
// writes them, and the replica set controller makes the pods.
import type { Deployment, ReplicaSet } from '../../../common/api/generated/types.ts'
import { sameTemplate } from '../pods/template-hash.ts'
import { actualReplicas, availableReplicas, isRolling, replicasOf, rollingLimits, totalReplicas } from './limits.ts'
import { desiredReplicasOf, maxReplicasOf, revisionOf } from './revisions.ts'

export const hashLabel = 'pod-template-hash'

export interface Scaling {
  set: ReplicaSet
  replicas: number
}

const byAge = (a: ReplicaSet, b: ReplicaSet): number => {
  const left = a.metadata.creationTimestamp ?? ''
  const right = b.metadata.creationTimestamp ?? ''
  if (left !== right) return left < right ? -1 : 1
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}
const oldestFirst = (sets: readonly ReplicaSet[]): ReplicaSet[] => [...sets].sort(byAge)

/** The oldest set with the deployment's present template: adopting one that exists beats making another. */
export function findNewSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return oldestFirst(sets).find((set) => sameTemplate(set.spec?.template, deployment.spec?.template, hashLabel))
}

export const withPods = (sets: readonly ReplicaSet[]): ReplicaSet[] => sets.filter((set) => replicasOf(set) > 0)

/** The deployment was scaled since its replica sets were last sized. */
export function isScalingEvent(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return withPods(sets).some((set) => {
    const desired = desiredReplicasOf(set)
    return desired !== undefined && desired !== replicasOf(deployment)
  })
}

/** Size of the new set, given all sets (itself included when it exists). */
export function newSetReplicas(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
): number {
  const desired = replicasOf(deployment)
  if (!isRolling(deployment)) return desired
  const current = newSet === undefined ? 0 : replicasOf(newSet)
  const room = desired + rollingLimits(deployment).surge - totalReplicas(sets)
  if (room <= 0) return current
  return current + Math.min(room, Math.max(0, desired - current))
}

/** Next size of the new set in a running rollout; undefined: leave it. */
export function planNewSet(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  newSet: ReplicaSet,
): number | undefined {
  const current = replicasOf(newSet)
  const desired = replicasOf(deployment)
  if (current === desired) return undefined
  if (current > desired) return desired
  const next = newSetReplicas(deployment, sets, newSet)
  return next === current ? undefined : next
}

/** Old sets give way as far as availability allows: first their pods that are not even available, then, oldest first, good ones. */
export function planOldSets(deployment: Deployment, oldSets: readonly ReplicaSet[], newSet: ReplicaSet): Scaling[] {
  const oldPods = totalReplicas(oldSets)
  if (oldPods === 0) return []
  const minAvailable = replicasOf(deployment) - rollingLimits(deployment).unavailable
  const newUnavailable = replicasOf(newSet) - (newSet.status?.availableReplicas ?? 0)
  const maxScaledDown = oldPods + replicasOf(newSet) - minAvailable - newUnavailable
  if (maxScaledDown <= 0) return []

  const sizes = new Map(oldSets.map((set) => [set, replicasOf(set)]))
  let cleaned = 0
  for (const set of oldestFirst(oldSets)) {
    if (cleaned >= maxScaledDown) break
    const size = sizes.get(set) ?? 0
    const unhealthy = Math.max(0, size - (set.status?.availableReplicas ?? 0))
    const less = Math.min(maxScaledDown - cleaned, unhealthy)
    sizes.set(set, size - less)
    cleaned += less
  }
  // Pods that are already doomed are still counted as available until the cache shows otherwise.
  let spare = availableReplicas([...oldSets, newSet]) - minAvailable
  for (const set of oldestFirst(oldSets)) {
    if (spare <= 0) break
    const size = sizes.get(set) ?? 0
    const less = Math.min(size, spare)
    sizes.set(set, size - less)
    spare -= less
  }
  return [...sizes].filter(([set, size]) => size !== replicasOf(set)).map(([set, replicas]) => ({ set, replicas }))
}

/** The set that gets all of a size change: the new one, or the only old one with pods. */
export function activeOrLatest(newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const active = withPods([...oldSets, ...(newSet === undefined ? [] : [newSet])])
  if (active.length === 0) return newSet ?? oldestFirst(oldSets).at(-1)
  return active.length === 1 ? active[0] : undefined
}

/** All wanted pods of the deployment belong to this set and are available. */
export function isSaturated(deployment: Deployment, set: ReplicaSet | undefined): boolean {
  if (set === undefined) return false
  const desired = replicasOf(deployment)
  return (
    replicasOf(set) === desired &&
    desiredReplicasOf(set) === desired &&
    (set.status?.availableReplicas ?? 0) === desired
  )
}

/** Sizes after the deployment itself was scaled, in the middle of a rollout in proportion to what each set has. */
export function planScaling(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
  oldSets: readonly ReplicaSet[],
): Scaling[] {
  const only = activeOrLatest(newSet, oldSets)
  const desired = replicasOf(deployment)
  // Also when the size already fits: the set's size annotations must follow, or this stays a scaling event for ever.
  if (only !== undefined) return [{ set: only, replicas: desired }]
  if (isSaturated(deployment, newSet)) return withPods(oldSets).map((set) => ({ set, replicas: 0 }))
  if (!isRolling(deployment)) return []
  return planProportional(deployment, withPods([...oldSets, ...(newSet === undefined ? [] : [newSet])]))
}

function planProportional(deployment: Deployment, sets: readonly ReplicaSet[]): Scaling[] {
  const desired = replicasOf(deployment)
  const allowed = desired > 0 ? desired + rollingLimits(deployment).surge : 0
  const toAdd = allowed - totalReplicas(sets)
  // Growing favours the newest of equally large sets, shrinking the oldest.
  const bySize = [...sets].sort((a, b) => replicasOf(b) - replicasOf(a) || (toAdd > 0 ? byAge(b, a) : byAge(a, b)))
  let added = 0
  const sizes = bySize.map((set) => {
    const share = toAdd === 0 ? 0 : shareOf(deployment, set, toAdd, added)
    added += share
    return { set, replicas: replicasOf(set) + share }
  })
  const largest = sizes[0]
  if (largest !== undefined && toAdd !== 0) largest.replicas = Math.max(0, largest.replicas + toAdd - added)
  return sizes
}

/** This set's part of `toAdd`, so that all sets keep their proportions. */
function shareOf(deployment: Deployment, set: ReplicaSet, toAdd: number, added: number): number {
  const size = replicasOf(set)
  if (size === 0) return 0
  const left = toAdd - added
  const fraction = fractionOf(deployment, set)
  return toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left)
}

function fractionOf(deployment: Deployment, set: ReplicaSet): number {
  const size = replicasOf(set)
  if (replicasOf(deployment) === 0) return -size
  const maxNow = replicasOf(deployment) + rollingLimits(deployment).surge
  const maxBefore = maxReplicasOf(set) ?? deployment.status?.replicas ?? 0
  if (maxBefore === 0) return 0
  return Math.round((size * maxNow) / maxBefore) - size
}

/** Old sets beyond the history limit that nothing needs any more, oldest revision first. */
export function planCleanup(deployment: Deployment, oldSets: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10
  const cleanable = oldSets.filter((set) => set.metadata.deletionTimestamp === undefined)
  const surplus = cleanable.length - limit
  if (surplus <= 0) return []
  return [...cleanable]
    .sort((a, b) => Number(revisionOf(a) - revisionOf(b)) || byAge(a, b))
    .slice(0, surplus)
    .filter(
      (set) =>
        (set.status?.replicas ?? 0) === 0 &&
        replicasOf(set) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    )
}

export function isComplete(
  deployment: Deployment,
  status: { updatedReplicas?: number; replicas?: number; availableReplicas?: number; observedGeneration?: number },
): boolean {
  const desired = replicasOf(deployment)
  return (
    status.updatedReplicas === desired &&
    status.replicas === desired &&
    status.availableReplicas === desired &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  )
}

/** Whether Recreate must still wait: pods of old revisions exist or are ending. */
export function oldPodsRemain(
  oldSets: readonly ReplicaSet[],
  podsOfOldSets: readonly { status?: { phase?: string } }[],
): boolean {
  if (actualReplicas(oldSets) > 0) return true
  return podsOfOldSets.some((pod) => pod.status?.phase !== 'Failed' && pod.status?.phase !== 'Succeeded')
}
