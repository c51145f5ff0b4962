// Pure: what emptying a namespace has come to, as conditions that kubectl shows while it waits.
import type { NamespaceCondition } from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'

export const kubernetesFinalizer = 'kubernetes'

/** What one round over all resources of the namespace found. */
export interface EmptyingRound {
  discoveryFailures: { groupVersion: string; why: string }[]
  /** Resource or object that could not be deleted: why. */
  deletionFailures: string[]
  /** "pods." -> objects still there. Keys are "resource.group" as upstream prints them, with a dot also for the core group. */
  remaining: ReadonlyMap<string, number>
  /** Finalizer -> objects that wait for it. */
  finalizers: ReadonlyMap<string, number>
}

export const isEmpty = (round: EmptyingRound): boolean =>
  round.discoveryFailures.length === 0 && round.deletionFailures.length === 0 && round.remaining.size === 0

export function planConditions(
  known: readonly NamespaceCondition[],
  round: EmptyingRound,
  nowMs: number,
): NamespaceCondition[] {
  const lines = (texts: readonly string[]): string => [...texts].sort().join(', ')
  const counts = (map: ReadonlyMap<string, number>, word: (key: string, count: number) => string): string =>
    lines([...map].map(([key, count]) => word(key, count)))
  const wanted: [type: string, failed: string | undefined, reason: string, fine: string][] = [
    [
      'NamespaceDeletionDiscoveryFailure',
      round.discoveryFailures.length === 0
        ? undefined
        : `Discovery failed for some groups, ${String(round.discoveryFailures.length)} failing: unable to retrieve the complete list of server APIs: ${lines(round.discoveryFailures.map(({ groupVersion, why }) => `${groupVersion}: ${why}`))}`,
      'DiscoveryFailed',
      'All resources successfully discovered',
    ],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      undefined,
      'GroupVersionParsingFailed',
      'All legacy kube types successfully parsed',
    ],
    [
      'NamespaceDeletionContentFailure',
      round.deletionFailures.length === 0
        ? undefined
        : `Failed to delete all resource types, ${String(round.deletionFailures.length)} remaining: ${lines(round.deletionFailures)}`,
      'ContentDeletionFailed',
      'All content successfully deleted, may be waiting on finalization',
    ],
    [
      'NamespaceContentRemaining',
      round.remaining.size === 0
        ? undefined
        : `Some resources are remaining: ${counts(round.remaining, (resource, count) => `${resource} has ${String(count)} resource instances`)}`,
      'SomeResourcesRemain',
      'All content successfully removed',
    ],
    [
      'NamespaceFinalizersRemaining',
      round.finalizers.size === 0
        ? undefined
        : `Some content in the namespace has finalizers remaining: ${counts(round.finalizers, (finalizer, count) => `${finalizer} in ${String(count)} resource instances`)}`,
      'SomeFinalizersRemain',
      'All content-preserving finalizers finished',
    ],
  ]
  const fineReasons: Record<string, string> = {
    NamespaceDeletionDiscoveryFailure: 'ResourcesDiscovered',
    NamespaceDeletionGroupVersionParsingFailure: 'ParsedGroupVersions',
    NamespaceDeletionContentFailure: 'ContentDeleted',
    NamespaceContentRemaining: 'ContentRemoved',
    NamespaceFinalizersRemaining: 'ContentHasNoFinalizers',
  }
  const types = new Set(wanted.map(([type]) => type))
  const conditions = known.filter((condition) => !types.has(condition.type))
  for (const [type, failed, failReason, fine] of wanted) {
    const status = failed === undefined ? 'False' : 'True'
    const old = known.find((condition) => condition.type === type)
    conditions.push({
      type,
      status,
      reason: failed === undefined ? (fineReasons[type] ?? '') : failReason,
      message: failed ?? fine,
      lastTransitionTime: old?.status === status ? old.lastTransitionTime : formatTime(nowMs),
    })
  }
  return conditions
}
