// Removes pods whose node is gone, pods that end without ever having had a node, and the oldest of too many finished pods.
import type { Pod } from '../../../common/api/generated/types.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, mapChanges, requeueAfter } from '../../../common/client/controller.ts'
import { nodes, pods } from '../../../common/client/resources.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { withDisruption } from '../pods/disruption.ts'
import { isPodFinished } from '../pods/pod-state.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { tolerate } from '../runtime/tolerate.ts'
import { byNode, nodeIndex } from '../runtime/indexes.ts'
import { planPod, planTerminated, quarantineMs } from './plan.ts'

const byFinished = 'finished'
/** Stands for "count the finished pods"; no pod has a key without a namespace. */
const countKey = '(finished)'
const countAfterMs = 20_000

export const newPodGcController: ControllerFactory = (deps) => {
  const name = 'pod-garbage-collector'
  const client = deps.client(name)
  const nodeInformer = deps.informers.of(nodes)
  const podInformer = deps.informers.of(pods, {
    ...nodeIndex,
    [byFinished]: (pod: Pod) => (isPodFinished(pod) ? ['yes'] : []),
  })
  /** Node -> since when it has been missing. */
  const missing = new Map<string, number>()

  async function reconcile(key: string): Promise<ReconcileResult> {
    if (key === countKey) {
      for (const pod of planTerminated(podInformer.byIndex(byFinished, 'yes'), deps.settings.terminatedPods))
        await remove(pod)
      return
    }
    const pod = podInformer.get(key)
    if (pod === undefined) return
    const nodeName = pod.spec?.nodeName ?? ''
    const reason = planPod(pod, nodeName === '' || nodeInformer.get(nodeName) !== undefined)
    if (reason === undefined) {
      missing.delete(nodeName)
      return
    }
    if (reason === 'unscheduled-terminating') {
      await remove(pod)
      return
    }
    const now = deps.clock.now()
    const since = missing.get(nodeName) ?? now
    missing.set(nodeName, since)
    if (now - since < quarantineMs) return requeueAfter(since + quarantineMs - now)
    if (await nodeExists(nodeName)) return
    await markFailed(pod)
    await remove(pod)
    if (podInformer.byIndex(byNode, nodeName).length <= 1) missing.delete(nodeName)
  }

  async function nodeExists(nodeName: string): Promise<boolean> {
    try {
      await client.get(nodes, nodeName)
      return true
    } catch (error) {
      if (isReason(error, 'NotFound')) return false
      throw error
    }
  }

  /** Who waits for the pod's end (a job) should see that it failed, not that it disappeared. */
  async function markFailed(pod: Pod): Promise<void> {
    if (isPodFinished(pod)) return
    const { name: podName = '', namespace, uid } = pod.metadata
    const conditions = withDisruption(pod, 'DeletionByPodGC', 'PodGC: node no longer exists', deps.clock.now())
    const patch = { metadata: { uid }, status: { phase: 'Failed', conditions } }
    await client
      .patch(pods, { name: podName, namespace, subresource: 'status' }, 'application/merge-patch+json', patch)
      .catch(tolerate('NotFound', 'Conflict'))
  }

  async function remove(pod: Pod): Promise<void> {
    const { name: podName = '', namespace, uid } = pod.metadata
    await client
      .delete(pods, podName, namespace, { gracePeriodSeconds: 0, preconditions: { uid } })
      .catch(tolerate('NotFound', 'Conflict'))
  }

  return createController({
    name,
    sources: [
      mapChanges(podInformer, (pod, old, change) => {
        if (change === 'delete') return []
        const relevant =
          old === undefined ||
          pod.spec?.nodeName !== old.spec?.nodeName ||
          pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp
        return relevant ? [objectKey(pod)] : []
      }),
      mapChanges(nodeInformer, (node, _old, change) => {
        const nodeName = node.metadata.name ?? ''
        if (change === 'add') missing.delete(nodeName)
        return change === 'delete' ? podInformer.byIndex(byNode, nodeName).map(objectKey) : []
      }),
      {
        synced: podInformer.synced,
        attach: (enqueue) =>
          podInformer.subscribe({
            onAdd: (pod) => {
              if (isPodFinished(pod)) enqueue(countKey, countAfterMs)
            },
            onUpdate: (pod, old) => {
              if (isPodFinished(pod) && !isPodFinished(old)) enqueue(countKey, countAfterMs)
            },
          }),
      },
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
