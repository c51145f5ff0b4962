// Pure: which claims a pod's templates stand for, and who may still hold a claim.
import type {
  Pod,
  PodResourceClaim,
  ResourceV1ResourceClaim,
  ResourceV1ResourceClaimConsumerReference,
  ResourceV1ResourceClaimTemplate,
} from '../../../common/api/generated/types.ts'
import { controllerOf, controllerReference } from '../ownership/controller-of.ts'
import { isPodFinished } from '../pods/pod-state.ts'

/** Says which of its pod's entries a generated claim is for. */
export const podClaimAnnotation = 'resource.kubernetes.io/pod-claim-name'
export const deleteProtection = 'resource.kubernetes.io/delete-protection'
/** A pod's name may be as long as an object's: the generated part must fit behind it. */
const maxGenerateName = 248

/** The pod does not run and never will. */
export const isPodDone = (pod: Pod): boolean =>
  isPodFinished(pod) || (pod.metadata.deletionTimestamp !== undefined && (pod.spec?.nodeName ?? '') === '')

/** Entries that name a template and whose claim the pod's status does not name yet. */
export function unnamedClaims({ spec, status }: Pod): PodResourceClaim[] {
  return (spec?.resourceClaims ?? []).filter(
    ({ name, resourceClaimTemplateName }) =>
      resourceClaimTemplateName !== undefined &&
      status?.resourceClaimStatuses?.some((known) => known.name === name) !== true,
  )
}

/** Names of the claims that the pod uses, as far as they are known. */
export function claimNamesOf({ spec, status }: Pod): string[] {
  return (spec?.resourceClaims ?? []).flatMap(
    ({ name, resourceClaimName }) =>
      resourceClaimName ?? status?.resourceClaimStatuses?.find((known) => known.name === name)?.resourceClaimName ?? [],
  )
}

export const isGeneratedFor = (claim: ResourceV1ResourceClaim, pod: Pod, entry: PodResourceClaim): boolean =>
  controllerOf(claim)?.uid === pod.metadata.uid && claim.metadata.annotations?.[podClaimAnnotation] === entry.name

export function newClaim(
  pod: Pod,
  entry: PodResourceClaim,
  { spec: template }: ResourceV1ResourceClaimTemplate,
): ResourceV1ResourceClaim {
  const { labels, annotations } = template.metadata ?? {}
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: {
      generateName: `${`${pod.metadata.name ?? ''}-${entry.name}`.slice(0, maxGenerateName - 1)}-`,
      namespace: pod.metadata.namespace,
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [podClaimAnnotation]: entry.name },
      ownerReferences: [controllerReference({ ...pod, apiVersion: 'v1', kind: 'Pod' })],
    },
    spec: template.spec,
  }
}

export interface ClaimPlan {
  /** Those who still may hold the claim, when that differs from what it says. */
  reservedFor?: ResourceV1ResourceClaimConsumerReference[]
  /** Nobody holds it: what was allocated is given back. */
  deallocate: boolean
  /** Being deleted and nothing is allocated: the finalizer may go. */
  release: boolean
  /** Made for a pod that is over. */
  remove: boolean
}

/** `podOf`: the pod of that name, undefined when the server has none. */
export function planClaim(claim: ResourceV1ResourceClaim, podOf: (name: string) => Pod | undefined): ClaimPlan {
  const { allocation, reservedFor = [] } = claim.status ?? {}
  const { deletionTimestamp, finalizers = [] } = claim.metadata
  const holds = ({ apiGroup = '', resource, name, uid }: ResourceV1ResourceClaimConsumerReference): boolean => {
    // Of other consumers nothing is known here.
    if (apiGroup !== '' || resource !== 'pods') return true
    const pod = podOf(name)
    return pod?.metadata.uid === uid && !isPodDone(pod)
  }
  const kept = reservedFor.filter(holds)
  const free = kept.length === 0
  const owner = controllerOf(claim)
  const made = owner?.kind === 'Pod' && claim.metadata.annotations?.[podClaimAnnotation] !== undefined
  const pod = made ? podOf(owner.name) : undefined
  const ownerIsOver = made && pod?.metadata.uid === owner.uid && isPodDone(pod)
  // An allocation that nobody has reserved yet is on its way to a pod; it is given back once somebody had it, or the claim is to go.
  const deallocate =
    allocation !== undefined && free && (reservedFor.length > 0 || deletionTimestamp !== undefined || ownerIsOver)
  return {
    ...(kept.length === reservedFor.length ? {} : { reservedFor: kept }),
    deallocate,
    release:
      deletionTimestamp !== undefined &&
      free &&
      (allocation === undefined || deallocate) &&
      finalizers.includes(deleteProtection),
    remove: ownerIsOver && free && deletionTimestamp === undefined,
  }
}
