import type { FilterPlugin } from '../framework/plugin.ts'
import { reject } from '../framework/plugin.ts'
import type { VolumeSources } from '../volumes/claims.ts'

const rejection = reject('node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode')

/** A claim with ReadWriteOncePod serves one pod at a time, wherever that is. */
export function newVolumeRestrictions(sources: VolumeSources): FilterPlugin {
  return {
    name: 'VolumeRestrictions',
    prepare({ claims }, cluster) {
      const exclusive = claims.filter(({ key }) => sources.claim(key)?.spec?.accessModes?.includes('ReadWriteOncePod'))
      const used = exclusive.filter(({ key }) => cluster.claimUsers(key) > 0)
      if (used.length === 0) return undefined
      // Only where the other pod is would its end help.
      return (node) => (used.some(({ key }) => node.usesClaim(key)) ? rejection : { ...rejection, unresolvable: true })
    },
    mayHelp: (change, pod) =>
      change.type === 'pod-removed' &&
      change.pod.claims.some(({ key }) => pod.claims.some((claim) => claim.key === key)),
  }
}
