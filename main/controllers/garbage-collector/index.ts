// Deletes what has lost its owners, holds back owners that wait for their dependents, and cuts loose what is to be orphaned.
// Keys are UIDs. The graph is built from informers and may be behind; every decision is made on what the server says now.
import type { KubeClient } from '../../../common/client/client.ts'
import type { ResourceRef } from '../../../common/client/client.ts'
import type { KeySource } from '../../../common/client/controller.ts'
import { createController } from '../../../common/client/controller.ts'
import { apiServices, customResourceDefinitions } from '../../../common/client/resources.ts'
import type { KubeObject, OwnerReference } from '../../../common/machinery/meta.ts'
import { formatApiVersion } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { tolerate } from '../runtime/tolerate.ts'
import type { GraphNode } from './graph.ts'
import { OwnerGraph, foregroundFinalizer, orphanFinalizer } from './graph.ts'
import { Monitors } from './monitors.ts'
import type { OwnerState } from './plan.ts'
import { planCollect } from './plan.ts'

/** A new resource is served a moment after its definition, or its APIService, is accepted. */
const rediscoverMs = 300
/** The key under which discovery is repeated; no UID looks like this. */
const discoveryKey = '(discovery)'

export const newGarbageCollector: ControllerFactory = (deps) => {
  const name = 'garbage-collector-controller'
  const client = deps.client(name)
  const events = deps.events(name)
  let enqueue: (key: string, afterMs?: number) => void = () => undefined
  const graph = new OwnerGraph({
    resolve: (apiVersion, kind) => monitors.resolve(apiVersion, kind),
    look: (uid) => {
      enqueue(uid)
    },
  })
  const monitors: Monitors = new Monitors(deps, client, {
    observe: (object, ref) => {
      graph.observe(object, ref)
    },
    remove: (uid) => {
      graph.remove(uid)
    },
  })
  const definitions = [deps.informers.of(customResourceDefinitions), deps.informers.of(apiServices)]
  const source: KeySource = {
    // Definitions are watched, but a server without them must not keep the collector from starting.
    synced: Promise.resolve(),
    attach(to) {
      enqueue = to
      const again = (): void => {
        to(discoveryKey, rediscoverMs)
      }
      const stops = definitions.map((informer) =>
        informer.subscribe({ onAdd: again, onUpdate: again, onDelete: again }),
      )
      return () => {
        for (const stop of stops) stop()
      }
    },
  }

  async function reconcile(key: string, signal: AbortSignal): Promise<void> {
    if (key === discoveryKey) {
      await monitors.update(signal)
      graph.lookAtOrphans()
      return
    }
    const node = graph.get(key)
    if (node === undefined) return
    const live = await getLive(client, node)
    if (live === undefined) {
      graph.remove(key)
      return
    }
    if (live.metadata.deletionTimestamp !== undefined) await continueDeletion(node, live)
    else await collect(node, live)
  }

  async function continueDeletion(node: GraphNode, live: KubeObject): Promise<void> {
    const finalizers = live.metadata.finalizers ?? []
    if (finalizers.includes(orphanFinalizer)) {
      for (const dependent of node.dependents) await dropOwner(dependent, node.uid)
      await removeFinalizer(node.ref, live, orphanFinalizer)
    } else if (finalizers.includes(foregroundFinalizer)) {
      const blockers = graph.blockers(node)
      if (blockers.length === 0) await removeFinalizer(node.ref, live, foregroundFinalizer)
      else for (const blocker of blockers) if (!blocker.deletingDependents) enqueue(blocker.uid)
    }
  }

  async function collect(node: GraphNode, live: KubeObject): Promise<void> {
    const owners = live.metadata.ownerReferences ?? []
    const states = await Promise.all(owners.map(async (owner) => ({ owner, state: await stateOf(owner, node) })))
    const plan = planCollect(live, states, node.dependents.size > 0)
    const { name: objectName = '', namespace, uid, resourceVersion } = live.metadata
    switch (plan.action) {
      case 'keep':
        return
      case 'drop-owners':
        await patchMetadata(client, node.ref, live, { ownerReferences: plan.remaining })
        return
      case 'delete':
        if (plan.propagationPolicy === 'Foreground' && (await breakCircle(node, live))) return
        await client
          .delete(node.ref, objectName, namespace, {
            propagationPolicy: plan.propagationPolicy,
            preconditions: { uid, resourceVersion },
          })
          .catch(tolerate('NotFound'))
    }
  }

  /**
   * A dependent that waits for its own dependents may be waiting, through others, for this very object. So this one stops holding up its
   * owners. True when that had to be written; the change brings the object back.
   */
  async function breakCircle(node: GraphNode, live: KubeObject): Promise<boolean> {
    const owners = live.metadata.ownerReferences ?? []
    const circular = [...node.dependents].some((dependent) => dependent.deletingDependents)
    if (!circular || !owners.some((owner) => owner.blockOwnerDeletion === true)) return false
    const ownerReferences = owners.map((owner) => ({ ...owner, blockOwnerDeletion: false }))
    await patchMetadata(client, node.ref, live, { ownerReferences })
    enqueue(node.uid)
    return true
  }

  async function stateOf(owner: OwnerReference, dependent: GraphNode): Promise<OwnerState> {
    const ref = monitors.resolve(owner.apiVersion, owner.kind)
    // Of a kind that the server does not know nothing can be said: better a stale object than a wrongly deleted one.
    if (ref === undefined) return 'solid'
    const namespace = ref.namespaced ? dependent.namespace : undefined
    const known = graph.get(owner.uid)
    if (known !== undefined && !known.virtual && known.name === owner.name && known.namespace === namespace) {
      return known.deletingDependents ? 'waiting' : 'solid'
    }
    if (known !== undefined && !known.virtual && known.namespace !== namespace) reportForeignOwner(owner, dependent)
    // A cluster-wide object cannot be owned from within a namespace: such a reference is never followed, and the object stays.
    if (ref.namespaced && namespace === undefined) return 'solid'
    const live = await getLive(client, { ref, namespace, name: owner.name, uid: owner.uid })
    if (live === undefined) return 'absent'
    const waits =
      live.metadata.deletionTimestamp !== undefined && (live.metadata.finalizers ?? []).includes(foregroundFinalizer)
    return waits ? 'waiting' : 'solid'
  }

  /** Owners live in the namespace of what they own, or in none: people should know why their object goes. */
  function reportForeignOwner({ apiVersion, kind, name: owner, uid }: OwnerReference, dependent: GraphNode): void {
    const { ref, namespace = '' } = dependent
    const about = {
      apiVersion: formatApiVersion(ref.group, ref.version),
      kind: ref.kind,
      namespace,
      name: dependent.name,
      uid: dependent.uid,
    }
    const text = `ownerRef [${apiVersion}/${kind}, namespace: ${namespace}, name: ${owner}, uid: ${uid}] does not exist in namespace "${namespace}"`
    events.event(about, 'Warning', 'OwnerRefInvalidNamespace', text)
  }

  async function dropOwner(dependent: GraphNode, uid: string): Promise<void> {
    const live = await getLive(client, dependent)
    const owners = live?.metadata.ownerReferences ?? []
    if (live === undefined || !owners.some((owner) => owner.uid === uid)) return
    await patchMetadata(client, dependent.ref, live, { ownerReferences: owners.filter((owner) => owner.uid !== uid) })
  }

  function removeFinalizer(ref: ResourceRef, live: KubeObject, finalizer: string): Promise<void> {
    return patchMetadata(client, ref, live, {
      finalizers: (live.metadata.finalizers ?? []).filter((other) => other !== finalizer),
    })
  }

  return createController({
    name,
    workers: 20,
    sources: [source],
    beforeStart: (signal) => monitors.update(signal),
    reconcile,
    onStop: () => {
      monitors.stop()
    },
    logger: deps.logger,
    clock: deps.clock,
  })
}

async function getLive(
  client: KubeClient,
  { ref, name, namespace, uid }: Pick<GraphNode, 'ref' | 'name' | 'namespace' | 'uid'>,
): Promise<KubeObject | undefined> {
  try {
    const object = await client.get(ref, name, namespace)
    return object.metadata.uid === uid ? object : undefined
  } catch (error) {
    if (isReason(error, 'NotFound')) return undefined
    throw error
  }
}

/** Only onto the state that the decision was made on; a conflict is tried again. */
async function patchMetadata(
  client: KubeClient,
  ref: ResourceRef,
  live: KubeObject,
  change: { ownerReferences?: OwnerReference[]; finalizers?: string[] },
): Promise<void> {
  const { name = '', namespace, uid, resourceVersion } = live.metadata
  await client
    .patch(ref, { name, namespace }, 'application/merge-patch+json', { metadata: { uid, resourceVersion, ...change } })
    .catch(tolerate('NotFound'))
}
