// Carries what the informers see into the scheduler's state and queue.
import type {
  Namespace,
  Node,
  PersistentVolumeClaim,
  Pod,
  ResourceV1ResourceClaim,
} from '../../common/api/generated/types.ts'
import type { Image } from '../../common/api/lab/v1alpha1.ts'
import type { Informer } from '../../common/client/informer.ts'
import type { KubeObject } from '../../common/machinery/meta.ts'
import { objectKey } from '../../common/machinery/meta.ts'
import { canonicalJson } from '../controllers/pods/template-hash.ts'
import { isPodFinished } from '../controllers/pods/pod-state.ts'
import type { SchedulingQueue } from './queue/scheduling-queue.ts'
import type { ClusterState } from './state/cluster-state.ts'
import { podFacts } from './state/pod-facts.ts'
import { allocationsOf } from './state/pod-resources.ts'

export interface WatchedCluster {
  pods: Informer<Pod>
  nodes: Informer<Node>
  namespaces: Informer<Namespace>
  images: Informer<Image>
  claims: Informer<PersistentVolumeClaim>
  /** Volumes, storage classes and drivers of nodes. */
  storage: readonly Informer<KubeObject>[]
  deviceClaims: Informer<ResourceV1ResourceClaim>
  /** Devices on offer, and their classes. */
  devices: readonly Informer<KubeObject>[]
}

export interface WatchTargets {
  cluster: ClusterState
  queue: SchedulingQueue
  /** Whether the pod is this scheduler's to place. */
  isOurs: (pod: Pod) => boolean
  onPodGone: (uid: string) => void
}

const isPlaced = (pod: Pod): boolean => (pod.spec?.nodeName ?? '') !== ''

/** Returns a function that unsubscribes. */
export function watchCluster(
  informers: WatchedCluster,
  { cluster, queue, isOurs, onPodGone }: WatchTargets,
): () => void {
  const isWaiting = (pod: Pod): boolean =>
    !isPlaced(pod) &&
    !isPodFinished(pod) &&
    pod.metadata.deletionTimestamp === undefined &&
    isOurs(pod) &&
    (pod.spec?.schedulingGates ?? []).length === 0

  const onPod = (pod: Pod, old: Pod | undefined): void => {
    const uid = pod.metadata.uid ?? ''
    const counts = isPlaced(pod) && !isPodFinished(pod)
    if (counts) {
      const wasCounted = old !== undefined && isPlaced(old) && !isPodFinished(old)
      if (!wasCounted) leave(uid)
      // Most updates of placed pods are about their status and change nothing that counts.
      if (wasCounted && !placementChanged(pod, old)) return
      const facts = podFacts(pod)
      cluster.setPod(facts, pod.spec?.nodeName ?? '')
      if (!wasCounted || labelsChanged(pod, old)) queue.onChange({ type: 'pod-placed', pod: facts })
      else queue.onChange({ type: 'pod-resized', pod: facts })
      return
    }
    if (old !== undefined && isPlaced(old) && !isPodFinished(old)) removePlaced(old)
    if (!isWaiting(pod)) {
      leave(uid)
      return
    }
    // Bound already, only this is an older state that was still on its way.
    if (cluster.isAssumed(uid) && !queue.has(uid)) return
    const facts = podFacts(pod)
    // Of this scheduler's own writing, but from an earlier run, or taken back by someone else.
    if (old === undefined || old.status?.nominatedNodeName !== pod.status?.nominatedNodeName)
      cluster.nominations.set(facts, pod.status?.nominatedNodeName)
    queue.put(facts, old === undefined || !isWaiting(old) || waitingChanged(pod, old))
  }

  /** The pod waits no longer. */
  const leave = (uid: string): void => {
    queue.remove(uid)
    cluster.nominations.delete(uid)
  }

  const removePlaced = (pod: Pod): void => {
    cluster.removePod(pod.metadata.uid ?? '')
    queue.onChange({ type: 'pod-removed', pod: podFacts(pod) })
  }

  const onNode = (node: Node, old: Node | undefined): void => {
    const name = node.metadata.name ?? ''
    if (old !== undefined && !nodeChanged(node, old)) return
    cluster.setNode(node)
    const state = cluster.node(name)
    if (state === undefined) return
    if (old === undefined) queue.onChange({ type: 'node-added', node: state })
    else {
      queue.onChange({
        type: 'node-changed',
        node: state,
        allocatable: canonicalJson(node.status?.allocatable) !== canonicalJson(old.status?.allocatable),
        labels: canonicalJson(node.metadata.labels) !== canonicalJson(old.metadata.labels),
        taints:
          canonicalJson([node.spec?.taints, node.spec?.unschedulable]) !==
          canonicalJson([old.spec?.taints, old.spec?.unschedulable]),
      })
    }
  }

  const imagesChanged = (): void => {
    queue.onChange({ type: 'images-changed' })
  }
  const claimChanged = (claim: PersistentVolumeClaim): void => {
    queue.onChange({ type: 'claim-changed', key: objectKey(claim) })
  }
  const storageChanged = (): void => {
    queue.onChange({ type: 'storage-changed' })
  }
  const devicesChanged = (): void => {
    queue.onChange({ type: 'devices-changed' })
  }
  const namespaceChanged = (): void => {
    queue.onChange({ type: 'namespace-changed' })
  }

  // Nodes before pods: a pod in the queue should find the nodes that are already known.
  const unsubscribe = [
    informers.nodes.subscribe({
      onAdd: (node) => {
        onNode(node, undefined)
      },
      onUpdate: onNode,
      onDelete: (node) => {
        cluster.removeNode(node.metadata.name ?? '')
      },
    }),
    informers.pods.subscribe({
      onAdd: (pod) => {
        onPod(pod, undefined)
      },
      onUpdate: onPod,
      onDelete: (pod) => {
        const uid = pod.metadata.uid ?? ''
        leave(uid)
        if (isPlaced(pod) || cluster.isAssumed(uid)) removePlaced(pod)
        onPodGone(uid)
      },
    }),
    informers.images.subscribe({ onAdd: imagesChanged, onUpdate: imagesChanged, onDelete: imagesChanged }),
    informers.claims.subscribe({ onAdd: claimChanged, onUpdate: claimChanged }),
    ...informers.storage.map((informer) => informer.subscribe({ onAdd: storageChanged, onUpdate: storageChanged })),
    informers.deviceClaims.subscribe({
      onAdd: (claim) => {
        queue.onChange({ type: 'device-claim-changed', claim })
      },
      onUpdate: (claim, old) => {
        queue.onChange({ type: 'device-claim-changed', claim, old })
      },
      onDelete: (old) => {
        queue.onChange({ type: 'device-claim-changed', old })
      },
    }),
    ...informers.devices.map((informer) => informer.subscribe({ onAdd: devicesChanged, onUpdate: devicesChanged })),
    informers.namespaces.subscribe({
      onUpdate: (namespace, old) => {
        if (canonicalJson(namespace.metadata.labels) !== canonicalJson(old.metadata.labels)) namespaceChanged()
      },
    }),
  ]
  return () => {
    for (const stop of unsubscribe) stop()
  }
}

