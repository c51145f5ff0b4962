// Which claims a pod uses: those it names, and those that are made for it from a template of its own.
import type { Pod } from '../../../common/api/generated/types.ts'

/** Index of pods by "namespace/claim". */
export const byClaim = 'claim'

export function podClaims({ metadata, spec }: Pod): string[] {
  return (spec?.volumes ?? []).flatMap((volume) => {
    const name =
      volume.persistentVolumeClaim?.claimName ??
      (volume.ephemeral === undefined ? undefined : ephemeralClaimName(metadata.name ?? '', volume.name))
    return name === undefined ? [] : [`${metadata.namespace ?? ''}/${name}`]
  })
}

export const ephemeralClaimName = (podName: string, volumeName: string): string => `${podName}-${volumeName}`
