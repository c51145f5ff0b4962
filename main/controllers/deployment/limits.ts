// The deployment's own numbers: how many more, how many fewer pods a rollout may have.
import type { Deployment, IntOrString, ReplicaSet } from '../../../common/api/generated/types.ts'

/** "25%" of `total`, or the number itself. */
export function scaleValue(value: IntOrString | undefined, total: number, round: 'up' | 'down'): number {
  if (value === undefined) return 0
  if (typeof value === 'number') return value
  const match = /^([0-9]+)%$/.exec(value)
  if (match === null) return Number.isInteger(Number(value)) ? Number(value) : 0
  const exact = (Number(match[1]) * total) / 100
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact)
}

export const replicasOf = (object: Deployment | ReplicaSet): number => object.spec?.replicas ?? 1

export const isRolling = (deployment: Deployment): boolean => deployment.spec?.strategy?.type !== 'Recreate'

/** Pods above and below the desired number that a rolling update may have; never both zero, or nothing could move. */
export function rollingLimits(deployment: Deployment): { surge: number; unavailable: number } {
  if (!isRolling(deployment)) return { surge: 0, unavailable: 0 }
  const replicas = replicasOf(deployment)
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec?.strategy?.rollingUpdate ?? {}
  const surge = scaleValue(maxSurge, replicas, 'up')
  let unavailable = scaleValue(maxUnavailable, replicas, 'down')
  if (surge === 0 && unavailable === 0) unavailable = 1
  return { surge, unavailable: Math.min(unavailable, replicas) }
}

export const totalReplicas = (sets: readonly ReplicaSet[]): number =>
  sets.reduce((sum, set) => sum + replicasOf(set), 0)
export const actualReplicas = (sets: readonly ReplicaSet[]): number =>
  sets.reduce((sum, set) => sum + (set.status?.replicas ?? 0), 0)
export const readyReplicas = (sets: readonly ReplicaSet[]): number =>
  sets.reduce((sum, set) => sum + (set.status?.readyReplicas ?? 0), 0)
export const availableReplicas = (sets: readonly ReplicaSet[]): number =>
  sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0)
