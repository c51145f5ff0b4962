// Sizes workloads by what their pods use: measures every quarter of a minute, and scales through the target's scale subresource.
import type {
  AutoscalingV2HorizontalPodAutoscaler as Autoscaler,
  AutoscalingV2HorizontalPodAutoscalerStatus as AutoscalerStatus,
  Scale,
} from '../../../common/api/generated/types.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, needs, requeueAfter } from '../../../common/client/controller.ts'
import { horizontalPodAutoscalers, pods } from '../../../common/client/resources.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byNamespace, namespaceIndex } from '../runtime/indexes.ts'
import type { Measurement } from './measure.ts'
import { measureMetrics } from './measure.ts'
import { planScale } from './plan.ts'
import { ScalingMemory } from './scaling-memory.ts'
import { createScaleTargets } from './scale-target.ts'
import type { SelectionProblem } from './selection.ts'
import { selectPods } from './selection.ts'

const periodMs = 15_000

export const newHorizontalPodAutoscalerController: ControllerFactory = (deps) => {
  const name = 'horizontal-pod-autoscaler'
  const client = deps.client(name)
  const events = deps.events(name)
  const informer = deps.informers.of(horizontalPodAutoscalers, namespaceIndex)
  const podInformer = deps.informers.of(pods, namespaceIndex)
  const memory = new ScalingMemory()
  const targets = createScaleTargets(client)
  /** Of the targets, by the autoscalers' keys: two for one pod would pull at it from both ends. */
  const selectors = new Map<string, string>()

  async function reconcile(key: string): Promise<ReconcileResult> {
    const autoscaler = informer.get(key)
    if (autoscaler === undefined) {
      memory.forget(key)
      selectors.delete(key)
      return
    }
    if (autoscaler.metadata.deletionTimestamp !== undefined) return
    const status = await sync(key, autoscaler)
    if (canonicalJson(status) !== canonicalJson(autoscaler.status))
      await client.updateStatus(horizontalPodAutoscalers, { ...autoscaler, status })
    return requeueAfter(periodMs)
  }

  async function sync(key: string, autoscaler: Autoscaler): Promise<AutoscalerStatus> {
    const nowMs = deps.clock.now()
    const found = await targets.read(autoscaler)
    const history = memory.historyOf(key, found.scale?.spec?.replicas ?? 0, nowMs)
    const measured = found.scale === undefined ? undefined : await measure(key, autoscaler, found.scale, nowMs)
    const plan = planScale({ autoscaler, found, measured, history, nowMs })
    for (const { type, reason, message } of plan.events) events.event(autoscaler, type, reason, message)
    if (plan.recommended !== undefined) memory.recommended(key, plan.recommended, nowMs)
    if (found.scale === undefined || plan.rescaleTo === undefined) return plan.status
    return rescale(key, autoscaler, found.scale, { ...plan, rescaleTo: plan.rescaleTo })
  }

  async function measure(
    key: string,
    autoscaler: Autoscaler,
    scale: Scale,
    nowMs: number,
  ): Promise<Measurement[] | SelectionProblem> {
    const { name: own = '', namespace = '' } = autoscaler.metadata
    const selector = scale.status?.selector ?? ''
    selectors.set(key, selector)
    const others = new Map(
      informer.byIndex(byNamespace, namespace).flatMap((other): [string, string][] => {
        const known = objectKey(other) === key ? undefined : selectors.get(objectKey(other))
        return known === undefined || known === '' ? [] : [[other.metadata.name ?? '', known]]
      }),
    )
    const among = podInformer.byIndex(byNamespace, namespace)
    const { pods: selected, problem } = selectPods({ selector, name: own, namespace, pods: among, others })
    if (problem !== undefined) return problem
    return measureMetrics({ transport: client.transport, autoscaler, scale, pods: selected, nowMs })
  }

  async function rescale(
    key: string,
    autoscaler: Autoscaler,
    scale: Scale,
    plan: { rescaleTo: number; why: string; status: AutoscalerStatus; failed(error: unknown): AutoscalerStatus },
  ): Promise<AutoscalerStatus> {
    const size = `New size: ${String(plan.rescaleTo)}; reason: ${plan.why}`
    try {
      await targets.write(autoscaler, scale, plan.rescaleTo)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      events.event(autoscaler, 'Warning', 'FailedRescale', `${size}; error: ${why}`)
      return plan.failed(error)
    }
    events.event(autoscaler, 'Normal', 'SuccessfulRescale', size)
    memory.scaled(key, scale.spec?.replicas ?? 0, plan.rescaleTo, deps.clock.now())
    return plan.status
  }

  return createController({
    name,
    workers: 5,
    sources: [
      // Its own status writes are no reason to look again.
      keysOf(informer, (object, old) => old === undefined || canonicalJson(object.spec) !== canonicalJson(old.spec)),
      needs(podInformer),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
