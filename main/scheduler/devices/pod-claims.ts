// Pure: which ResourceClaims a pod needs.
import type { Pod } from '../../../common/api/generated/types.ts'

export interface PodDeviceClaim {
  /** "namespace/name"; undefined: still to be made from its template. */
  key: string | undefined
  /** Made for this pod alone. */
  generated: boolean
}

export function deviceClaimsOf({ metadata, spec, status }: Pod): PodDeviceClaim[] {
  const namespace = metadata.namespace ?? ''
  return (spec?.resourceClaims ?? []).flatMap(({ name, resourceClaimName }): PodDeviceClaim[] => {
    if (resourceClaimName !== undefined) return [{ key: `${namespace}/${resourceClaimName}`, generated: false }]
    const known = status?.resourceClaimStatuses?.find((claim) => claim.name === name)
    if (known === undefined) return [{ key: undefined, generated: true }]
    // Known, and none is needed.
    if (known.resourceClaimName === undefined) return []
    return [{ key: `${namespace}/${known.resourceClaimName}`, generated: true }]
  })
}
