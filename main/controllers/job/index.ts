// Runs pods until enough of them have succeeded, gives up when too many have failed or time is up, removes finished jobs when they say so.
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
import { slowStart } from '../ownership/slow-start.ts'
import { createPodControl, isNamespaceTerminating } from '../pods/pod-control.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byController, byNamespace, namespaceIndex, orphans, ownershipIndexes } from '../runtime/indexes.ts'
import { finishedCondition } from './conditions.ts'
import type { JobPlan } from './plan.ts'
import { backoffMs, expiresInMs, isIndexed, isTracked, planJob, trackingFinalizer } from './plan.ts'
import { podForJob } from './pod-for-job.ts'

/** Pods that still carry the finalizer, by the key of the job they name. */
const byTrackedJob = 'trackedJob'
/** One sync makes at most this many pods; the next ones come when these are seen. */
const maxCreates = 500

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
  /** Failures since the last success, by job UID. */
  const failures = new Map<string, { inRow: number; untilMs: number; failed: number; succeeded: number }>()

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
      return
    }
    if (finishedCondition(job) !== undefined) return afterFinish(job)
    // Someone else's controller manages it.
    if (job.spec?.managedBy !== undefined && job.spec.managedBy !== 'kubernetes.io/job-controller') return
    if (job.metadata.deletionTimestamp !== undefined) return
    if (!expectations.satisfied(key)) return requeueAfter(30_000)
    const owned = await claimPods(job)
    const plan = planJob({
      job,
      pods: owned,
      nowMs: deps.clock.now(),
      backoffUntilMs: failures.get(job.metadata.uid ?? '')?.untilMs ?? 0,
    })
    await apply(key, job, plan)
    return plan.againInMs === undefined ? undefined : requeueAfter(plan.againInMs)
  }

  async function apply(key: string, job: Job, plan: JobPlan): Promise<void> {
    // What is noted in the status survives a crash between here and the finalizers.
    if (canonicalJson(plan.status) !== canonicalJson(job.status ?? {})) {
      await client.updateStatus(jobs, { ...job, status: plan.status })
      noteFailures(job, plan)
    }
    for (const event of plan.events) events.event(job, event.type, event.reason, event.message)
    for (const pod of plan.release) await release(pod)
    for (const pod of plan.drop) await release(pod)
    for (const pod of [...plan.drop, ...plan.delete]) {
      await podControl.delete(job, pod)
      expectations.deleted(key, pod)
    }
    const wanted = plan.create.slice(0, maxCreates)
    const { error } = await slowStart(wanted.length, async (i) => {
      expectations.created(key, await podControl.create(job, podForJob(job, wanted[i])))
    })
    if (error !== undefined && !isNamespaceTerminating(error)) throw error
  }

  function noteFailures(job: Job, { status }: JobPlan): void {
    const uid = job.metadata.uid ?? ''
    if (
      status.conditions?.some(({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True') ===
      true
    ) {
      failures.delete(uid)
      return
    }
    const failed = (status.failed ?? 0) + (status.uncountedTerminatedPods?.failed?.length ?? 0)
    const succeeded =
      (status.succeeded ?? 0) + (isIndexed(job) ? 0 : (status.uncountedTerminatedPods?.succeeded?.length ?? 0))
    const known = failures.get(uid) ?? {
      inRow: 0,
      untilMs: 0,
      failed: job.status?.failed ?? 0,
      succeeded: job.status?.succeeded ?? 0,
    }
    if (succeeded > known.succeeded) Object.assign(known, { inRow: 0, untilMs: 0 })
    else if (failed > known.failed) {
      known.inRow += failed - known.failed
      known.untilMs = deps.clock.now() + backoffMs(known.inRow)
    }
    Object.assign(known, { failed, succeeded })
    failures.set(uid, known)
  }

  async function afterFinish(job: Job): Promise<ReconcileResult> {
    const wait = expiresInMs(job, deps.clock.now())
    if (wait === undefined || job.metadata.deletionTimestamp !== undefined) return
    if (wait > 0) return requeueAfter(wait)
    const { name: jobName = '', namespace, uid } = job.metadata
    await client
      .delete(jobs, jobName, namespace, { propagationPolicy: 'Foreground', preconditions: { uid } })
      .catch(ignoreGone)
  }

  /** Pods that no job will count any more must not be held by the finalizer. */
  async function releaseStrangers(key: string, job: Job | undefined): Promise<void> {
    const abandoned =
      job === undefined || job.metadata.deletionTimestamp !== undefined || finishedCondition(job) !== undefined
    for (const pod of podInformer.byIndex(byTrackedJob, key)) {
      if (abandoned || controllerOf(pod)?.uid !== job.metadata.uid) await release(pod)
    }
  }

  async function release(pod: Pod): Promise<void> {
    const { name: podName = '', namespace, uid, resourceVersion, finalizers = [] } = pod.metadata
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
      mapChanges(podInformer, (pod, old) =>
        old === undefined ? jobsOfPod(pod) : new Set([...jobsOfPod(pod), ...jobsOfPod(old)]),
      ),
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

function ignoreGone(error: unknown): void {
  if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
}
