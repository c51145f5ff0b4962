// Keeps as many pods as spec.replicas says. One owner of its pods' lives; the template is only looked at when a pod is made.
import type { Pod, ReplicaSet } from '../../../common/api/generated/types.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, mapChanges, requeueAfter } from '../../../common/client/controller.ts'
import { pods, replicaSets } from '../../../common/client/resources.ts'
import { matchesLabels, selectorFromObject } from '../../../common/machinery/labels.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { applyAdoption, planAdoption } from '../ownership/adoption.ts'
import { controllerOf } from '../ownership/controller-of.ts'
import { Expectations } from '../ownership/expectations.ts'
import { firstFailure, slowStart } from '../ownership/slow-start.ts'
import { createPodControl, isNamespaceTerminating } from '../pods/pod-control.ts'
import { podFromTemplate } from '../pods/pod-from-template.ts'
import { isPodActive } from '../pods/pod-state.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byController, byNamespace, namespaceIndex, orphans, ownershipIndexes } from '../runtime/indexes.ts'
import { nextAvailableInMs, planReplicas, planStatus } from './plan.ts'

export const newReplicaSetController: ControllerFactory = (deps) => {
  const name = 'replicaset-controller'
  const client = deps.client(name)
  const podControl = createPodControl(client, deps.events(name))
  const setInformer = deps.informers.of(replicaSets, { ...ownershipIndexes, ...namespaceIndex })
  const podInformer = deps.informers.of(pods, ownershipIndexes)
  const expectations = new Expectations(podInformer, deps.clock)

  const setsOfPod = (pod: Pod): string[] => {
    const owner = controllerOf(pod)
    const namespace = pod.metadata.namespace ?? ''
    if (owner !== undefined) return owner.kind === 'ReplicaSet' ? [`${namespace}/${owner.name}`] : []
    if (pod.metadata.deletionTimestamp !== undefined) return []
    return setInformer
      .byIndex(byNamespace, namespace)
      .filter((set) => matchesLabels(selectorFromObject(set.spec?.selector), pod.metadata.labels))
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

  function claimPods(set: ReplicaSet): Promise<Pod[]> {
    const candidates = {
      owned: podInformer.byIndex(byController, set.metadata.uid ?? ''),
      orphans: podInformer.byIndex(orphans, set.metadata.namespace ?? '').filter(isPodActive),
    }
    const plan = planAdoption(set, selectorFromObject(set.spec?.selector), candidates)
    return applyAdoption({ client, owner: set, ownerRef: replicaSets, dependents: pods, plan })
  }

  /** Pods of all replica sets under the same controller (the deployment's other revisions). */
  function relatedPods(set: ReplicaSet): Pod[] {
    const owner = controllerOf(set)
    const sets = owner === undefined ? [set] : setInformer.byIndex(byController, owner.uid)
    return sets.flatMap((related) => [...podInformer.byIndex(byController, related.metadata.uid ?? '')])
  }

  async function createPods(key: string, set: ReplicaSet, count: number): Promise<Error | undefined> {
    const { template } = set.spec ?? {}
    if (template === undefined) return undefined
    const { error } = await slowStart(count, async () => {
      expectations.created(key, await podControl.create(set, podFromTemplate(template, set)))
    })
    return error
  }

  async function deletePods(key: string, set: ReplicaSet, doomed: readonly Pod[]): Promise<Error | undefined> {
    const results = await Promise.allSettled(
      doomed.map(async (pod) => {
        await podControl.delete(set, pod)
        expectations.deleted(key, pod)
      }),
    )
    return firstFailure(results)
  }

  async function writeStatus(
    set: ReplicaSet,
    owned: readonly Pod[],
    failure: Error | undefined,
    difference: number,
  ): Promise<void> {
    const status = planStatus(set, owned, failure, difference, deps.clock.now())
    if (canonicalJson(status) === canonicalJson(set.status)) return
    await client.updateStatus(replicaSets, { ...set, status })
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
