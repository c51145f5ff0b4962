// Keeps a set of pods that each have an identity, storage and a place in the order, and rolls new templates out from the last to the first.
import type {
  ControllerRevision,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
} from '../../../common/api/generated/types.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, mapChanges, needs, requeueAfter } from '../../../common/client/controller.ts'
import { controllerRevisions, persistentVolumeClaims, pods, statefulSets } from '../../../common/client/resources.ts'
import { matchesLabels, selectorFromObject } from '../../../common/machinery/labels.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { applyAdoption, planAdoption } from '../ownership/adoption.ts'
import { controllerOf } from '../ownership/controller-of.ts'
import { Expectations } from '../ownership/expectations.ts'
import { isNamespaceTerminating } from '../pods/pod-control.ts'
import { withoutZeros } from '../pods/without-zeros.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import { planHistoryCleanup } from '../revisions/history.ts'
import { deleteRevisions, ensureRevision } from '../revisions/keep-history.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byController, byNamespace, namespaceIndex, orphans, ownershipIndexes } from '../runtime/indexes.ts'
import { createClaimControl } from './claims.ts'
import { ordinalOf, revisionOf } from './identity.ts'
import { planStatefulSet } from './plan.ts'
import { createStatefulPods } from './stateful-pods.ts'
import { nextAvailableInMs, planStatus } from './status.ts'

/** Revisions of stateful sets carry their hash here; pods carry the revision's name. */
const hashLabel = 'controller.kubernetes.io/hash'

export const newStatefulSetController: ControllerFactory = (deps) => {
  const name = 'statefulset-controller'
  const client = deps.client(name)
  const events = deps.events(name)
  const setInformer = deps.informers.of(statefulSets, namespaceIndex)
  const podInformer = deps.informers.of(pods, ownershipIndexes)
  const claimInformer = deps.informers.of(persistentVolumeClaims)
  const revisionInformer = deps.informers.of(controllerRevisions, ownershipIndexes)
  const expectations = new Expectations(podInformer, deps.clock)
  const claims = createClaimControl(client, events, claimInformer)
  const statefulPods = createStatefulPods({ client, events, claims, expectations })

  const setsOfPod = (pod: Pod): string[] => {
    const owner = controllerOf(pod)
    const namespace = pod.metadata.namespace ?? ''
    if (owner !== undefined) return owner.kind === 'StatefulSet' ? [`${namespace}/${owner.name}`] : []
    return setInformer
      .byIndex(byNamespace, namespace)
      .filter((set) => matchesLabels(selectorFromObject(set.spec?.selector), pod.metadata.labels))
      .map(objectKey)
  }
  /** A claim that is gone may be what a pod's successor waits for. */
  const setsOfClaim = (claim: PersistentVolumeClaim): string[] =>
    setInformer
      .byIndex(byNamespace, claim.metadata.namespace ?? '')
      .filter((set) =>
        (set.spec?.volumeClaimTemplates ?? []).some(
          ({ metadata }) =>
            claim.metadata.name?.startsWith(`${metadata.name ?? ''}-${set.metadata.name ?? ''}-`) === true,
        ),
      )
      .map(objectKey)

  async function reconcile(key: string): Promise<ReconcileResult> {
    const set = setInformer.get(key)
    if (set === undefined) {
      expectations.forget(key)
      return
    }
    if (!expectations.satisfied(key)) return requeueAfter(30_000)
    const revisions = await claimRevisions(set)
    let collisionCount = set.status?.collisionCount ?? 0
    const of = { owner: set, template: set.spec?.template ?? {}, collisionCount, hashLabel }
    const update = await ensureRevision(client, of, revisions, async (count) => {
      collisionCount = count
      await client.updateStatus(statefulSets, { ...set, status: { replicas: 0, ...set.status, collisionCount } })
    })
    const current = revisions.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update
    const owned = await claimPods(set)
    const nowMs = deps.clock.now()
    const names = { currentRevision: current.metadata.name ?? '', updateRevision: update.metadata.name ?? '' }
    const hasStaleClaim = (ordinal: number): boolean => claims.isStale(set, ordinal)
    const plan = planStatefulSet({ set, pods: owned, ...names, hasStaleClaim, nowMs })
    const failure = await statefulPods.apply(key, set, plan, { current, update })
    const counts = planStatus({ set, pods: owned, ...names, collisionCount, updating: plan.updating, nowMs })
    const status = withoutZeros(counts, ['replicas', 'availableReplicas', 'collisionCount'])
    if (canonicalJson(status) !== canonicalJson(set.status)) await client.updateStatus(statefulSets, { ...set, status })
    await cleanUp(set, revisions, [...Object.values(names), ...owned.map(revisionOf)])
    if (failure !== undefined && !isNamespaceTerminating(failure)) throw failure
    const wait = nextAvailableInMs(set, owned, nowMs)
    return wait === undefined ? undefined : requeueAfter(wait)
  }

  function claimRevisions(set: StatefulSet): Promise<ControllerRevision[]> {
    const candidates = {
      owned: revisionInformer.byIndex(byController, set.metadata.uid ?? ''),
      orphans: revisionInformer.byIndex(orphans, set.metadata.namespace ?? ''),
    }
    const plan = planAdoption(set, selectorFromObject(set.spec?.selector), candidates)
    return applyAdoption({ client, owner: set, ownerRef: statefulSets, dependents: controllerRevisions, plan })
  }

  function claimPods(set: StatefulSet): Promise<Pod[]> {
    const candidates = {
      owned: podInformer.byIndex(byController, set.metadata.uid ?? ''),
      orphans: podInformer
        .byIndex(orphans, set.metadata.namespace ?? '')
        .filter((pod) => ordinalOf(set, pod) !== undefined),
    }
    const plan = planAdoption(set, selectorFromObject(set.spec?.selector), candidates)
    return applyAdoption({ client, owner: set, ownerRef: statefulSets, dependents: pods, plan })
  }

  async function cleanUp(
    set: StatefulSet,
    revisions: readonly ControllerRevision[],
    live: readonly string[],
  ): Promise<void> {
    const isLive = ({ metadata }: ControllerRevision): boolean => live.includes(metadata.name ?? '')
    const old = revisions.filter((revision) => !isLive(revision))
    await deleteRevisions(client, planHistoryCleanup(old, old.length - (set.spec?.revisionHistoryLimit ?? 10), isLive))
  }

  return createController({
    name,
    workers: 5,
    sources: [
      keysOf(setInformer),
      needs(revisionInformer),
      mapChanges(podInformer, (pod, old) =>
        old === undefined ? setsOfPod(pod) : new Set([...setsOfPod(pod), ...setsOfPod(old)]),
      ),
      mapChanges(claimInformer, (claim, _old, change) => (change === 'delete' ? setsOfClaim(claim) : [])),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
