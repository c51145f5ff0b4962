// Hollow nodes: simulated nodes, labelled as such, that run nothing and report as kubelets do. For trying schedulers, controllers and
// clients at scale without machines. One connection, one watch of pods and one of nodes serve them all.
import type { Node, Pod } from '../../common/api/generated/types.ts'
import type { KubeClient } from '../../common/client/client.ts'
import type { ReconcileResult } from '../../common/client/controller.ts'
import { createController, keysOf, mapChanges, needs, requeueAfter } from '../../common/client/controller.ts'
import { createInformer } from '../../common/client/create-informer.ts'
import { createEventRecorder, referenceTo, type EventRecorder } from '../../common/client/event-recorder.ts'
import { nodes, pods } from '../../common/client/resources.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import { isReason } from '../../common/machinery/status.ts'
import { CodedError } from '../engine/coded-error.ts'
import { statusPatch } from '../../vm-images/node-agent/pods/status-patch.ts'
import { AddressPlan, PodAddresses, type NodeAddresses } from './addresses.ts'
import { Heartbeats } from './heartbeats.ts'
import { HostPorts } from './host-ports.ts'
import { hollowLabel, hollowNode, isContradicted, type HollowNodeSpec } from './hollow-node.ts'
import { inParallel } from './in-parallel.ts'
import { kubeletEvents } from './kubelet-events.ts'
import { planHollowPod, type PodPlan } from './plan-pod.ts'

export interface HollowNodesOptions {
  client: KubeClient
  clock: Clock
  logger: Logger
  /** In order; `spec` is asked once per node with its place in the list. */
  names: readonly string[]
  spec: (index: number) => HollowNodeSpec
  /** Between a pod's arrival and its containers' start. */
  startDelayMs: number
  /** Between a pod's deletion and its containers' end, at most its grace period. */
  stopDelayMs: number
  /** Whether events are recorded about containers, as kubelets do. */
  recordEvents?: boolean
}

export interface HollowNodes {
  /** Nodes that still exist: deleting a hollow node's object ends its simulation. */
  readonly count: number
  /** Ends the simulation; with `remove` the nodes' objects are deleted (their pods then go by the pod garbage collector). */
  stop(options: { remove: boolean }): Promise<void>
}

const writers = 32

