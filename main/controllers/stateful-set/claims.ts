// Thin: makes the claims of a set's pods and keeps their owners as the retention policy wants them.
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import type { EventRecorder } from '../../../common/client/event-recorder.ts'
import type { Informer } from '../../../common/client/informer.ts'
import { persistentVolumeClaims } from '../../../common/client/resources.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { asError } from '../ownership/slow-start.ts'
import { isStaleClaim, planClaimOwners } from './claim-owners.ts'
import { claimsOf, ordinalOf } from './identity.ts'

export interface ClaimControl {
  isStale(set: StatefulSet, ordinal: number): boolean
  /** Makes those that are missing. Throws when one cannot be made or is being deleted. */
  ensure(set: StatefulSet, ordinal: number): Promise<void>
  /** Brings the owners of the pod's claims in line with the retention policy. */
  settle(set: StatefulSet, pod: Pod): Promise<void>
}

export function createClaimControl(
  client: KubeClient,
  events: EventRecorder,
  informer: Informer<PersistentVolumeClaim>,
): ClaimControl {
  return {
    isStale: (set, ordinal) =>
      claimsOf(set, ordinal).some(({ claim }) =>
        isStaleClaim(informer.get(objectKey(claim)), `${set.metadata.name ?? ''}-${String(ordinal)}`),
      ),
    async ensure(set, ordinal) {
      for (const { claim } of claimsOf(set, ordinal)) await ensureClaim(set, ordinal, claim)
    },
    async settle(set, pod) {
      const ordinal = ordinalOf(set, pod) ?? -1
      for (const { claim } of claimsOf(set, ordinal)) {
        const known = informer.get(objectKey(claim))
        const ownerReferences = known === undefined ? undefined : planClaimOwners(set, ordinal, known, pod)
        if (known === undefined || ownerReferences === undefined) continue
        const { name = '', namespace, uid, resourceVersion } = known.metadata
        const metadata = { uid, resourceVersion, ownerReferences }
        await client.patch(persistentVolumeClaims, { name, namespace }, 'application/merge-patch+json', { metadata })
      }
    },
  }

  async function ensureClaim(set: StatefulSet, ordinal: number, claim: PersistentVolumeClaim): Promise<void> {
    const known = informer.get(objectKey(claim))
    if (known !== undefined && known.metadata.deletionTimestamp === undefined) return
    const name = claim.metadata.name ?? ''
    const about = `Pod ${set.metadata.name ?? ''}-${String(ordinal)} in StatefulSet ${set.metadata.name ?? ''}`
    try {
      if (known !== undefined) throw new Error(`pvc ${name} is being deleted`)
      const ownerReferences = planClaimOwners(set, ordinal, claim)
      const owned =
        ownerReferences === undefined ? claim : { ...claim, metadata: { ...claim.metadata, ownerReferences } }
      await client.create(persistentVolumeClaims, owned)
    } catch (error) {
      if (isReason(error, 'AlreadyExists')) return
      const why = asError(error).message
      const message = `create Claim ${name} for ${about} failed error: ${why}`
      events.event(set, 'Warning', 'FailedCreate', message)
      throw error
    }
    events.event(set, 'Normal', 'SuccessfulCreate', `create Claim ${name} ${about} success`)
  }
}
