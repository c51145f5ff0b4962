// pods/eviction: a deletion that respects disruption budgets (kubectl drain).
import type { Eviction, Pod, PodDisruptionBudget } from '../../../common/api/generated/types.ts'
import { matchesLabels, selectorFromObject } from '../../../common/machinery/labels.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { badRequest, notFound, StatusError } from '../../../common/machinery/status.ts'
import { lookupAll, readStored, type WriteRequest } from '../registry/context.ts'
import { decodeType } from '../registry/decode.ts'
import { deleteObject, type DeletionRequest } from '../registry/delete.ts'
import { updateObject } from '../registry/update.ts'
import { type ApiCall, type CallResult, requireBody, writeRequestOf } from '../routes/api-call.ts'
import type { Subresource } from './subresource.ts'

const evictionType = { definition: 'io.k8s.api.policy.v1.Eviction', apiVersion: 'policy/v1', kind: 'Eviction' }

export const podEviction: Subresource = {
  info: { name: 'eviction', group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
  perform: evict,
}

async function evict(call: ApiCall): Promise<CallResult> {
  const { registry, resource, info } = call
  const { value } = await requireBody(call)
  const eviction = decodeType<Eviction>(evictionType, value)
  const { name = info.name } = eviction.metadata ?? {}
  if (name !== info.name) throw badRequest('name in URL does not match name in Eviction object')
  const { gracePeriodSeconds, preconditions, propagationPolicy, dryRun } = eviction.deleteOptions ?? {}
  const request = writeRequestOf(call, dryRun)
  const stored = readStored(registry, resource, info.namespace, info.name)
  if (stored === undefined) throw notFound(resource.name, info.name)
  const pod = stored.object as KubeObject & Pod
  if (!isFinished(pod)) await claimDisruption(call, pod, request)
  const deletion: DeletionRequest = {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions === undefined ? {} : { preconditions }),
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
  await updateObject(registry, resource, {
    namespace: info.namespace,
    name: budget.object.metadata.name ?? '',
    subresource: 'status',
    strategy: undefined,
    change: (current) => {
      const copy = current.copy() as KubeObject & PodDisruptionBudget
      const allowed = copy.status?.disruptionsAllowed ?? 0
      if (allowed <= 0) throw overBudget(copy)
      copy.status = {
        ...copy.status,
        currentHealthy: copy.status?.currentHealthy ?? 0,
        desiredHealthy: copy.status?.desiredHealthy ?? 0,
        expectedPods: copy.status?.expectedPods ?? 0,
        disruptionsAllowed: allowed - 1,
      }
      return copy
    },
    request,
  })
}

function overBudget({ metadata, status }: PodDisruptionBudget): StatusError {
  const why = `The disruption budget ${metadata?.name ?? ''} needs ${String(status?.desiredHealthy ?? 0)} healthy pods and has ${String(status?.currentHealthy ?? 0)} currently`
  return new StatusError({
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: { causes: [{ reason: 'DisruptionBudget', message: why }] },
  })
}
