// Pure: how many pods should run now, which ones are too many, and for which indexes new ones are made.
import type { Job, Pod } from '../../../common/api/generated/types.ts'
import { isPodReady } from '../pods/pod-state.ts'
import type { BackoffRecord } from './backoff.ts'
import { remainingMs } from './backoff.ts'
import { indexOf, isEnding, isIndexed } from './facts.ts'
import { backoffOfIndex, hasLimitPerIndex, successorAnnotations } from './index-failures.ts'
import type { Tally } from './tally.ts'

export interface NewPod {
  /** Of indexed jobs. */
  index: number | undefined
  annotations: Record<string, string>
}

export interface ReplicasPlan {
  create: NewPod[]
  drop: Pod[]
  againInMs: number | undefined
}

export interface ReplicasFacts {
  job: Job
  pods: readonly Pod[]
  active: readonly Pod[]
  tally: Tally
  /** Failed pods by index, whose successors are still to be made. */
  awaiting: ReadonlyMap<number, Pod>
  backoff: BackoffRecord
  nowMs: number
}

/** One sync makes or removes at most this many pods; the next ones come when these are seen. */
const maxPerSync = 500

export function planReplicas(facts: ReplicasFacts): ReplicasPlan {
  const { job, active, pods } = facts
  const wanted = wantedActive(facts)
  const drop = surplus(job, active, Math.max(0, active.length - wanted)).slice(0, maxPerSync)
  if (drop.length > 0) return { create: [], drop, againInMs: undefined }
  // With the policy "Failed" an ending pod keeps its place until it is gone.
  const ending = job.spec?.podReplacementPolicy === 'Failed' ? pods.filter(isEnding) : []
  const missing = Math.min(maxPerSync, wanted - active.length - ending.length)
  if (missing <= 0) return { create: [], drop: [], againInMs: undefined }
  if (hasLimitPerIndex(job)) return createPerIndex(facts, missing, ending)
  const wait = remainingMs(facts.backoff, facts.nowMs)
  if (wait > 0) return { create: [], drop: [], againInMs: wait }
  const indexes: (number | undefined)[] = isIndexed(job)
    ? freeIndexes(facts, missing, ending)
    : new Array<undefined>(missing).fill(undefined)
  return { create: indexes.map((index) => ({ index, annotations: {} })), drop: [], againInMs: undefined }
}

function wantedActive({ job, active, tally }: ReplicasFacts): number {
  const { completions, parallelism = 1 } = job.spec ?? {}
  if (completions === undefined) return tally.succeeded > 0 ? Math.min(active.length, parallelism) : parallelism
  return Math.max(0, Math.min(parallelism, completions - tally.succeeded))
}

/** Each index waits for itself. */
function createPerIndex(facts: ReplicasFacts, missing: number, ending: readonly Pod[]): ReplicasPlan {
  const create: NewPod[] = []
  let againInMs: number | undefined
  for (const index of freeIndexes(facts, missing, ending)) {
    const failed = facts.awaiting.get(index)
    const wait = failed === undefined ? 0 : remainingMs(backoffOfIndex(failed), facts.nowMs)
    if (wait === 0) create.push({ index, annotations: successorAnnotations(facts.job, failed) })
    else againInMs = Math.min(againInMs ?? wait, wait)
  }
  return { create, drop: [], againInMs }
}

function freeIndexes({ job, active, tally }: ReplicasFacts, count: number, ending: readonly Pod[]): number[] {
  const taken = new Set([...active, ...ending].map(indexOf))
  const free: number[] = []
  for (let index = 0; index < (job.spec?.completions ?? 0) && free.length < count; index++) {
    const isDone = tally.succeededIndexes.has(index) || tally.failedIndexes?.has(index) === true
    if (!isDone && !taken.has(index)) free.push(index)
  }
  return free
}

/** At least `count` pods: those without an index of their own, then the least advanced. */
function surplus(job: Job, active: readonly Pod[], count: number): Pod[] {
  const doubled = isIndexed(job) ? duplicates(active, job.spec?.completions ?? 0) : []
  if (doubled.length >= count) return doubled
  const others = active.filter((pod) => !doubled.includes(pod)).sort(byProgress)
  return [...doubled, ...others.slice(0, count - doubled.length)]
}

function duplicates(active: readonly Pod[], completions: number): Pod[] {
  const seen = new Set<number>()
  return [...active]
    .sort((a, b) => byProgress(b, a))
    .filter((pod) => {
      const index = indexOf(pod)
      if (index === undefined || index >= completions || seen.has(index)) return true
      seen.add(index)
      return false
    })
}

/** Not placed, not running, not ready, young: first to go. */
function byProgress(a: Pod, b: Pod): number {
  const rank = (pod: Pod): number =>
    ((pod.spec?.nodeName ?? '') === '' ? 0 : 4) + (pod.status?.phase === 'Running' ? 2 : 0) + (isPodReady(pod) ? 1 : 0)
  const difference = rank(a) - rank(b)
  if (difference !== 0) return difference
  return (a.metadata.creationTimestamp ?? '') > (b.metadata.creationTimestamp ?? '') ? -1 : 1
}
