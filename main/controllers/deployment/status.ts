// Pure: the deployment's status and its Available, Progressing and ReplicaFailure conditions.
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { actualReplicas, availableReplicas, readyReplicas, replicasOf, rollingLimits, totalReplicas } from './limits.ts'
import { isComplete } from './plan.ts'

const noDeadline = 2_147_483_647
export const hasDeadline = (deployment: Deployment): boolean =>
  (deployment.spec?.progressDeadlineSeconds ?? 600) !== noDeadline

export function conditionOf(status: DeploymentStatus | undefined, type: string): DeploymentCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}

export function newCondition(
  type: string,
  status: 'True' | 'False' | 'Unknown',
  reason: string,
  message: string,
  nowMs: number,
): DeploymentCondition {
  const now = formatTime(nowMs)
  return { type, status, reason, message, lastUpdateTime: now, lastTransitionTime: now }
}

/** Same status and reason: the old one stays. Same status: the transition time stays. */
export function withCondition(
  conditions: readonly DeploymentCondition[],
  condition: DeploymentCondition,
): DeploymentCondition[] {
  const known = conditions.find(({ type }) => type === condition.type)
  if (known !== undefined && known.status === condition.status && known.reason === condition.reason)
    return [...conditions]
  const lastTransitionTime =
    known?.status === condition.status ? known.lastTransitionTime : condition.lastTransitionTime
  return [...withoutCondition(conditions, condition.type), { ...condition, lastTransitionTime }]
}

export const withoutCondition = (conditions: readonly DeploymentCondition[], type: string): DeploymentCondition[] =>
  conditions.filter((condition) => condition.type !== type)

/** Counts and the Available condition, from the replica sets' own statuses. */
export function planCounts(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
  nowMs: number,
): DeploymentStatus {
  const available = availableReplicas(sets)
  const minAvailable = replicasOf(deployment) - rollingLimits(deployment).unavailable
  const terminating = sets.reduce((sum, set) => sum + (set.status?.terminatingReplicas ?? 0), 0)
  const condition =
    available >= minAvailable
      ? newCondition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', nowMs)
      : newCondition(
          'Available',
          'False',
          'MinimumReplicasUnavailable',
          'Deployment does not have minimum availability.',
          nowMs,
        )
  const counts: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation,
    replicas: actualReplicas(sets),
    updatedReplicas: newSet === undefined ? 0 : (newSet.status?.replicas ?? 0),
    readyReplicas: readyReplicas(sets),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, totalReplicas(sets) - available),
    terminatingReplicas: terminating,
    conditions: withCondition(deployment.status?.conditions ?? [], condition),
  }
  const collisionCount = deployment.status?.collisionCount
  return collisionCount === undefined ? counts : { ...counts, collisionCount }
}

/** The whole status of a running (not paused) rollout. */
export function planRolloutStatus(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
  nowMs: number,
): DeploymentStatus {
  const status = planCounts(deployment, sets, newSet, nowMs)
  let conditions = status.conditions ?? []
  if (!hasDeadline(deployment)) {
    conditions = withoutCondition(conditions, 'Progressing')
  } else {
    const name =
      newSet === undefined
        ? `Deployment "${deployment.metadata.name ?? ''}"`
        : `ReplicaSet "${newSet.metadata.name ?? ''}"`
    const current = conditionOf(deployment.status, 'Progressing')
    const alreadyDone = status.replicas === status.updatedReplicas && current?.reason === 'NewReplicaSetAvailable'
    if (!alreadyDone) {
      if (isComplete(deployment, status)) {
        conditions = withCondition(
          conditions,
          newCondition('Progressing', 'True', 'NewReplicaSetAvailable', `${name} has successfully progressed.`, nowMs),
        )
      } else if (isProgressing(deployment, status)) {
        conditions = withProgress(
          conditions,
          newCondition('Progressing', 'True', 'ReplicaSetUpdated', `${name} is progressing.`, nowMs),
          current,
        )
      } else if (hasTimedOut(deployment, status, nowMs)) {
        conditions = withCondition(
          conditions,
          newCondition('Progressing', 'False', 'ProgressDeadlineExceeded', `${name} has timed out progressing.`, nowMs),
        )
      }
    }
  }
  return { ...status, conditions: withFailure(conditions, sets, newSet) }
}

/** Progress renews lastUpdateTime even when nothing else of the condition changes: the deadline counts from there. */
function withProgress(
  conditions: readonly DeploymentCondition[],
  condition: DeploymentCondition,
  current: DeploymentCondition | undefined,
): DeploymentCondition[] {
  const lastTransitionTime = current?.status === 'True' ? current.lastTransitionTime : condition.lastTransitionTime
  return [...withoutCondition(conditions, 'Progressing'), { ...condition, lastTransitionTime }]
}

function isProgressing(deployment: Deployment, status: DeploymentStatus): boolean {
  const old = deployment.status ?? {}
  const oldUpdated = old.updatedReplicas ?? 0
  const updated = status.updatedReplicas ?? 0
  return (
    updated > oldUpdated ||
    (status.replicas ?? 0) - updated < (old.replicas ?? 0) - oldUpdated ||
    (status.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  )
}

export function hasTimedOut(deployment: Deployment, status: DeploymentStatus, nowMs: number): boolean {
  const condition = conditionOf(status, 'Progressing')
  if (condition === undefined) return false
  if (condition.reason === 'NewReplicaSetAvailable') return false
  if (condition.reason === 'ProgressDeadlineExceeded') return true
  const from = Date.parse(condition.lastUpdateTime ?? '')
  return from + (deployment.spec?.progressDeadlineSeconds ?? 600) * 1000 < nowMs
}

/** Milliseconds until the deadline must be looked at again; undefined when no rollout is under way. */
export function deadlineInMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const condition = conditionOf(deployment.status, 'Progressing')
  if (!hasDeadline(deployment) || condition === undefined) return undefined
  if (isComplete(deployment, status) || condition.reason === 'ProgressDeadlineExceeded') return undefined
  const at = Date.parse(condition.lastUpdateTime ?? '') + (deployment.spec?.progressDeadlineSeconds ?? 600) * 1000
  // One second more: times are written in whole seconds.
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs) + 1_000
}

function withFailure(
  conditions: readonly DeploymentCondition[],
  sets: readonly ReplicaSet[],
  newSet: ReplicaSet | undefined,
): DeploymentCondition[] {
  const failureOf = (set: ReplicaSet): DeploymentCondition | undefined => {
    const failure = set.status?.conditions?.find((condition) => condition.type === 'ReplicaFailure')
    return failure === undefined ? undefined : { ...failure, lastUpdateTime: failure.lastTransitionTime }
  }
  const failure =
    (newSet === undefined ? undefined : failureOf(newSet)) ?? sets.map(failureOf).find((found) => found !== undefined)
  return failure === undefined ? withoutCondition(conditions, 'ReplicaFailure') : withCondition(conditions, failure)
}
