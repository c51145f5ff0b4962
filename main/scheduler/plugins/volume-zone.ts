import type { PersistentVolume } from '../../../common/api/generated/types.ts'
import type { FilterPlugin } from '../framework/plugin.ts'
import { rejectForGood } from '../framework/plugin.ts'
import type { VolumeSources } from '../volumes/claims.ts'

const rejection = rejectForGood('node(s) had no available volume zone')
const zoneLabels = [
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
]

/** Keeps pods in the zones of their volumes, which carry them as labels ("a__b": either). */
export function newVolumeZone(sources: VolumeSources): FilterPlugin {
  return {
    name: 'VolumeZone',
    prepare({ claims }) {
      if (claims.length === 0) return undefined
      const zones = claims
        .map(({ key }) => sources.volume(sources.claim(key)?.spec?.volumeName ?? ''))
        .filter((volume) => volume !== undefined)
        .flatMap(zonesOf)
      if (zones.length === 0) return undefined
      return ({ labels }) => (zones.every(([key, values]) => values.has(labels[key] ?? '')) ? undefined : rejection)
    },
    mayHelp: (change) =>
      change.type === 'claim-changed' ||
      change.type === 'storage-changed' ||
      change.type === 'node-added' ||
      (change.type === 'node-changed' && change.labels),
  }
}

function zonesOf({ metadata }: PersistentVolume): [string, Set<string>][] {
  return zoneLabels.flatMap((key): [string, Set<string>][] => {
    const value = metadata.labels?.[key]
    return value === undefined ? [] : [[key, new Set(value.split('__'))]]
  })
}
