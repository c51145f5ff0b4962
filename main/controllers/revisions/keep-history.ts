// Thin: writes what history.ts planned.
import type { ControllerRevision } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { controllerRevisions } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { isControlledBy } from '../ownership/controller-of.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import type { HistoryOwner } from './history.ts'
import { planHistory } from './history.ts'

/**
 * The revision of the owner's present template, made or renumbered when it has to be. A name that another template's revision has
 * already is told to `onCollision`, which must make the next attempt use another collision count, and thrown.
 */
export async function ensureRevision(
  client: KubeClient,
  of: HistoryOwner,
  revisions: readonly ControllerRevision[],
  onCollision: (collisionCount: number) => Promise<void>,
): Promise<ControllerRevision> {
  const { current, renumber, create } = planHistory(of, revisions)
  if (current !== undefined) {
    return renumber === undefined ? current : client.update(controllerRevisions, { ...current, revision: renumber })
  }
  if (create === undefined) throw new Error('there is neither a revision nor a plan for one')
  try {
    return await client.create(controllerRevisions, create)
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error
    const existing = await client.get(controllerRevisions, create.metadata.name ?? '', create.metadata.namespace)
    if (isControlledBy(existing, of.owner) && canonicalJson(existing.data) === canonicalJson(create.data))
      return existing
    await onCollision((of.collisionCount ?? 0) + 1)
    throw error
  }
}

export async function deleteRevisions(client: KubeClient, revisions: readonly ControllerRevision[]): Promise<void> {
  for (const { metadata } of revisions) {
    await client.delete(controllerRevisions, metadata.name ?? '', metadata.namespace).catch((error: unknown) => {
      if (!isReason(error, 'NotFound')) throw error
    })
  }
}
