// Watches the nodes' signs of life (lease renewals, status reports). A node that is silent too long becomes Unknown; conditions become
// taints; pods on a lost node are no longer ready. What the NoExecute taints do to pods is the taint-eviction controller's work.
import type { Lease, Node, Pod } from '../../../common/api/generated/types.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, mapChanges, requeueAfter } from '../../../common/client/controller.ts'
import { leases, nodes, pods } from '../../../common/client/resources.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { podCondition } from '../pods/pod-state.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byNode, nodeIndex } from '../runtime/indexes.ts'
import { monitorGraceMs, planSilence, planTaints, readyCondition, startupGraceMs } from './plan.ts'

const leaseNamespace = 'kube-node-lease'

interface Health {
  /** By this process's clock: node clocks are not trusted. */
  heardAt: number
  sign: string
}

export const newNodeLifecycleController: ControllerFactory = (deps) => {
  const name = 'node-controller'
  const client = deps.client(name)
  const events = deps.events(name)
  const nodeInformer = deps.informers.of(nodes)
  const leaseInformer = deps.informers.of(leases)
  const podInformer = deps.informers.of(pods, nodeIndex)
  const health = new Map<string, Health>()

  /** Anything that changes this text is a sign of life. */
  const signOf = (node: Node): string =>
    `${leaseInformer.get(`${leaseNamespace}/${node.metadata.name ?? ''}`)?.spec?.renewTime ?? ''}|${readyCondition(node)?.lastHeartbeatTime ?? ''}|${readyCondition(node)?.status ?? ''}`

  async function reconcile(key: string): Promise<ReconcileResult> {
    let node = nodeInformer.get(key)
    if (node === undefined) {
      const known = health.delete(key)
      if (known)
        events.event({ kind: 'Node', name: key }, 'Normal', 'RemovingNode', `Removing Node ${key} from Controller`)
      return
    }
    const now = deps.clock.now()
    const last = listen(key, node, now)
    const graceMs = readyCondition(node) === undefined ? startupGraceMs : monitorGraceMs
    const silentMs = now - last.heardAt
    if (silentMs >= graceMs) node = await markSilent(node)
    const taints = planTaints(node, now)
    if (taints !== undefined) node = await client.update(nodes, { ...node, spec: { ...node.spec, taints } })
    if (readyCondition(node)?.status === 'Unknown') await markPodsNotReady(key)
    return silentMs >= graceMs ? undefined : requeueAfter(graceMs - silentMs)
  }

  function listen(key: string, node: Node, now: number): Health {
    const sign = signOf(node)
    let last = health.get(key)
    if (last === undefined) {
      // After a start of this process every node gets the full grace period.
      last = { heardAt: now, sign }
      health.set(key, last)
      events.event(referenceOf(node), 'Normal', 'RegisteredNode', `Registered Node ${key} in Controller`)
    } else if (last.sign !== sign) {
      last.heardAt = now
      last.sign = sign
    }
    return last
  }

  async function markSilent(node: Node): Promise<Node> {
    const conditions = planSilence(node, deps.clock.now())
    if (conditions === undefined) return node
    const wasReady = readyCondition(node)?.status === 'True'
    const updated = await client.updateStatus(nodes, { ...node, status: { ...node.status, conditions } })
    // Our own mark is no sign of life.
    const last = health.get(node.metadata.name ?? '')
    if (last !== undefined) last.sign = signOf(updated)
    const text = `Node ${node.metadata.name ?? ''} status is now: NodeNotReady`
    if (wasReady) events.event(referenceOf(node), 'Normal', 'NodeNotReady', text)
    return updated
  }

  async function markPodsNotReady(nodeName: string): Promise<void> {
    for (const pod of podInformer.byIndex(byNode, nodeName)) {
      const ready = podCondition(pod, 'Ready')
      if (ready?.status === 'True') await markPodNotReady(pod)
    }
  }

  async function markPodNotReady(pod: Pod): Promise<void> {
    const lastTransitionTime = formatTime(deps.clock.now())
    const conditions = (pod.status?.conditions ?? []).map((condition) =>
      condition.type === 'Ready' ? { ...condition, status: 'False', lastTransitionTime } : condition,
    )
    const { name: podName = '', namespace, uid, resourceVersion } = pod.metadata
    try {
      await client.patch(pods, { name: podName, namespace, subresource: 'status' }, 'application/merge-patch+json', {
        metadata: { uid, resourceVersion },
        status: { conditions },
      })
    } catch (error) {
      if (isReason(error, 'NotFound')) return
      throw error
    }
    events.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready')
  }

  return createController({
    name,
    workers: 8,
    sources: [
      keysOf(nodeInformer),
      mapChanges(leaseInformer, (lease: Lease) =>
        lease.metadata.namespace === leaseNamespace ? [lease.metadata.name ?? ''] : [],
      ),
      // A pod that becomes ready (late report) on a node that is lost by now.
      mapChanges(podInformer, (pod) => {
        const nodeName = pod.spec?.nodeName ?? ''
        const node = nodeName === '' ? undefined : nodeInformer.get(nodeName)
        return node !== undefined && readyCondition(node)?.status === 'Unknown' ? [nodeName] : []
      }),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}

/** Events about nodes carry the name as UID, so that "kubectl describe node" finds them. */
const referenceOf = (node: Node) => ({
  kind: 'Node',
  apiVersion: 'v1',
  name: node.metadata.name,
  uid: node.metadata.name,
})
