// Keeps one pod of the set on every node that qualifies, and rolls new templates out node by node.
import type { ControllerRevision, DaemonSet, Node, Pod } from '../../../common/api/generated/types.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, mapChanges, requeueAfter } from '../../../common/client/controller.ts'
import { controllerRevisions, daemonSets, nodes, pods } from '../../../common/client/resources.ts'
import { matchesLabels, selectorFromObject } from '../../../common/machinery/labels.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { applyAdoption, planAdoption } from '../ownership/adoption.ts'
import { controllerOf } from '../ownership/controller-of.ts'
import { Expectations } from '../ownership/expectations.ts'
import { firstFailure, slowStart } from '../ownership/slow-start.ts'
import { createPodControl, isNamespaceTerminating } from '../pods/pod-control.ts'
import { podFromTemplate } from '../pods/pod-from-template.ts'
import { availableInMs } from '../pods/pod-state.ts'
import { withoutZeros } from '../pods/without-zeros.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byController, byNamespace, namespaceIndex, orphans, ownershipIndexes } from '../runtime/indexes.ts'
import { planHistoryCleanup } from '../revisions/history.ts'
import { deleteRevisions, ensureRevision } from '../revisions/keep-history.ts'
import { FailureBackoff } from './failure-backoff.ts'
import { placementOf, specForNode } from './placement.ts'
import type { DaemonPlan, NodeView } from './plan.ts'
import { generationAnnotation, hashLabel, planPods, planStatus, planUpdate, viewNodes } from './plan.ts'

