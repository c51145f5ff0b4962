// pods/eviction: a deletion that respects disruption budgets (kubectl drain).
import type {
  Eviction,
  Pod,
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { matchesLabels, selectorFromObject } from '../../../common/machinery/labels.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { badRequest, forbidden, notFound, StatusError } from '../../../common/machinery/status.ts'
import { lookupAll, readStored, type WriteRequest } from '../registry/context.ts'
import { decodeType } from '../registry/decode.ts'
import { checkPreconditions, deleteObject } from '../registry/delete.ts'
import type { DeletionRequest } from '../registry/deletion-request.ts'
import { updateObject } from '../registry/update.ts'
import { type ApiCall, type CallResult, requireBody, writeRequestOf } from '../routes/api-call.ts'
import type { Subresource } from './subresource.ts'
import { virtualWrite } from './virtual-write.ts'

const evictionType = { definition: 'io.k8s.api.policy.v1.Eviction', apiVersion: 'policy/v1', kind: 'Eviction' }

export const podEviction: Subresource = {
  info: { name: 'eviction', group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
  perform: evict,
}

async function evict(call: ApiCall): Promise<CallResult> {
  const { registry, resource, info } = call
  const { value } = await requireBody(call)
  const eviction = decodeType<KubeObject & Eviction>(evictionType, value)
  const asked = writeRequestOf(call, eviction.deleteOptions?.dryRun)
  const write = virtualWrite(call, eviction, asked, evictionType)
  await write.mutate()
  const { name = info.name } = eviction.metadata
  if (name !== info.name) throw badRequest('name in URL does not match name in Eviction object')
  const { gracePeriodSeconds, preconditions, propagationPolicy } = eviction.deleteOptions ?? {}
  const stored = readStored(registry, resource, info.namespace, info.name)
  if (stored === undefined) throw notFound(resource.name, info.name)
  const pod = stored.object as KubeObject & Pod
  await write.validate()
  // The eviction is what was admitted, not what it does to the pod.
  const request = { ...asked, admitted: true }
  checkPreconditions(resource, stored, preconditions)
  if (!isFinished(pod)) await claimDisruption(call, pod, asked)
  if (!request.dryRun) await markDisrupted(call, request)
  const deletion: DeletionRequest = {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions?.uid === undefined ? {} : { preconditions: { uid: preconditions.uid } }),
    ...(propagationPolicy === 'Foreground' || propagationPolicy === 'Background' || propagationPolicy === 'Orphan'
      ? { propagationPolicy }
      : {}),
  }
  await deleteObject(registry, resource, { namespace: info.namespace, name: info.name }, deletion, request)
  return {
    type: 'plain',
    code: 201,
    object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
  }
}

/** Says on the pod why it goes: controllers tell an eviction from a failure by it. */
async function markDisrupted({ registry, resource, info }: ApiCall, request: WriteRequest): Promise<void> {
  const lastTransitionTime = formatTime(registry.clock.now())
  await updateObject(registry, resource, {
    namespace: info.namespace,
    name: info.name,
    subresource: 'status',
    strategy: undefined,
    change: (current) => {
      const pod = current.copy() as KubeObject & Pod
      const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'DisruptionTarget')
      const disrupted = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'EvictionByEvictionAPI',
        message: 'Eviction API: evicting',
        lastTransitionTime,
        observedGeneration: pod.metadata.generation,
      }
      pod.status = { ...pod.status, conditions: [...others, disrupted] }
      return pod
    },
    request,
  })
}

/** Pods that do not run any more, or not yet, disturb nothing. */
const isFinished = ({ metadata, status }: Pod): boolean =>
  metadata?.deletionTimestamp !== undefined ||
  status?.phase === 'Succeeded' ||
  status?.phase === 'Failed' ||
  status?.phase === 'Pending'

/** Takes one allowed disruption from the pod's budget; throws 429 when there is none left. */
async function claimDisruption(
  { registry, info }: ApiCall,
  pod: KubeObject & Pod,
  request: WriteRequest,
): Promise<void> {
  const budgets = lookupAll(registry, 'policy', 'poddisruptionbudgets', info.namespace).filter((stored) => {
    const { spec } = stored.object as PodDisruptionBudget
    return spec?.selector !== undefined && matchesLabels(selectorFromObject(spec.selector), pod.metadata.labels)
  })
  const [budget] = budgets
  const resource = registry.resources.findAnyVersion('policy', 'poddisruptionbudgets')
  if (budget === undefined || resource === undefined) return
  if (budgets.length > 1)
    throw new StatusError({
      code: 500,
      reason: 'InternalError',
      message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    })
  if (!isReady(pod) && mayEvictUnready(budget.object as PodDisruptionBudget)) return
  const name = budget.object.metadata.name ?? ''
  const now = formatTime(registry.clock.now())
  await updateObject(registry, resource, {
    namespace: info.namespace,
    name,
    subresource: 'status',
    strategy: undefined,
    change: (current) => {
      const copy = current.copy() as KubeObject & PodDisruptionBudget
      copy.status = withDisruption(copy, pod.metadata.name ?? '', now)
      return copy
    },
    request,
  })
}

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false

/** A pod that does not work anyway: always, or (the default) when those that work are enough without it. */
function mayEvictUnready({ spec, status }: PodDisruptionBudget): boolean {
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {}
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy
}

/** More granted evictions that nobody has seen happen are a sign that the budget's controller does not run. */
const maxDisruptedPods = 2000

/** The budget's status after this eviction: the controller counts the pod as gone until it sees it deleted. */
function withDisruption(budget: PodDisruptionBudget, podName: string, now: string): PodDisruptionBudgetStatus {
  const { name = '', generation = 0 } = budget.metadata
  const status = budget.status ?? {}
  const allowed = status.disruptionsAllowed ?? 0
  if ((status.observedGeneration ?? 0) < generation)
    throw overBudget(`The disruption budget ${name} is still being processed by the server.`, 10)
  if (Object.keys(status.disruptedPods ?? {}).length > maxDisruptedPods)
    throw forbidden(
      { group: 'policy', resource: 'poddisruptionbudgets' },
      name,
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    )
  if (allowed <= 0)
    throw overBudget(
      `The disruption budget ${name} needs ${String(status.desiredHealthy ?? 0)} healthy pods and has ${String(status.currentHealthy ?? 0)} currently`,
    )
  const next = {
    ...status,
    disruptionsAllowed: allowed - 1,
    disruptedPods: { ...status.disruptedPods, [podName]: now },
  }
  if (allowed > 1) return next
  const conditions = (status.conditions ?? []).map((condition) =>
    condition.type === 'DisruptionAllowed'
      ? { ...condition, status: 'False', reason: 'InsufficientPods', lastTransitionTime: now }
      : condition,
  )
  return { ...next, conditions }
}

function overBudget(why: string, retryAfterSeconds?: number): StatusError {
  return new StatusError({
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: {
      causes: [{ reason: 'DisruptionBudget', message: why }],
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    },
  })
}
