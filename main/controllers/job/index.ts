// Runs pods until enough of them have succeeded, gives up when too many have failed or time is up.
import type { Job, Pod } from '../../../common/api/generated/types.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, mapChanges, requeueAfter } from '../../../common/client/controller.ts'
import { jobs, pods } from '../../../common/client/resources.ts'
import { matchesLabels, selectorFromObject } from '../../../common/machinery/labels.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { applyAdoption, planAdoption } from '../ownership/adoption.ts'
import { controllerOf } from '../ownership/controller-of.ts'
import { Expectations } from '../ownership/expectations.ts'
import { firstFailure, slowStart } from '../ownership/slow-start.ts'
import { createPodControl, isNamespaceTerminating } from '../pods/pod-control.ts'
import { withoutZeros } from '../pods/without-zeros.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byController, byNamespace, namespaceIndex, orphans, ownershipIndexes } from '../runtime/indexes.ts'
import type { BackoffRecord } from './backoff.ts'
import { noBackoff } from './backoff.ts'
import { finishedCondition } from './conditions.ts'
import { isTracked, trackingFinalizer } from './facts.ts'
import type { JobPlan } from './plan.ts'
import { planJob } from './plan.ts'
import { podForJob } from './pod-for-job.ts'

/** Pods that still carry the finalizer, by the key of the job they name. */
const byTrackedJob = 'trackedJob'
export const newJobController: ControllerFactory = (deps) => {
  const name = 'job-controller'
  const client = deps.client(name)
  const events = deps.events(name)
  const podControl = createPodControl(client, events)
  const jobInformer = deps.informers.of(jobs, namespaceIndex)
  const podInformer = deps.informers.of(pods, {
    ...ownershipIndexes,
    [byTrackedJob]: (pod: Pod) => (isTracked(pod) ? jobOf(pod) : []),
  })
  const expectations = new Expectations(podInformer, deps.clock)
  /** Failures since the last success, by job key. */
  const backoffs = new Map<string, BackoffRecord>()
  /** UIDs of pods whose finalizer was removed; the cache may not show it yet. */
  const released = new Set<string>()

  const jobsOfPod = (pod: Pod): string[] => {
    if (controllerOf(pod) !== undefined) return jobOf(pod)
    return jobInformer
      .byIndex(byNamespace, pod.metadata.namespace ?? '')
      .filter(
        (job) =>
          job.spec?.selector !== undefined && matchesLabels(selectorFromObject(job.spec.selector), pod.metadata.labels),
      )
      .map(objectKey)
  }

  async function reconcile(key: string): Promise<ReconcileResult> {
    const job = jobInformer.get(key)
    await releaseStrangers(key, job)
    if (job === undefined) {
      expectations.forget(key)
      backoffs.delete(key)
      return
    }
    if (finishedCondition(job) !== undefined) {
      backoffs.delete(key)
      return
    }
    // Someone else's controller manages it.
    if (job.spec?.managedBy !== undefined && job.spec.managedBy !== 'kubernetes.io/job-controller') return
    if (job.metadata.deletionTimestamp !== undefined) return
    if (!expectations.satisfied(key)) return requeueAfter(30_000)
    const owned = await claimPods(job)
    const plan = planJob({ job, pods: owned, backoff: backoffs.get(key) ?? noBackoff, nowMs: deps.clock.now() })
    await apply(key, job, plan)
    return plan.againInMs === undefined ? undefined : requeueAfter(plan.againInMs)
  }

  async function apply(key: string, job: Job, plan: JobPlan): Promise<void> {
    // What is noted in the status survives a crash between here and the finalizers.
    const status = withoutZeros(plan.status, ['ready', 'terminating'])
    if (canonicalJson(status) !== canonicalJson(job.status ?? {})) {
      await client.updateStatus(jobs, { ...job, status })
      backoffs.set(key, plan.backoff)
    }
    for (const event of plan.events) events.event(job, event.type, event.reason, event.message)
    await all([...plan.release, ...plan.drop].map(release))
    await all(
      [...plan.drop, ...plan.delete].map(async (pod) => {
        await podControl.delete(job, pod)
        expectations.deleted(key, pod)
      }),
    )
    const { error } = await slowStart(plan.create.length, async (i) => {
      const wanted = plan.create[i]
      if (wanted !== undefined) expectations.created(key, await podControl.create(job, podForJob(job, wanted)))
    })
    if (error !== undefined && !isNamespaceTerminating(error)) throw error
  }

  /** Pods that no job will count any more must not be held by the finalizer. */
  async function releaseStrangers(key: string, job: Job | undefined): Promise<void> {
    const abandoned =
      job === undefined || job.metadata.deletionTimestamp !== undefined || finishedCondition(job) !== undefined
    const strangers = podInformer
      .byIndex(byTrackedJob, key)
      .filter((pod) => abandoned || controllerOf(pod)?.uid !== job.metadata.uid)
    await all(strangers.map(release))
  }

  async function release(pod: Pod): Promise<void> {
    const { name: podName = '', namespace, uid = '', resourceVersion, finalizers = [] } = pod.metadata
    if (released.has(uid)) return
    const metadata = {
      uid,
      resourceVersion,
      finalizers: finalizers.filter((finalizer) => finalizer !== trackingFinalizer),
    }
    await client
      .patch(pods, { name: podName, namespace }, 'application/merge-patch+json', { metadata })
      .catch((error: unknown) => {
        if (!isReason(error, 'NotFound')) throw error
      })
    released.add(uid)
  }

  function claimPods(job: Job): Promise<Pod[]> {
    const candidates = {
      owned: podInformer.byIndex(byController, job.metadata.uid ?? ''),
      orphans: podInformer.byIndex(orphans, job.metadata.namespace ?? ''),
    }
    const plan = planAdoption(job, selectorFromObject(job.spec?.selector), candidates)
    return applyAdoption({ client, owner: job, ownerRef: jobs, dependents: pods, plan })
  }

  return createController({
    name,
    workers: 5,
    sources: [
      keysOf(jobInformer),
      mapChanges(podInformer, (pod, old, change) => {
        if (change === 'delete' || !isTracked(pod)) released.delete(pod.metadata.uid ?? '')
        return old === undefined ? jobsOfPod(pod) : new Set([...jobsOfPod(pod), ...jobsOfPod(old)])
      }),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}

function jobOf(pod: Pod): string[] {
  const owner = controllerOf(pod)
  return owner?.kind === 'Job' ? [`${pod.metadata.namespace ?? ''}/${owner.name}`] : []
}

/** Everything is tried; the first failure is thrown. */
async function all(work: Promise<void>[]): Promise<void> {
  const failure = firstFailure(await Promise.allSettled(work))
  if (failure !== undefined) throw failure
}
