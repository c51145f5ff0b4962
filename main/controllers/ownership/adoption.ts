// Which dependents an owner takes over and which it lets go: pure plan, thin apply.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { Selector } from '../../../common/machinery/labels.ts'
import { matchesLabels } from '../../../common/machinery/labels.ts'
import type { KubeClient, ResourceRef } from '../../../common/client/client.ts'
import { controllerReference } from './controller-of.ts'

export interface AdoptionPlan<T extends KubeObject> {
  /** Owned and matching. */
  kept: T[]
  adopt: T[]
  release: T[]
}

export function planAdoption<T extends KubeObject>(
  owner: KubeObject,
  selector: Selector,
  candidates: { owned: readonly T[]; orphans: readonly T[] },
): AdoptionPlan<T> {
  const plan: AdoptionPlan<T> = { kept: [], adopt: [], release: [] }
  const dying = owner.metadata.deletionTimestamp !== undefined
  for (const object of candidates.owned) {
    // A dying owner changes nothing about its dependents: that is the garbage collector's work.
    if (matchesLabels(selector, object.metadata.labels) || dying) plan.kept.push(object)
    else plan.release.push(object)
  }
  if (dying) return plan
  for (const object of candidates.orphans) {
    if (object.metadata.deletionTimestamp === undefined && matchesLabels(selector, object.metadata.labels))
      plan.adopt.push(object)
  }
  return plan
}

/**
 * Applies the plan and returns the dependents owned afterwards. Before adopting it asks the server, not the cache, that the owner
 * still exists and is not being deleted. A dependent that vanished or was taken by another is left out silently.
 */
export async function applyAdoption<O extends KubeObject, T extends KubeObject>(options: {
  client: KubeClient
  owner: O
  ownerRef: ResourceRef<O>
  dependents: ResourceRef<T>
  plan: AdoptionPlan<T>
}): Promise<T[]> {
  const { client, owner, ownerRef, dependents, plan } = options
  const owned = [...plan.kept]
  for (const object of plan.release) {
    const others = (object.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== owner.metadata.uid)
    await ignoreGone(patchOwners(client, dependents, object, others))
  }
  if (plan.adopt.length === 0) return owned
  const fresh = await client.get(ownerRef, owner.metadata.name ?? '', owner.metadata.namespace)
  if (fresh.metadata.uid !== owner.metadata.uid || fresh.metadata.deletionTimestamp !== undefined) return owned
  for (const object of plan.adopt) {
    const references = [...(object.metadata.ownerReferences ?? []), controllerReference(owner)]
    const adopted = await ignoreGone(patchOwners(client, dependents, object, references))
    if (adopted !== undefined) owned.push(adopted)
  }
  return owned
}

function patchOwners<T extends KubeObject>(
  client: KubeClient,
  ref: ResourceRef<T>,
  object: T,
  ownerReferences: unknown[],
): Promise<T> {
  const { name = '', namespace, uid, resourceVersion } = object.metadata
  return client.patch(ref, { name, namespace }, 'application/merge-patch+json', {
    metadata: { uid, resourceVersion, ownerReferences },
  })
}

async function ignoreGone<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write
  } catch (error) {
    if (isReason(error, 'NotFound') || isReason(error, 'Invalid')) return undefined
    throw error
  }
}
