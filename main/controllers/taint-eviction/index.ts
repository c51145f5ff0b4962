// Evicts pods from nodes with NoExecute taints that they do not tolerate, or no longer. Counted from the time the taint was added, so that
// a restart of this process gives nobody more time.
import type { Pod, Taint } from '../../../common/api/generated/types.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, mapChanges, requeueAfter } from '../../../common/client/controller.ts'
import { nodes, pods } from '../../../common/client/resources.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { endDisrupted } from '../pods/end-disrupted.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byNode, nodeIndex } from '../runtime/indexes.ts'
import { evictAt } from './plan.ts'

const disruption = {
  reason: 'DeletionByTaintManager',
  message: 'Taint manager: deleting due to NoExecute taint',
}

export const newTaintEvictionController: ControllerFactory = (deps) => {
  const name = 'taint-eviction-controller'
  const client = deps.client(name)
  const events = deps.events(name)
  const nodeInformer = deps.informers.of(nodes)
  const podInformer = deps.informers.of(pods, nodeIndex)
  /** Pods that were told to go at some time; to say so when that is taken back. */
  const scheduled = new Set<string>()
  /** For taints without timeAdded: when they were first seen here. */
  const firstSeen = new Map<string, number>()

  const firstSeenMs =
    (nodeName: string) =>
    (taint: Taint): number => {
      if (taint.timeAdded !== undefined) return Date.parse(taint.timeAdded)
      const key = `${nodeName}|${taint.key}|${taint.value ?? ''}`
      const seen = firstSeen.get(key) ?? deps.clock.now()
      firstSeen.set(key, seen)
      return seen
    }

  async function reconcile(key: string): Promise<ReconcileResult> {
    const pod = podInformer.get(key)
    const nodeName = pod?.spec?.nodeName ?? ''
    if (pod === undefined || nodeName === '' || pod.metadata.deletionTimestamp !== undefined) {
      scheduled.delete(key)
      return
    }
    const now = deps.clock.now()
    const at = evictAt(pod, nodeInformer.get(nodeName)?.spec?.taints ?? [], firstSeenMs(nodeName), now)
    if (at === undefined) {
      if (scheduled.delete(key))
        events.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`)
      return
    }
    if (at > now) {
      scheduled.add(key)
      return requeueAfter(at - now)
    }
    await evict(key, pod)
  }

  async function evict(key: string, pod: Pod): Promise<void> {
    events.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`)
    await endDisrupted(client, pod, { ...disruption, nowMs: deps.clock.now() })
    scheduled.delete(key)
  }

  return createController({
    name,
    workers: 8,
    sources: [
      keysOf(
        podInformer,
        (pod, old) =>
          pod.spec?.nodeName !== undefined &&
          (old === undefined ||
            pod.spec.nodeName !== old.spec?.nodeName ||
            pod.metadata.generation !== old.metadata.generation),
      ),
      mapChanges(nodeInformer, (node, old, change) => {
        const nodeName = node.metadata.name ?? ''
        if (change === 'delete')
          for (const key of firstSeen.keys()) if (key.startsWith(`${nodeName}|`)) firstSeen.delete(key)
        const unchanged =
          old === undefined
            ? (node.spec?.taints ?? []).length === 0
            : canonicalJson(node.spec?.taints) === canonicalJson(old.spec?.taints)
        return unchanged ? [] : podInformer.byIndex(byNode, nodeName).map(objectKey)
      }),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
