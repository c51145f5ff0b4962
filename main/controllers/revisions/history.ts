// Past pod templates of daemon sets and stateful sets as ControllerRevisions, for "kubectl rollout history" and "undo". Pure.
import type { ControllerRevision, PodTemplateSpec } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { controllerReference } from '../ownership/controller-of.ts'
import { canonicalJson, templateHash } from '../pods/template-hash.ts'

export interface HistoryOwner {
  owner: KubeObject
  template: PodTemplateSpec
  collisionCount: number | undefined
  /** The label under which a revision carries its hash. */
  hashLabel: string
  /** Annotations of the owner that are not remembered. */
  forget?: readonly string[]
}

export interface HistoryPlan {
  /** The present template's revision, if there is one. */
  current: ControllerRevision | undefined
  /** Its number when it is not the newest (an undo). */
  renumber: number | undefined
  create: ControllerRevision | undefined
}

/** What a revision stores: a patch that restores the template. Clients in Go compare its bytes, so its keys are in order. */
const revisionData = (template: PodTemplateSpec): string =>
  canonicalJson({ spec: { template: { ...template, $patch: 'replace' } } })

/** The template that a revision restores. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const data = revision.data as { spec?: { template?: PodTemplateSpec & { $patch?: string } } } | undefined
  const { $patch: _, ...template } = data?.spec?.template ?? {}
  return template
}

export function planHistory(of: HistoryOwner, revisions: readonly ControllerRevision[]): HistoryPlan {
  const data = revisionData(of.template)
  const newest = Math.max(0, ...revisions.map(({ revision }) => revision))
  const current = [...revisions].sort(newestFirst).find((revision) => canonicalJson(revision.data) === data)
  if (current !== undefined)
    return { current, renumber: current.revision === newest ? undefined : newest + 1, create: undefined }
  return { current: undefined, renumber: undefined, create: newRevision(of, newest + 1) }
}

const newestFirst = (a: ControllerRevision, b: ControllerRevision): number => b.revision - a.revision

function newRevision(of: HistoryOwner, revision: number): ControllerRevision {
  const { owner, template, collisionCount, hashLabel, forget = [] } = of
  const { name = '', namespace, annotations = {} } = owner.metadata
  const hash = templateHash(template, collisionCount)
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...template.metadata?.labels, [hashLabel]: hash },
      annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => !forget.includes(key))),
      ownerReferences: [controllerReference(owner)],
    },
    data: JSON.parse(revisionData(template)) as unknown,
    revision,
  }
}

/** Up to `surplus` revisions that nothing is of any more, oldest first. */
export function planHistoryCleanup(
  revisions: readonly ControllerRevision[],
  surplus: number,
  isLive: (revision: ControllerRevision) => boolean,
): ControllerRevision[] {
  if (surplus <= 0) return []
  return revisions
    .filter((revision) => !isLive(revision))
    .sort((a, b) => a.revision - b.revision)
    .slice(0, surplus)
}
