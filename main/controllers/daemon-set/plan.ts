// Pure decisions of the daemon set controller: which pods to make and delete on which nodes, the next step of a rolling update, status.
import type { DaemonSet, DaemonSetStatus, Node, Pod } from '../../../common/api/generated/types.ts'
import { scaleValue } from '../deployment/limits.ts'
import { isPodAvailable, isPodFinished, isPodReady, isPodTerminating } from '../pods/pod-state.ts'
import type { Placement } from './placement.ts'
import { nodeOfPod } from './placement.ts'

export const hashLabel = 'controller-revision-hash'
export const generationAnnotation = 'deprecated.daemonset.template.generation'

export interface NodeView {
  name: string
  placement: Placement
  pods: Pod[]
}

export interface DaemonPlan {
  /** Nodes that need a pod. */
  create: string[]
  delete: Pod[]
  /** Pods that have ended, which daemons should not, and make room for a new one. */
  failed: Pod[]
}

/** All nodes that matter, with the daemon's pods on them; also nodes that are gone but still have pods. */
export function viewNodes(nodes: readonly Node[], pods: readonly Pod[], place: (node: Node) => Placement): NodeView[] {
  const views = new Map(
    nodes.map((node) => [
      node.metadata.name ?? '',
      { name: node.metadata.name ?? '', placement: place(node), pods: [] as Pod[] },
    ]),
  )
  for (const pod of pods) {
    const name = nodeOfPod(pod)
    if (name === undefined) continue
    let view = views.get(name)
    if (view === undefined) {
      view = { name, placement: { shouldRun: false, shouldContinue: false }, pods: [] }
      views.set(name, view)
    }
    view.pods.push(pod)
  }
  return [...views.values()]
}

export function planPods(daemonSet: DaemonSet, views: readonly NodeView[], hash: string, nowMs: number): DaemonPlan {
  const plan: DaemonPlan = { create: [], delete: [], failed: [] }
  const { surge } = updateLimits(daemonSet, desiredCount(views))
  for (const { name, placement, pods } of views) {
    if (!placement.shouldContinue) {
      plan.delete.push(...pods.filter((pod) => !isPodTerminating(pod)))
      continue
    }
    const failed = pods.filter((pod) => isPodFinished(pod) && !isPodTerminating(pod))
    plan.failed.push(...failed)
    const running = pods.filter((pod) => !isPodTerminating(pod) && !failed.includes(pod))
    if (placement.shouldRun && pods.length === failed.length) {
      // A failed pod must be gone before its successor: both would want the same host ports.
      if (failed.length === 0) plan.create.push(name)
    } else if (running.length > 1)
      plan.delete.push(...surplusPods(running, surge > 0 ? hash : undefined, daemonSet, nowMs))
  }
  return plan
}

