// Keeps each PodDisruptionBudget's status, by which evictions are granted, and takes back pods' marks of disruptions that did not come.
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../../common/api/generated/types.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, mapChanges, needs, requeueAfter } from '../../../common/client/controller.ts'
import {
  deployments,
  podDisruptionBudgets,
  pods,
  replicaSets,
  replicationControllers,
  statefulSets,
} from '../../../common/client/resources.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { formatLabelSelector, matchesLabels, selectorFromObject } from '../../../common/machinery/labels.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byNamespace, namespaceIndex } from '../runtime/indexes.ts'
import { newOwnerScaleFinder } from './owner-scale.ts'
import { needsScale, planDisruption, planFailure, staleDisruptionMs } from './plan.ts'

/** Keys of pods are told from those of budgets by this. */
const podKey = 'pod:'

export const newDisruptionController: ControllerFactory = (deps) => {
  const name = 'disruption-controller'
  const client = deps.client(name)
  const events = deps.events('controllermanager')
  const budgetInformer = deps.informers.of(podDisruptionBudgets, namespaceIndex)
  const podInformer = deps.informers.of(pods, namespaceIndex)
  const ownerScale = newOwnerScaleFinder(deps, name)

  const selects = ({ spec }: PodDisruptionBudget, pod: Pod): boolean =>
    spec?.selector !== undefined && matchesLabels(selectorFromObject(spec.selector), pod.metadata.labels)
  const keysOfPod = (pod: Pod, old: Pod | undefined): string[] => {
    const keys = budgetInformer
      .byIndex(byNamespace, pod.metadata.namespace ?? '')
      .filter((budget) => selects(budget, pod) || (old !== undefined && selects(budget, old)))
      .map(objectKey)
    if (staleDisruptionMs(pod, deps.clock.now()) !== undefined) keys.push(`${podKey}${objectKey(pod)}`)
    return keys
  }

  async function reconcileBudget(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const budget = budgetInformer.get(key)
    if (budget === undefined) return
    const selected = podInformer
      .byIndex(byNamespace, budget.metadata.namespace ?? '')
      .filter((pod) => selects(budget, pod))
    if (selected.length === 0) events.event(budget, 'Normal', 'NoPods', 'No matching pods found')
    const nowMs = deps.clock.now()
    let scale = 0
    if (needsScale(budget)) {
      try {
        const found = await ownerScale(selected, signal)
        scale = found.scale
        if (found.unmanaged.length > 0)
          events.event(
            budget,
            'Warning',
            'UnmanagedPods',
            `Pods selected by this PodDisruptionBudget (selector: ${formatLabelSelector(budget.spec?.selector)}) were found to be unmanaged. ` +
              'As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. ' +
              'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.',
          )
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        events.event(
          budget,
          'Warning',
          'CalculateExpectedPodCountFailed',
          `Failed to calculate the number of expected pods: ${message}`,
        )
        await write(budget, planFailure(budget, message, nowMs))
        throw error
      }
    }
    const plan = planDisruption(budget, selected, scale, nowMs)
    for (const pod of plan.overdue)
      events.event(pod, 'Warning', 'NotDeleted', `Pod was expected by PDB ${key} to be deleted but it wasn't`)
    await write(budget, plan.status)
    return plan.recheckMs === undefined ? undefined : requeueAfter(plan.recheckMs)
  }

  async function write(budget: PodDisruptionBudget, status: PodDisruptionBudgetStatus): Promise<void> {
    if (canonicalJson(budget.status) !== canonicalJson(status))
      await client.updateStatus(podDisruptionBudgets, { ...budget, status })
  }

  async function reconcilePod(key: string): Promise<ReconcileResult> {
    const pod = podInformer.get(key)
    if (pod === undefined) return
    const waitMs = staleDisruptionMs(pod, deps.clock.now())
    if (waitMs === undefined) return
    if (waitMs > 0) return requeueAfter(waitMs)
    const { name: podName = '', namespace, uid, resourceVersion } = pod.metadata
    const target = { name: podName, namespace, subresource: 'status' }
    const condition = {
      type: 'DisruptionTarget',
      status: 'False',
      reason: null,
      message: null,
      lastTransitionTime: formatTime(deps.clock.now()),
    }
    try {
      await client.patch(pods, target, 'application/strategic-merge-patch+json', {
        metadata: { uid, resourceVersion },
        status: { conditions: [condition] },
      })
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }

  return createController({
    name,
    sources: [
      keysOf(budgetInformer),
      mapChanges(podInformer, keysOfPod),
      needs(deps.informers.of(deployments)),
      needs(deps.informers.of(replicaSets)),
      needs(deps.informers.of(statefulSets)),
      needs(deps.informers.of(replicationControllers)),
    ],
    reconcile: (key, signal) =>
      key.startsWith(podKey) ? reconcilePod(key.slice(podKey.length)) : reconcileBudget(key, signal),
    // Owners that go before their pods make it fail for a moment.
    baseDelayMs: 200,
    logger: deps.logger,
    clock: deps.clock,
  })
}
