// Keeps as many pods as spec.replicas says: what replica sets and replication controllers have in common. One owner of its pods' lives;
// the template is only looked at when a pod is made.
import type { Pod } from '../../../common/api/generated/types.ts'
import type { ResourceRef } from '../../../common/client/client.ts'
import type { Controller, ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, mapChanges, requeueAfter } from '../../../common/client/controller.ts'
import { pods } from '../../../common/client/resources.ts'
import type { Selector } from '../../../common/machinery/labels.ts'
import { matchesLabels } from '../../../common/machinery/labels.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { applyAdoption, planAdoption } from '../ownership/adoption.ts'
import { controllerOf } from '../ownership/controller-of.ts'
import { Expectations } from '../ownership/expectations.ts'
import { firstFailure, slowStart } from '../ownership/slow-start.ts'
import { createPodControl, isNamespaceTerminating } from '../pods/pod-control.ts'
import { podFromTemplate } from '../pods/pod-from-template.ts'
import { isPodActive } from '../pods/pod-state.ts'
import { withoutZeros } from '../pods/without-zeros.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import type { ControllerDeps } from '../runtime/deps.ts'
import { byController, byNamespace, namespaceIndex, orphans, ownershipIndexes } from '../runtime/indexes.ts'
import type { Replicated } from './plan.ts'
import { nextAvailableInMs, planReplicas, planStatus } from './plan.ts'

export interface ReplicaOptions<T extends Replicated> {
  /** The controller's name, in events and as field manager. */
  name: string
  resource: ResourceRef<T>
  selectorOf: (owner: T) => Selector
}

export function createReplicaController<T extends Replicated>(
  deps: ControllerDeps,
  { name, resource, selectorOf }: ReplicaOptions<T>,
): Controller {
  const client = deps.client(name)
  const podControl = createPodControl(client, deps.events(name))
  const setInformer = deps.informers.of(resource, { ...ownershipIndexes, ...namespaceIndex })
  const podInformer = deps.informers.of(pods, ownershipIndexes)
  const expectations = new Expectations(podInformer, deps.clock)

  const setsOfPod = (pod: Pod): string[] => {
    const owner = controllerOf(pod)
    const namespace = pod.metadata.namespace ?? ''
    if (owner !== undefined) return owner.kind === resource.kind ? [`${namespace}/${owner.name}`] : []
    if (pod.metadata.deletionTimestamp !== undefined) return []
    return setInformer
      .byIndex(byNamespace, namespace)
      .filter((set) => matchesLabels(selectorOf(set), pod.metadata.labels))
      .map(objectKey)
  }

  async function reconcile(key: string): Promise<ReconcileResult> {
    const set = setInformer.get(key)
    if (set === undefined) {
      expectations.forget(key)
      return
    }
    if (!expectations.satisfied(key)) return requeueAfter(30_000)
    const owned = await claimPods(set)
    const active = owned.filter(isPodActive)
    const nowMs = deps.clock.now()
    let failure: Error | undefined
    if (set.metadata.deletionTimestamp === undefined) {
      const plan = planReplicas(set, active, relatedPods(set), nowMs)
      failure = plan.create > 0 ? await createPods(key, set, plan.create) : await deletePods(key, set, plan.delete)
    }
    await writeStatus(set, owned, failure, active.length - (set.spec?.replicas ?? 1))
    if (failure !== undefined && !isNamespaceTerminating(failure)) throw failure
    const wait = nextAvailableInMs(set, owned, nowMs)
    return wait === undefined ? undefined : requeueAfter(wait)
  }

  function claimPods(set: T): Promise<Pod[]> {
    const candidates = {
      owned: podInformer.byIndex(byController, set.metadata.uid ?? ''),
      orphans: podInformer.byIndex(orphans, set.metadata.namespace ?? '').filter(isPodActive),
    }
    const plan = planAdoption(set, selectorOf(set), candidates)
    return applyAdoption({ client, owner: set, ownerRef: resource, dependents: pods, plan })
  }

  /** Pods of all sets under the same controller (the deployment's other revisions). */
  function relatedPods(set: T): Pod[] {
    const owner = controllerOf(set)
    const sets = owner === undefined ? [set] : setInformer.byIndex(byController, owner.uid)
    return sets.flatMap((related) => [...podInformer.byIndex(byController, related.metadata.uid ?? '')])
  }

  async function createPods(key: string, set: T, count: number): Promise<Error | undefined> {
    const { template } = set.spec ?? {}
    if (template === undefined) return undefined
    const { error } = await slowStart(count, async () => {
      expectations.created(key, await podControl.create(set, podFromTemplate(template, set)))
    })
    return error
  }

  async function deletePods(key: string, set: T, doomed: readonly Pod[]): Promise<Error | undefined> {
    const results = await Promise.allSettled(
      doomed.map(async (pod) => {
        await podControl.delete(set, pod)
        expectations.deleted(key, pod)
      }),
    )
    return firstFailure(results)
  }

  async function writeStatus(
    set: T,
    owned: readonly Pod[],
    failure: Error | undefined,
    difference: number,
  ): Promise<void> {
    const counts = planStatus(set, owned, failure, difference, deps.clock.now())
    const status = withoutZeros(counts, ['replicas', 'terminatingReplicas'])
    if (canonicalJson(status) === canonicalJson(set.status)) return
    await client.updateStatus(resource, { ...set, status })
  }

  return createController({
    name,
    workers: 5,
    sources: [
      keysOf(setInformer),
      mapChanges(podInformer, (pod, old) =>
        old === undefined ? setsOfPod(pod) : new Set([...setsOfPod(pod), ...setsOfPod(old)]),
      ),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
