import type { FilterPlugin } from '../framework/plugin.ts'
import { reject } from '../framework/plugin.ts'
import type { PodClaim, VolumeSources } from '../volumes/claims.ts'

const rejection = reject('node(s) exceed max volume count')

/** Keeps to the number of volumes that a node's storage drivers say they can attach. */
export function newNodeVolumeLimits(sources: VolumeSources): FilterPlugin {
  /** The driver and a name for the volume, which many pods may share. */
  const volumeOf = ({ key }: PodClaim): { driver: string; handle: string } | undefined => {
    const claim = sources.claim(key)
    const csi = sources.volume(claim?.spec?.volumeName ?? '')?.spec?.csi
    if (csi !== undefined) return { driver: csi.driver, handle: csi.volumeHandle }
    const driver = sources.storageClass(claim?.spec?.storageClassName ?? '')?.provisioner
    return driver === undefined ? undefined : { driver, handle: key }
  }
  return {
    name: 'NodeVolumeLimits',
    prepare({ claims }) {
      const wanted = claims.map(volumeOf).filter((volume) => volume !== undefined)
      if (wanted.length === 0) return undefined
      return (node) => {
        for (const { name, allocatable } of sources.csiNode(node.name)?.spec.drivers ?? []) {
          const limit = allocatable?.count
          if (limit === undefined || !wanted.some(({ driver }) => driver === name)) continue
          const there = [...node.pods.values()].flatMap((pod) => pod.claims).map(volumeOf)
          const handles = new Set(
            [...there, ...wanted].filter((volume) => volume?.driver === name).map((volume) => volume?.handle),
          )
          if (handles.size > limit) return rejection
        }
        return undefined
      }
    },
    mayHelp: (change) =>
      change.type === 'storage-changed' ||
      change.type === 'node-added' ||
      (change.type === 'pod-removed' && change.pod.claims.length > 0),
  }
}
