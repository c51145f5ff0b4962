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
import { Evictions, type EvictionVerdict } from './evictions.ts'
import { awaitsEviction, planSilence, planTaints, readyCondition } from './plan.ts'

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
  const lost = new Set<string>()
  const evictions = new Evictions(deps.settings.evictions)

  /** Anything that changes this text is a sign of life. */
  const signOf = (node: Node): string =>
    `${leaseInformer.get(`${leaseNamespace}/${node.metadata.name ?? ''}`)?.spec?.renewTime ?? ''}|${readyCondition(node)?.lastHeartbeatTime ?? ''}|${readyCondition(node)?.status ?? ''}`

  async function reconcile(key: string): Promise<ReconcileResult> {
    let node = nodeInformer.get(key)
    if (node === undefined) {
      lost.delete(key)
      const known = health.delete(key)
      if (known)
        events.event({ kind: 'Node', name: key }, 'Normal', 'RemovingNode', `Removing Node ${key} from Controller`)
      return
    }
    const now = deps.clock.now()
    const last = listen(key, node, now)
    const { nodeStartupGraceMs, nodeMonitorGraceMs } = deps.settings
    const graceMs = readyCondition(node) === undefined ? nodeStartupGraceMs : nodeMonitorGraceMs
    const silentMs = now - last.heardAt
    if (silentMs >= graceMs) node = await markSilent(node)
    const verdict = judge(key, node, now)
    const taints = planTaints(node, now, typeof verdict === 'object' ? 'keep' : verdict)
    if (taints !== undefined) node = await client.update(nodes, { ...node, spec: { ...node.spec, taints } })
    if (readyCondition(node)?.status === 'Unknown') await markPodsNotReady(key)
    const waits = [
      silentMs >= graceMs ? Infinity : graceMs - silentMs,
      typeof verdict === 'object' ? verdict.afterMs : Infinity,
    ]
    const afterMs = Math.min(...waits)
    return afterMs === Infinity ? undefined : requeueAfter(afterMs)
  }

  /** Nodes that already lose their pods are asked about too: where all nodes are lost, none does. */
  function judge(key: string, node: Node, now: number): EvictionVerdict {
    lost.delete(key)
    if (isReady(node) || readyCondition(node) === undefined) return 'evict'
    lost.add(key)
    const all = nodeInformer.list().map((other) => (other.metadata.name === key ? node : other))
    if (awaitsEviction(node)) return evictions.decide(node, all, now)
    return all.some(isReady) ? 'evict' : 'spare'
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
      // How a lost node is treated depends on how many are lost.
      mapChanges(nodeInformer, (node, old) => (old !== undefined && isReady(node) === isReady(old) ? [] : lost)),
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

const isReady = (node: Node): boolean => readyCondition(node)?.status === 'True'

/** Events about nodes carry the name as UID, so that "kubectl describe node" finds them. */
const referenceOf = (node: Node) => ({
  kind: 'Node',
  apiVersion: 'v1',
  name: node.metadata.name,
  uid: node.metadata.name,
})
