// The annotations by which a deployment's replica sets remember revisions and sizes, and what is copied from the deployment.
import type { Deployment, ReplicaSet } from '../../../common/api/generated/types.ts'

export const revisionAnnotation = 'deployment.kubernetes.io/revision'
export const revisionHistoryAnnotation = 'deployment.kubernetes.io/revision-history'
export const desiredReplicasAnnotation = 'deployment.kubernetes.io/desired-replicas'
export const maxReplicasAnnotation = 'deployment.kubernetes.io/max-replicas'
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'
/** Bytes of remembered old revisions per replica set. */
const maxHistoryLength = 2_000

/** Annotations that are about one object and must not be copied between deployment and replica set. */
const notCopied = new Set([
  lastAppliedAnnotation,
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  'deprecated.deployment.rollback.to',
])

/** 64 bits, as adopted replica sets may have brought them. What is no number counts as 0. */
export function revisionOf(object: { metadata: Deployment['metadata'] }): bigint {
  const text = object.metadata.annotations?.[revisionAnnotation] ?? ''
  const revision = /^\d+$/.test(text) ? BigInt(text) : 0n
  return BigInt.asIntN(64, revision) === revision ? revision : 0n
}

export const maxRevision = (sets: readonly ReplicaSet[]): bigint =>
  sets.map(revisionOf).reduce((max, revision) => (revision > max ? revision : max), 0n)

export function desiredReplicasOf(set: ReplicaSet): number | undefined {
  const text = set.metadata.annotations?.[desiredReplicasAnnotation]
  const value = Number(text)
  return text === undefined || !Number.isInteger(value) ? undefined : value
}

export function maxReplicasOf(set: ReplicaSet): number | undefined {
  const text = set.metadata.annotations?.[maxReplicasAnnotation]
  const value = Number(text)
  return text === undefined || !Number.isInteger(value) ? undefined : value
}

/** Annotations of the new replica set after it got `revision`; the same content as before when nothing changed. */
export function annotationsOfNewSet(
  deployment: Deployment,
  set: { metadata: ReplicaSet['metadata'] },
  revision: bigint,
  exists: boolean,
): Record<string, string> {
  const annotations: Record<string, string> = { ...set.metadata.annotations }
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {}))
    if (!notCopied.has(key)) annotations[key] = value
  const old = annotations[revisionAnnotation]
  if (revisionOf(set) < revision) {
    annotations[revisionAnnotation] = String(revision)
    // A set that was rolled back to remembers which revisions it has been.
    if (exists && old !== undefined && old !== '')
      annotations[revisionHistoryAnnotation] = appendHistory(annotations[revisionHistoryAnnotation], old)
  }
  return annotations
}

function appendHistory(history: string | undefined, revision: string): string {
  const revisions = history === undefined || history === '' ? [] : history.split(',')
  revisions.push(revision)
  while (revisions.length > 1 && revisions.join(',').length > maxHistoryLength) revisions.shift()
  return revisions.join(',')
}

export function sizeAnnotations(desired: number, max: number): Record<string, string> {
  return { [desiredReplicasAnnotation]: String(desired), [maxReplicasAnnotation]: String(max) }
}
