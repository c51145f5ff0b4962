// Makes the ResourceClaims of pods that name templates, and takes claims back from pods that are over.
import type { Pod, PodResourceClaim, ResourceV1ResourceClaim } from '../../../common/api/generated/types.ts'
import { createController, mapChanges } from '../../../common/client/controller.ts'
import { pods, resourceClaimTemplates, resourceClaims } from '../../../common/client/resources.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { controllerOf } from '../ownership/controller-of.ts'
import { isNamespaceTerminating } from '../pods/pod-control.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byController, ownershipIndexes } from '../runtime/indexes.ts'
import { claimNamesOf, deleteProtection, isGeneratedFor, newClaim, planClaim, unnamedClaims } from './plan.ts'

const podKey = 'pod:'
const claimKey = 'claim:'

export const newResourceClaimController: ControllerFactory = (deps) => {
  const name = 'resource-claim-controller'
  const client = deps.client(name)
  const events = deps.events('resource_claim')
  const podInformer = deps.informers.of(pods)
  const claimInformer = deps.informers.of(resourceClaims, ownershipIndexes)

  async function reconcilePod(key: string): Promise<void> {
    const pod = podInformer.get(key)
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return
    const { name: podName = '', namespace, uid } = pod.metadata
    for (const entry of unnamedClaims(pod)) {
      try {
        const resourceClaimName = await ensureClaim(pod, entry)
        await client.patch(
          pods,
          { name: podName, namespace, subresource: 'status' },
          'application/strategic-merge-patch+json',
          { metadata: { uid }, status: { resourceClaimStatuses: [{ name: entry.name, resourceClaimName }] } },
        )
      } catch (error) {
        if (isNamespaceTerminating(error)) return
        const message = error instanceof Error ? error.message : String(error)
        events.event(pod, 'Warning', 'FailedResourceClaimCreation', `PodResourceClaim ${entry.name}: ${message}`)
        throw error
      }
    }
  }

  /** The name of the claim. One that was made and not yet written into the pod's status is found again. */
  async function ensureClaim(pod: Pod, entry: PodResourceClaim): Promise<string> {
    const { namespace, uid = '' } = pod.metadata
    const cached = claimInformer.byIndex(byController, uid).find((claim) => isGeneratedFor(claim, pod, entry))
    if (cached !== undefined) return cached.metadata.name ?? ''
    const live = (await client.list(resourceClaims, { namespace })).items
    const present = live.find((claim) => isGeneratedFor(claim, pod, entry))
    if (present !== undefined) return present.metadata.name ?? ''
    const template = await client.get(resourceClaimTemplates, entry.resourceClaimTemplateName ?? '', namespace)
    return (await client.create(resourceClaims, newClaim(pod, entry, template))).metadata.name ?? ''
  }

  async function reconcileClaim(key: string): Promise<void> {
    const claim = claimInformer.get(key)
    if (claim === undefined) return
    const { name: claimName = '', namespace = '', uid } = claim.metadata
    const found = await podsOf(claim)
    const plan = planClaim(claim, (podName) => found.get(podName))
    let current = claim
    if (plan.reservedFor !== undefined || plan.deallocate) {
      const { allocation, devices, ...rest } = claim.status ?? {}
      const status = {
        ...rest,
        reservedFor: plan.reservedFor ?? rest.reservedFor,
        ...(plan.deallocate ? {} : { allocation, devices }),
      }
      current = await client.updateStatus(resourceClaims, { ...claim, status })
    }
    try {
      if (plan.release) {
        const { resourceVersion, finalizers = [] } = current.metadata
        await client.patch(resourceClaims, { name: claimName, namespace }, 'application/merge-patch+json', {
          metadata: { uid, resourceVersion, finalizers: finalizers.filter((other) => other !== deleteProtection) },
        })
      } else if (plan.remove) await client.delete(resourceClaims, claimName, namespace, { preconditions: { uid } })
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }

  /** The pods a claim speaks of. One that the cache does not have is asked for: a reservation must not be lost to a slow watch. */
  async function podsOf(claim: ResourceV1ResourceClaim): Promise<Map<string, Pod>> {
    const { namespace = '' } = claim.metadata
    const owner = controllerOf(claim)
    const names = new Set(
      (claim.status?.reservedFor ?? []).filter(({ resource }) => resource === 'pods').map((user) => user.name),
    )
    if (owner?.kind === 'Pod') names.add(owner.name)
    const found = new Map<string, Pod>()
    for (const podName of names) {
      const pod =
        podInformer.get(`${namespace}/${podName}`) ??
        (await client.get(pods, podName, namespace).catch((error: unknown) => {
          if (isReason(error, 'NotFound')) return undefined
          throw error
        }))
      if (pod !== undefined) found.set(podName, pod)
    }
    return found
  }

  return createController({
    name,
    sources: [
      mapChanges(podInformer, (pod) => {
        if ((pod.spec?.resourceClaims ?? []).length === 0) return []
        const claims = claimNamesOf(pod).map((claimName) => `${claimKey}${pod.metadata.namespace ?? ''}/${claimName}`)
        return [podKey + objectKey(pod), ...claims]
      }),
      mapChanges(claimInformer, (claim) => [claimKey + objectKey(claim)]),
    ],
    reconcile: (key) =>
      key.startsWith(podKey) ? reconcilePod(key.slice(podKey.length)) : reconcileClaim(key.slice(claimKey.length)),
    baseDelayMs: 50,
    logger: deps.logger,
    clock: deps.clock,
  })
}
