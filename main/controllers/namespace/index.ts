// Empties a namespace that is being deleted, whatever kinds of objects it has (custom ones included), then lets it go.
import type { Namespace } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, requeueAfter } from '../../../common/client/controller.ts'
import { resourcePath } from '../../../common/client/create-client.ts'
import type { DiscoveredResource } from '../../../common/client/discovery.ts'
import { discoverResources } from '../../../common/client/discovery.ts'
import { namespaces } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import type { EmptyingRound } from './plan.ts'
import { isEmpty, kubernetesFinalizer, planConditions } from './plan.ts'

/** Content that is still ending (pods in their grace period) is looked at again this often. */
const retryMs = 500

export const newNamespaceController: ControllerFactory = (deps) => {
  const name = 'namespace-controller'
  const client = deps.client(name)
  const informer = deps.informers.of(namespaces)

  async function reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    let namespace = informer.get(key)
    if (namespace?.metadata.deletionTimestamp === undefined) return
    if (!(namespace.spec?.finalizers ?? []).includes(kubernetesFinalizer)) return
    if (namespace.status?.phase !== 'Terminating') {
      namespace = await client.updateStatus(namespaces, {
        ...namespace,
        status: { ...namespace.status, phase: 'Terminating' },
      })
    }
    const round = await emptyNamespace(client, key, signal)
    const conditions = planConditions(namespace.status?.conditions ?? [], round, deps.clock.now())
    if (canonicalJson(conditions) !== canonicalJson(namespace.status?.conditions ?? [])) {
      namespace = await client.updateStatus(namespaces, { ...namespace, status: { ...namespace.status, conditions } })
    }
    if (!isEmpty(round)) return requeueAfter(retryMs)
    await finalize(namespace)
  }

  async function finalize(namespace: Namespace): Promise<void> {
    const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== kubernetesFinalizer)
    try {
      await client.transport.request({
        method: 'PUT',
        path: resourcePath(namespaces, { name: namespace.metadata.name, subresource: 'finalize' }),
        body: { ...namespace, apiVersion: 'v1', kind: 'Namespace', spec: { ...namespace.spec, finalizers } },
      })
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }

  return createController({
    name,
    workers: 5,
    sources: [keysOf(informer, (namespace) => namespace.metadata.deletionTimestamp !== undefined)],
    reconcile,
    maxDelayMs: 10_000,
    logger: deps.logger,
    clock: deps.clock,
  })
}

const needed = (resource: DiscoveredResource): boolean =>
  resource.namespaced && resource.verbs.includes('delete') && resource.verbs.includes('list')

async function emptyNamespace(client: KubeClient, namespace: string, signal: AbortSignal): Promise<EmptyingRound> {
  const { resources, failures } = await discoverResources(client.transport, signal)
  const remaining = new Map<string, number>()
  const finalizers = new Map<string, number>()
  const deletionFailures: string[] = []

  async function empty(resource: DiscoveredResource): Promise<void> {
    signal.throwIfAborted()
    try {
      const left = await deleteAll(client, resource, namespace, signal)
      if (left.length === 0) return
      remaining.set(`${resource.plural}.${resource.group}`, left.length)
      for (const object of left)
        for (const finalizer of object.metadata.finalizers ?? [])
          finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1)
    } catch (error) {
      signal.throwIfAborted()
      if (isReason(error, 'NotFound') || isReason(error, 'MethodNotAllowed')) return
      deletionFailures.push(error instanceof Error ? error.message : String(error))
    }
  }

  const isPods = ({ group, plural }: DiscoveredResource): boolean => group === '' && plural === 'pods'
  const all = resources.filter(needed)
  // What runs goes first, while what it relies on (policies, secrets, accounts) still stands.
  for (const resource of all.filter(isPods)) await empty(resource)
  if (remaining.size === 0) for (const resource of all.filter((resource) => !isPods(resource))) await empty(resource)
  return {
    discoveryFailures: failures.map(({ groupVersion, error }) => ({
      groupVersion,
      why: isReason(error, 'ServiceUnavailable') ? `stale GroupVersion discovery: ${groupVersion}` : error.message,
    })),
    deletionFailures,
    remaining,
    finalizers,
  }
}

/** Asks for the deletion of every object of one resource; returns those that are still there. */
async function deleteAll(client: KubeClient, resource: DiscoveredResource, namespace: string, signal: AbortSignal) {
  const before = await client.list(resource, { namespace, signal })
  const fresh = before.items.filter((object) => object.metadata.deletionTimestamp === undefined)
  if (before.items.length === 0) return []
  if (fresh.length > 0 && resource.verbs.includes('deletecollection')) {
    await client.transport.request({
      method: 'DELETE',
      path: resourcePath(resource, { namespace }),
      body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' },
      signal,
    })
  } else {
    for (const object of fresh)
      await client.delete(resource, object.metadata.name ?? '', namespace, { propagationPolicy: 'Background' })
  }
  return (await client.list(resource, { namespace, signal })).items
}