export const newDaemonSetController: ControllerFactory = (deps) => {
  const name = 'daemonset-controller'
  const client = deps.client(name)
  const events = deps.events(name)
  const podControl = createPodControl(client, events)
  const setInformer = deps.informers.of(daemonSets, namespaceIndex)
  const podInformer = deps.informers.of(pods, ownershipIndexes)
  const nodeInformer = deps.informers.of(nodes)
  const revisionInformer = deps.informers.of(controllerRevisions, ownershipIndexes)
  const expectations = new Expectations(podInformer, deps.clock)
  const backoff = new FailureBackoff(deps.clock)

  const setsOfPod = (pod: Pod): string[] => {
    const owner = controllerOf(pod)
    const namespace = pod.metadata.namespace ?? ''
    if (owner !== undefined) return owner.kind === 'DaemonSet' ? [`${namespace}/${owner.name}`] : []
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
    const { matchLabels = {}, matchExpressions = [] } = set.spec?.selector ?? {}
    if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) {
      events.event(
        set,
        'Warning',
        'SelectingAll',
        'This daemon set is selecting all pods. A non-empty selector is required.',
      )
      return
    }
    if (set.metadata.deletionTimestamp !== undefined) return
    if (!expectations.satisfied(key)) return requeueAfter(30_000)
    const { revision, all } = await currentRevision(set)
    const hash = revision.metadata.labels?.[hashLabel] ?? ''
    const owned = await claimPods(set)
    const views = viewNodes(nodeInformer.list(), owned, placementOf(set))
    const now = deps.clock.now()
    let plan = planPods(set, views, hash, now)
    // Updating goes on only when every node has what it should have.
    if (plan.create.length === 0 && plan.delete.length === 0 && plan.failed.length === 0)
      plan = planUpdate(set, views, hash, now)
    const failure = await apply(key, set, plan, hash)
    await writeStatus(set, views, hash)
    await cleanUp(set, all, revision, owned)
    if (failure.error !== undefined && !isNamespaceTerminating(failure.error)) throw failure.error
    const waits = [nextAvailable(set, owned, now), failure.againInMs].filter((wait) => wait !== undefined)
    return waits.length === 0 ? undefined : requeueAfter(Math.min(...waits))
  }

  async function currentRevision(
    set: DaemonSet,
  ): Promise<{ revision: ControllerRevision; all: readonly ControllerRevision[] }> {
    const candidates = {
      owned: revisionInformer.byIndex(byController, set.metadata.uid ?? ''),
      orphans: revisionInformer.byIndex(orphans, set.metadata.namespace ?? ''),
    }
    const plan = planAdoption(set, selectorFromObject(set.spec?.selector), candidates)
    const all = await applyAdoption({ client, owner: set, ownerRef: daemonSets, dependents: controllerRevisions, plan })
    const of = {
      owner: set,
      template: set.spec?.template ?? {},
      collisionCount: set.status?.collisionCount,
      hashLabel,
      forget: [generationAnnotation],
    }
    const revision = await ensureRevision(client, of, all, async (collisionCount) => {
      await client.updateStatus(daemonSets, { ...set, status: { ...(set.status ?? noStatus), collisionCount } })
    })
    return { revision, all }
  }

  function claimPods(set: DaemonSet): Promise<Pod[]> {
    const candidates = {
      owned: podInformer.byIndex(byController, set.metadata.uid ?? ''),
      orphans: podInformer.byIndex(orphans, set.metadata.namespace ?? ''),
    }
    const plan = planAdoption(set, selectorFromObject(set.spec?.selector), candidates)
    return applyAdoption({ client, owner: set, ownerRef: daemonSets, dependents: pods, plan })
  }

  /** Returns the first failure, after everything was tried, and when a failed pod may be replaced that may not be yet. */
  async function apply(
    key: string,
    set: DaemonSet,
    plan: DaemonPlan,
    hash: string,
  ): Promise<{ error: Error | undefined; againInMs: number | undefined }> {
    const ended: Pod[] = []
    let againInMs: number | undefined
    for (const pod of plan.failed) {
      const node = pod.spec?.nodeName ?? ''
      const wait = backoff.next(`${set.metadata.uid ?? ''}/${String(set.metadata.generation)}/${node}`)
      if (wait > 0) {
        againInMs = Math.min(againInMs ?? wait, wait)
        continue
      }
      ended.push(pod)
      const about = `daemon pod ${objectKey(pod)} on node ${node}`
      if (pod.status?.phase === 'Succeeded')
        events.event(set, 'Normal', 'SucceededDaemonPod', `Found succeeded ${about}, will try to delete it`)
      else events.event(set, 'Warning', 'FailedDaemonPod', `Found failed ${about}, will try to kill it`)
    }
    const made = await slowStart(plan.create.length, async (i) => {
      expectations.created(key, await podControl.create(set, podForNode(set, plan.create[i] ?? '', hash)))
    })
    const deleted = await Promise.allSettled(
      [...plan.delete, ...ended].map(async (pod) => {
        await podControl.delete(set, pod)
        expectations.deleted(key, pod)
      }),
    )
    return { error: made.error ?? firstFailure(deleted), againInMs }
  }

  function podForNode(set: DaemonSet, nodeName: string, hash: string): Pod {
    const pod = podFromTemplate(set.spec?.template ?? {}, set)
    const generation = set.metadata.annotations?.[generationAnnotation]
    const labels = {
      ...pod.metadata.labels,
      [hashLabel]: hash,
      ...(generation === undefined ? {} : { 'pod-template-generation': generation }),
    }
    return { ...pod, metadata: { ...pod.metadata, labels }, spec: specForNode(set.spec?.template.spec, nodeName) }
  }

  async function writeStatus(set: DaemonSet, views: readonly NodeView[], hash: string): Promise<void> {
    const status = withoutZeros(planStatus(set, views, hash, deps.clock.now()), [
      'currentNumberScheduled',
      'desiredNumberScheduled',
      'numberMisscheduled',
      'numberReady',
      'collisionCount',
    ])
    if (canonicalJson(status) !== canonicalJson(set.status)) await client.updateStatus(daemonSets, { ...set, status })
  }

  async function cleanUp(
    set: DaemonSet,
    all: readonly ControllerRevision[],
    current: ControllerRevision,
    owned: readonly Pod[],
  ): Promise<void> {
    const live = new Set(owned.map((pod) => pod.metadata.labels?.[hashLabel] ?? ''))
    const old = all.filter(({ metadata }) => metadata.uid !== current.metadata.uid)
    const surplus = old.length - (set.spec?.revisionHistoryLimit ?? 10)
    const isLive = ({ metadata }: ControllerRevision): boolean => live.has(metadata.labels?.[hashLabel] ?? '')
    await deleteRevisions(client, planHistoryCleanup(old, surplus, isLive))
  }

  return createController({
    name,
    sources: [
      keysOf(setInformer),
      mapChanges(podInformer, (pod, old) =>
        old === undefined ? setsOfPod(pod) : new Set([...setsOfPod(pod), ...setsOfPod(old)]),
      ),
      mapChanges(nodeInformer, (node, old) =>
        old === undefined || placementFacts(node) !== placementFacts(old) ? setInformer.list().map(objectKey) : [],
      ),
      mapChanges(revisionInformer, (revision, _old, change) => {
        const owner = controllerOf(revision)
        return change === 'delete' && owner?.kind === 'DaemonSet'
          ? [`${revision.metadata.namespace ?? ''}/${owner.name}`]
          : []
      }),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}

const noStatus = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 }

/** What of a node decides about daemons; heartbeats do not. */
const placementFacts = (node: Node): string => canonicalJson([node.metadata.labels, node.spec?.taints])

function nextAvailable(set: DaemonSet, owned: readonly Pod[], nowMs: number): number | undefined {
  const waits = owned.flatMap((pod) => {
    const wait = availableInMs(pod, set.spec?.minReadySeconds ?? 0, nowMs)
    return wait === undefined || wait === 0 ? [] : [wait]
  })
  return waits.length === 0 ? undefined : Math.min(...waits)
}