/** Keeps the oldest; during a surge one of each revision until the new one is available. */
function surplusPods(
  running: readonly Pod[],
  surgeHash: string | undefined,
  daemonSet: DaemonSet,
  nowMs: number,
): Pod[] {
  const byAge = [...running].sort((a, b) =>
    (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1,
  )
  if (surgeHash === undefined) return byAge.slice(1)
  const [newest, ...otherNew] = byAge.filter((pod) => pod.metadata.labels?.[hashLabel] === surgeHash)
  const [oldest, ...otherOld] = byAge.filter((pod) => pod.metadata.labels?.[hashLabel] !== surgeHash)
  const isDone = newest !== undefined && isPodAvailable(newest, daemonSet.spec?.minReadySeconds ?? 0, nowMs)
  // An old pod that serves nobody need not wait for the new one.
  const isUseless = newest !== undefined && oldest !== undefined && !isPodReady(oldest)
  return [...otherNew, ...otherOld, ...(oldest !== undefined && (isDone || isUseless) ? [oldest] : [])]
}

export const desiredCount = (views: readonly NodeView[]): number =>
  views.filter(({ placement }) => placement.shouldRun).length

export function updateLimits(daemonSet: DaemonSet, desired: number): { unavailable: number; surge: number } {
  const { type = 'RollingUpdate', rollingUpdate } = daemonSet.spec?.updateStrategy ?? {}
  if (type !== 'RollingUpdate') return { unavailable: 0, surge: 0 }
  const surge = scaleValue(rollingUpdate?.maxSurge ?? 0, desired, 'up')
  const unavailable = scaleValue(rollingUpdate?.maxUnavailable ?? 1, desired, 'up')
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

/** The next step towards all pods being of revision `hash`. */
export function planUpdate(daemonSet: DaemonSet, views: readonly NodeView[], hash: string, nowMs: number): DaemonPlan {
  const plan: DaemonPlan = { create: [], delete: [], failed: [] }
  const { type = 'RollingUpdate' } = daemonSet.spec?.updateStrategy ?? {}
  if (type !== 'RollingUpdate') return plan
  const { unavailable, surge } = updateLimits(daemonSet, desiredCount(views))
  const minReadySeconds = daemonSet.spec?.minReadySeconds ?? 0
  const isAvailable = (pod: Pod | undefined): boolean =>
    pod !== undefined && !isPodTerminating(pod) && isPodAvailable(pod, minReadySeconds, nowMs)
  const candidates: { name: string; old: Pod }[] = []
  let missing = 0
  let surging = 0
  for (const { name, placement, pods } of views) {
    if (!placement.shouldRun) continue
    const fresh = pods.find((pod) => pod.metadata.labels?.[hashLabel] === hash)
    const old = pods.find((pod) => pod.metadata.labels?.[hashLabel] !== hash && !isPodTerminating(pod))
    if (fresh !== undefined) {
      if (!isAvailable(fresh) && !isAvailable(old)) missing++
      if (surge > 0 && old !== undefined && !isPodTerminating(fresh)) {
        if (isAvailable(fresh)) plan.delete.push(old)
        else surging++
      }
    } else if (old === undefined) missing++
    else if (!isAvailable(old)) {
      // It serves nobody: replacing it costs nothing.
      missing++
      if (surge > 0) plan.create.push(name)
      else plan.delete.push(old)
    } else candidates.push({ name, old })
  }
  if (surge > 0) plan.create.push(...candidates.slice(0, Math.max(0, surge - surging)).map(({ name }) => name))
  else plan.delete.push(...candidates.slice(0, Math.max(0, unavailable - missing)).map(({ old }) => old))
  return plan
}

export function planStatus(
  daemonSet: DaemonSet,
  views: readonly NodeView[],
  hash: string,
  nowMs: number,
): DaemonSetStatus {
  const minReadySeconds = daemonSet.spec?.minReadySeconds ?? 0
  const status = {
    desiredNumberScheduled: 0,
    currentNumberScheduled: 0,
    numberMisscheduled: 0,
    numberReady: 0,
    updatedNumberScheduled: 0,
    numberAvailable: 0,
  }
  for (const { placement, pods } of views) {
    if (!placement.shouldRun) {
      if (pods.length > 0) status.numberMisscheduled++
      continue
    }
    status.desiredNumberScheduled++
    if (pods.length === 0) continue
    status.currentNumberScheduled++
    const [oldest] = [...pods].sort((a, b) =>
      (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1,
    )
    if (oldest === undefined) continue
    const ready = pods.some((pod) => isPodReady(pod) && !isPodTerminating(pod))
    if (ready) status.numberReady++
    if (pods.some((pod) => !isPodTerminating(pod) && isPodAvailable(pod, minReadySeconds, nowMs)))
      status.numberAvailable++
    if (pods.some((pod) => !isPodTerminating(pod) && pod.metadata.labels?.[hashLabel] === hash))
      status.updatedNumberScheduled++
  }
  const { conditions, collisionCount } = daemonSet.status ?? {}
  return {
    ...status,
    numberUnavailable: status.desiredNumberScheduled - status.numberAvailable,
    observedGeneration: daemonSet.metadata.generation,
    ...(conditions === undefined ? {} : { conditions }),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  }
}
