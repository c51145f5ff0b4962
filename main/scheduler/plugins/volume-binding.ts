import type { FilterPlugin } from '../framework/plugin.ts'
import { rejectForGood } from '../framework/plugin.ts'
import type { PodFacts } from '../state/pod-facts.ts'
import type { VolumeSources } from '../volumes/claims.ts'
import { statesOf } from '../volumes/claims.ts'
import type { VolumePlan, VolumePlanFacts } from '../volumes/plan.ts'
import { planVolumes } from '../volumes/plan.ts'

/** Keeps pods to nodes where their claims are, or can be, satisfied. */
export function newVolumeBinding(sources: VolumeSources, isTaken: VolumePlanFacts['isTaken']): FilterPlugin {
  return {
    name: 'VolumeBinding',
    impossible({ pod, claims }) {
      if (claims.length === 0) return undefined
      const states = statesOf(pod, claims, sources)
      return typeof states === 'string' ? states : undefined
    },
    prepare({ pod, claims }) {
      if (claims.length === 0) return undefined
      const states = statesOf(pod, claims, sources)
      if (typeof states === 'string') return () => rejectForGood(states)
      return ({ node }) => {
        const plan = node === undefined ? [] : planVolumes({ node, states, sources, isTaken })
        return Array.isArray(plan) ? rejectForGood(...plan) : undefined
      }
    },
    mayHelp(change, pod) {
      switch (change.type) {
        case 'claim-changed':
          return pod.claims.some(({ key }) => key === change.key)
        case 'storage-changed':
        case 'node-added':
          return true
        case 'node-changed':
          return change.labels
        default:
          return false
      }
    },
  }
}

/** What has to be bound when the pod goes to the node; undefined: nothing. */
export function volumePlanFor(
  { pod, claims }: PodFacts,
  facts: Omit<VolumePlanFacts, 'states'>,
): VolumePlan | undefined {
  if (claims.length === 0) return undefined
  const states = statesOf(pod, claims, facts.sources)
  const plan = typeof states === 'string' ? [] : planVolumes({ ...facts, states })
  if (Array.isArray(plan)) throw new Error('the volumes of a placed pod cannot be bound any more')
  return plan.bind.length + plan.provision.length === 0 ? undefined : plan
}