function placementChanged(pod: Pod, old: Pod): boolean {
  return (
    pod.spec?.nodeName !== old.spec?.nodeName ||
    (pod.metadata.deletionTimestamp === undefined) !== (old.metadata.deletionTimestamp === undefined) ||
    labelsChanged(pod, old) ||
    pod.metadata.generation !== old.metadata.generation ||
    allocationsChanged(pod, old)
  )
}

/** Resizing in place: what the node has given or taken. */
function allocationsChanged(pod: Pod, old: Pod): boolean {
  const [now, before] = [allocationsOf(pod), allocationsOf(old)]
  if (now.size === 0 && before.size === 0) return false
  return canonicalJson([...now]) !== canonicalJson([...before])
}

const labelsChanged = (pod: Pod, old: Pod): boolean =>
  pod.metadata.labels !== old.metadata.labels &&
  canonicalJson(pod.metadata.labels) !== canonicalJson(old.metadata.labels)

/** Of the status only the names of claims made for the pod: the rest is the scheduler's own writing. */
function waitingChanged(pod: Pod, old: Pod): boolean {
  const facts = ({ spec, status }: Pod): unknown => [spec, status?.resourceClaimStatuses]
  return labelsChanged(pod, old) || canonicalJson(facts(pod)) !== canonicalJson(facts(old))
}

/** Heartbeats change conditions only; they are most of what happens to nodes. */
function nodeChanged(node: Node, old: Node): boolean {
  const facts = ({ metadata, spec, status }: Node): unknown => [
    metadata.labels,
    spec?.taints,
    spec?.unschedulable,
    status?.allocatable,
    status?.images,
  ]
  return canonicalJson(facts(node)) !== canonicalJson(facts(old))
}
