// How a deletion is asked for.

export type PropagationPolicy = 'Foreground' | 'Background' | 'Orphan'

export interface DeletionRequest {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: PropagationPolicy
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
}
