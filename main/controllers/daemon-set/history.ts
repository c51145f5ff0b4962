// A daemon set's past templates as ControllerRevisions, for "kubectl rollout history" and "undo".
import type { ControllerRevision, DaemonSet } from '../../../common/api/generated/types.ts'
import { controllerReference } from '../ownership/controller-of.ts'
import { canonicalJson, templateHash } from '../pods/template-hash.ts'
import { generationAnnotation, hashLabel } from './plan.ts'

/** What a revision stores: a patch that restores the template. */
export const revisionData = (daemonSet: DaemonSet): unknown => ({
  spec: { template: { ...daemonSet.spec?.template, $patch: 'replace' } },
})

export interface HistoryPlan {
  /** The present template's revision, if there is one. */
  current: ControllerRevision | undefined
  /** Its number when it is not the newest (an undo). */
  renumber: number | undefined
  create: ControllerRevision | undefined
}

export function planHistory(daemonSet: DaemonSet, revisions: readonly ControllerRevision[]): HistoryPlan {
  const data = canonicalJson(revisionData(daemonSet))
  const newest = Math.max(0, ...revisions.map(({ revision }) => revision))
  const current = [...revisions]
    .sort((a, b) => b.revision - a.revision)
    .find((revision) => canonicalJson(revision.data) === data)
  if (current !== undefined)
    return { current, renumber: current.revision === newest ? undefined : newest + 1, create: undefined }
  return { current: undefined, renumber: undefined, create: newRevision(daemonSet, newest + 1) }
}

function newRevision(daemonSet: DaemonSet, revision: number): ControllerRevision {
  const { name = '', namespace, annotations } = daemonSet.metadata
  const template = daemonSet.spec?.template ?? {}
  const hash = templateHash(template, daemonSet.status?.collisionCount)
  const { [generationAnnotation]: _, ...kept } = annotations ?? {}
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...template.metadata?.labels, [hashLabel]: hash },
      annotations: kept,
      ownerReferences: [controllerReference(daemonSet)],
    },
    data: revisionData(daemonSet),
    revision,
  }
}

/** Old revisions beyond the limit that no pod is of, oldest first. */
export function planHistoryCleanup(
  daemonSet: DaemonSet,
  revisions: readonly ControllerRevision[],
  current: ControllerRevision,
  liveHashes: ReadonlySet<string>,
): ControllerRevision[] {
  const limit = daemonSet.spec?.revisionHistoryLimit ?? 10
  const old = revisions.filter((revision) => revision.metadata.uid !== current.metadata.uid)
  const surplus = old.length - limit
  if (surplus <= 0) return []
  return old
    .filter((revision) => !liveHashes.has(revision.metadata.labels?.[hashLabel] ?? ''))
    .sort((a, b) => a.revision - b.revision)
    .slice(0, surplus)
}