/** Resolves when all nodes are registered and Ready. Rejects when a name belongs to a node that is not hollow. */
export async function startHollowNodes(options: HollowNodesOptions): Promise<HollowNodes> {
  const { client, clock, logger } = options
  const addresses = new Map<string, PodAddresses>()
  const nodeInformer = createInformer({
    client,
    resource: nodes,
    labelSelector: `${hollowLabel}=true`,
    logger,
    clock,
  })
  const podInformer = createInformer({ client, resource: pods, fieldSelector: 'spec.nodeName!=', logger, clock })
  const ours = (pod: Pod): boolean => addresses.has(pod.spec?.nodeName ?? '')
  // A node's object is known from its registration on, and unknown again when the watch shows it deleted.
  const registered = new Map<string, Node>()
  const created: string[] = []
  const heartbeats = new Heartbeats({
    client,
    clock,
    logger,
    node: (name) => {
      const node = registered.get(name)
      return node === undefined ? undefined : (nodeInformer.get(name) ?? node)
    },
  })

  const hostPorts = new HostPorts()
  const recorders = new Map<string, EventRecorder>()
  function record(pod: Pod, plan: PodPlan, host: string): void {
    const stopping = pod.metadata.deletionTimestamp !== undefined
    const status = plan.status ?? (plan.remove === true ? pod.status : undefined)
    if (options.recordEvents !== true || status === undefined) return
    let recorder = recorders.get(host)
    if (recorder === undefined) {
      recorder = createEventRecorder({ client, clock, logger, component: 'kubelet', host })
      recorders.set(host, recorder)
    }
    for (const { fieldPath, type, reason, message } of kubeletEvents(pod, status, stopping))
      recorder.event({ ...referenceTo(pod), fieldPath }, type, reason, message)
  }

  async function reconcilePod(key: string): Promise<ReconcileResult> {
    const pod = podInformer.get(key)
    if (pod === undefined || !ours(pod)) return
    const nodeName = pod.spec?.nodeName ?? ''
    const node = registered.get(nodeName)
    if (node === undefined) return
    const { name = '', namespace, uid = '' } = pod.metadata
    const nodeAddress = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? ''
    const onHost = pod.spec?.hostNetwork === true
    const podAddress = onHost ? nodeAddress : addresses.get(nodeName)?.of(uid, pod.status?.podIP)
    const { startDelayMs, stopDelayMs } = options
    if (hasEnded(pod)) hostPorts.release(pod)
    const admitted = hasEnded(pod) || hostPorts.claim(pod)
    const nowMs = clock.now()
    const plan = planHollowPod({ pod, nodeAddress, podAddress, startDelayMs, stopDelayMs, nowMs, admitted })
    try {
      if (plan.status !== undefined) {
        const target = { name, namespace, subresource: 'status' }
        await client.patch(pods, target, 'application/strategic-merge-patch+json', statusPatch(pod, plan.status))
      }
      record(pod, plan, nodeName)
      if (plan.remove === true)
        await client.delete(pods, name, namespace, { gracePeriodSeconds: 0, preconditions: { uid } })
    } catch (error) {
      // Gone, or another pod of that name by now: the watch tells.
      if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return
      throw error
    }
    return plan.afterMs === undefined ? undefined : requeueAfter(plan.afterMs)
  }

  const podController = createController({
    name: 'hollow-pods',
    workers: writers,
    sources: [keysOf(podInformer, ours), needs(nodeInformer)],
    reconcile: reconcilePod,
    logger,
    clock,
  })
  const nodeController = createController({
    name: 'hollow-nodes',
    sources: [
      mapChanges(nodeInformer, (node, _old, change) => {
        const { name = '', uid } = node.metadata
        if (change === 'delete' && registered.get(name)?.metadata.uid === uid) {
          registered.delete(name)
          addresses.delete(name)
          return []
        }
        return registered.has(name) && isContradicted(node) ? [name] : []
      }),
    ],
    async reconcile(name) {
      const node = nodeInformer.get(name)
      if (node !== undefined && isContradicted(node)) await heartbeats.report(node)
    },
    logger,
    clock,
  })
  podInformer.subscribe({
    // Of an earlier run: these addresses and ports are taken before any other pod asks for one.
    onAdd: (pod) => {
      if (ours(pod) && pod.status?.startTime !== undefined && !hasEnded(pod)) hostPorts.claim(pod)
      const { podIP = '' } = pod.status ?? {}
      if (podIP !== '' && pod.spec?.hostNetwork !== true)
        addresses.get(pod.spec?.nodeName ?? '')?.of(pod.metadata.uid ?? '', podIP)
    },
    onDelete: (pod) => {
      addresses.get(pod.spec?.nodeName ?? '')?.release(pod.metadata.uid ?? '')
      hostPorts.release(pod)
    },
  })

  async function register(name: string, spec: HollowNodeSpec, plan: NodeAddresses): Promise<void> {
    let node: Node
    try {
      node = await client.create(nodes, hollowNode(name, spec, plan, clock.now()))
      created.push(name)
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) throw error
      node = await client.get(nodes, name)
      if (node.metadata.labels?.[hollowLabel] !== 'true')
        throw new CodedError(
          'BadArgument',
          `the node ${name} exists and is not hollow`,
          'Choose other names with --prefix.',
          { cause: error },
        )
    }
    registered.set(name, node)
    addresses.set(name, new PodAddresses(node.spec?.podCIDR ?? plan.podCIDR))
    await heartbeats.add(node)
    if (isContradicted(node)) await heartbeats.report(node)
  }

  async function stop(removed: Iterable<string>): Promise<void> {
    heartbeats.stop()
    podInformer.stop()
    nodeInformer.stop()
    await Promise.all([podController.stop(), nodeController.stop()])
    await Promise.all([...recorders.values()].map((recorder) => recorder.stop()))
    await inParallel([...removed], writers, (name) =>
      client.delete(nodes, name).catch((error: unknown) => {
        if (!isReason(error, 'NotFound')) throw error
      }),
    )
  }

  try {
    const plan = new AddressPlan((await client.list(nodes)).items, options.spec(0).pods)
    const planned = options.names.map((name, index) => ({ name, spec: options.spec(index), addresses: plan.take() }))
    await inParallel(planned, writers, ({ name, spec, addresses: own }) => register(name, spec, own))
    heartbeats.start()
    // Only now: every pod that is listed can be told to be ours or not.
    podInformer.start()
    nodeInformer.start()
    await Promise.all([podController.start(), nodeController.start()])
  } catch (error) {
    await stop(created)
    throw error
  }
  return {
    get count() {
      return registered.size
    },
    stop: ({ remove }) => stop(remove ? registered.keys() : []),
  }
}

const hasEnded = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed'
