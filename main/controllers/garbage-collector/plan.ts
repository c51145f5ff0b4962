// Pure: what to do with an object, given what its owners turned out to be.
import type { KubeObject, OwnerReference } from '../../../common/machinery/meta.ts'
import { foregroundFinalizer, orphanFinalizer } from './graph.ts'

export type OwnerState =
  | 'solid'
  | 'absent'
  /** Being deleted in the foreground: it waits for its dependents. */
  | 'waiting'

export type CollectPlan =
  | { action: 'keep' }
  | { action: 'drop-owners'; remaining: OwnerReference[] }
  | { action: 'delete'; propagationPolicy: 'Foreground' | 'Background' | 'Orphan' }

export function planCollect(
  object: KubeObject,
  states: readonly { owner: OwnerReference; state: OwnerState }[],
  hasDependents: boolean,
): CollectPlan {
  const solid = states.filter(({ state }) => state === 'solid')
  const others = states.length - solid.length
  if (states.length === 0 || others === 0) return { action: 'keep' }
  if (solid.length > 0) return { action: 'drop-owners', remaining: solid.map(({ owner }) => owner) }
  // The owner waits, so what this object owns must go first as well.
  if (hasDependents && states.some(({ state }) => state === 'waiting'))
    return { action: 'delete', propagationPolicy: 'Foreground' }
  const finalizers = object.metadata.finalizers ?? []
  if (finalizers.includes(orphanFinalizer)) return { action: 'delete', propagationPolicy: 'Orphan' }
  if (finalizers.includes(foregroundFinalizer)) return { action: 'delete', propagationPolicy: 'Foreground' }
  return { action: 'delete', propagationPolicy: 'Background' }
}
