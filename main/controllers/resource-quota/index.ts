// Keeps what each ResourceQuota says is used. Admission charges what is made; this gives back what is gone, and recounts now and then.
import type { KubeClient, ResourceRef } from '../../../common/client/client.ts'
import type { KeySource, ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, requeueAfter } from '../../../common/client/controller.ts'
import type { IndexedInformer } from '../../../common/client/create-informer.ts'
import { discoverResources } from '../../../common/client/discovery.ts'
import { resourceQuotas } from '../../../common/client/resources.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { describeAmounts } from '../../../common/quota/resource-amounts.ts'
import { usageOf, type CountedResource } from '../../../common/quota/usage.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import type { ControllerDeps, ControllerFactory } from '../runtime/deps.ts'
import { byNamespace, namespaceIndex } from '../runtime/indexes.ts'
import { planQuota, resourcesOf, sameStatus } from './plan.ts'

/** Everything is recounted this often. */
const recountMs = 300_000
/** Long enough for the caches to have seen what admission has charged for. */
const settleMs = 500

export const newResourceQuotaController: ControllerFactory = (deps) => {
  const name = 'resourcequota-controller'
  const client = deps.client(name)
  const quotaInformer = deps.informers.of(resourceQuotas, namespaceIndex)
  const counted = new CountedObjects(deps, client, (namespace) =>
    quotaInformer.byIndex(byNamespace, namespace).map(objectKey),
  )

  async function reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const quota = quotaInformer.get(key)
    if (quota === undefined || quota.metadata.deletionTimestamp !== undefined) return
    const { namespace = '' } = quota.metadata
    const resources = resourcesOf(quota)
    await counted.ensure(resources, signal)
    const status = planQuota(quota, (resource) => counted.list(resource, namespace), deps.clock.now())
    if (!sameStatus(quota.status, status)) await client.updateStatus(resourceQuotas, { ...quota, status })
    return requeueAfter(recountMs)
  }

  return createController({
    name,
    workers: 5,
    sources: [
      keysOf(quotaInformer, (quota, old) => old === undefined || canonicalJson(quota.spec) !== canonicalJson(old.spec)),
      counted.source,
    ],
    reconcile,
    onStop: () => {
      counted.stop()
    },
    logger: deps.logger,
    clock: deps.clock,
  })
}

/** Informers of the resources that some quota counts, made as quotas ask for them. */
class CountedObjects {
  readonly source: KeySource
  readonly #deps: ControllerDeps
  readonly #client: KubeClient
  readonly #quotasOf: (namespace: string) => string[]
  readonly #informers = new Map<string, { informer: IndexedInformer<KubeObject>; unsubscribe: () => void }>()
  #enqueue: (key: string, afterMs?: number) => void = () => undefined

  constructor(deps: ControllerDeps, client: KubeClient, quotasOf: (namespace: string) => string[]) {
    this.#deps = deps
    this.#client = client
    this.#quotasOf = quotasOf
    this.source = {
      synced: Promise.resolve(),
      attach: (enqueue) => {
        this.#enqueue = enqueue
        return () => {
          this.#enqueue = () => undefined
        }
      },
    }
  }

  /** Undefined when the server has no such resource. */
  list(resource: CountedResource, namespace: string): readonly KubeObject[] | undefined {
    return this.#informers.get(keyOf(resource))?.informer.byIndex(byNamespace, namespace)
  }

  async ensure(wanted: readonly CountedResource[], signal: AbortSignal): Promise<void> {
    const missing = wanted.filter((resource) => !this.#informers.has(keyOf(resource)))
    if (missing.length === 0) return
    const { resources } = await discoverResources(this.#client.transport, signal)
    await Promise.all(
      missing.map(async (resource) => {
        const found = resources.find(
          ({ group, plural, namespaced }) => group === resource.group && plural === resource.resource && namespaced,
        )
        if (found !== undefined) await this.#watch(resource, found)
      }),
    )
  }

  async #watch(resource: CountedResource, ref: ResourceRef): Promise<void> {
    const informer = this.#deps.informers.of<KubeObject>(ref, namespaceIndex)
    await informer.synced
    if (this.#informers.has(keyOf(resource))) return
    const usage = (object: KubeObject): string => describeAmounts(usageOf(resource, object, this.#deps.clock.now()))
    const changed = (object: KubeObject): void => {
      for (const key of this.#quotasOf(object.metadata.namespace ?? '')) this.#enqueue(key, settleMs)
    }
    // What is added was charged for at the door, perhaps before the cache has it: counting then would give it back.
    const unsubscribe = informer.subscribe({
      onUpdate: (object, old) => {
        if (usage(object) !== usage(old)) changed(object)
      },
      onDelete: changed,
    })
    this.#informers.set(keyOf(resource), { informer, unsubscribe })
  }

  stop(): void {
    for (const { unsubscribe } of this.#informers.values()) unsubscribe()
    this.#informers.clear()
  }
}

const keyOf = ({ group, resource }: CountedResource): string => `${group}/${resource}`
