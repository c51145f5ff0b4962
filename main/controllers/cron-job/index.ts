// Makes jobs on a schedule, follows them to their end and clears old ones away.
import type { CronJob, Job, ObjectReference } from '../../../common/api/generated/types.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, mapChanges, requeueAfter } from '../../../common/client/controller.ts'
import { cronJobs, jobs } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { finishedCondition } from '../job/conditions.ts'
import { controllerOf, isControlledBy } from '../ownership/controller-of.ts'
import { asError } from '../ownership/slow-start.ts'
import { isNamespaceTerminating } from '../pods/pod-control.ts'
import { canonicalJson } from '../pods/template-hash.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byController, ownershipIndexes } from '../runtime/indexes.ts'
import { jobFor } from './job-for.ts'
import { planCronJob, withStarted } from './plan.ts'

export const newCronJobController: ControllerFactory = (deps) => {
  const name = 'cronjob-controller'
  const client = deps.client(name)
  const events = deps.events(name)
  const cronInformer = deps.informers.of(cronJobs)
  const jobInformer = deps.informers.of(jobs, ownershipIndexes)

  async function reconcile(key: string): Promise<ReconcileResult> {
    const cached = cronInformer.get(key)
    if (cached === undefined) return
    const { cronJob, owned } = await current(cached)
    const plan = planCronJob({ cronJob, jobs: owned, nowMs: deps.clock.now() })
    for (const event of plan.events) events.event(cronJob, event.type, event.reason, event.message)
    let { status } = plan
    for (const reference of plan.replace) await remove(cronJob, reference)
    try {
      if (plan.dueMs !== undefined) {
        const job = await start(cronJob, plan.dueMs)
        if (job !== undefined) status = withStarted(status, job, plan.dueMs)
      }
    } finally {
      if (canonicalJson(status) !== canonicalJson(cronJob.status ?? {}))
        await client.updateStatus(cronJobs, { ...cronJob, status })
    }
    for (const { metadata } of plan.expire) await remove(cronJob, metadata)
    return plan.againInMs === undefined ? undefined : requeueAfter(plan.againInMs)
  }

  /** The caches of cron jobs and of jobs may be apart by a write of this controller: where they disagree the server is asked. */
  async function current(cached: CronJob): Promise<{ cronJob: CronJob; owned: Job[] }> {
    const owned = [...jobInformer.byIndex(byController, cached.metadata.uid ?? '')]
    const { name: cronName = '', namespace } = cached.metadata
    const listed = new Set(cached.status?.active?.map(({ uid }) => uid))
    const isForgotten = owned.some((job) => finishedCondition(job) === undefined && !listed.has(job.metadata.uid))
    const cronJob = isForgotten ? await client.get(cronJobs, cronName, namespace) : cached
    for (const { uid, name: jobName = '' } of cronJob.status?.active ?? []) {
      if (owned.some(({ metadata }) => metadata.uid === uid)) continue
      const job = await client.get(jobs, jobName, namespace).catch(ignoreGone)
      if (job !== undefined && job.metadata.uid === uid) owned.push(job)
    }
    return { cronJob, owned }
  }

  async function start(cronJob: CronJob, dueMs: number): Promise<Job | undefined> {
    const wanted = jobFor(cronJob, dueMs)
    try {
      const job = await client.create(jobs, wanted)
      events.event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${job.metadata.name ?? ''}`)
      return job
    } catch (error) {
      if (isReason(error, 'AlreadyExists')) {
        // Ours from a moment ago, of which the status does not know yet.
        const existing = await client.get(jobs, wanted.metadata.name ?? '', wanted.metadata.namespace)
        return isControlledBy(existing, cronJob) ? existing : undefined
      }
      if (!isNamespaceTerminating(error))
        events.event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${asError(error).message}`)
      throw error
    }
  }

  async function remove(cronJob: CronJob, job: Pick<ObjectReference, 'name' | 'uid'>): Promise<void> {
    const { name: jobName = '', uid } = job
    const options = { propagationPolicy: 'Background', preconditions: { uid } } as const
    try {
      await client.delete(jobs, jobName, cronJob.metadata.namespace, options)
    } catch (error) {
      if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return
      events.event(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${asError(error).message}`)
      throw error
    }
    events.event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${jobName}`)
  }

  return createController({
    name,
    workers: 5,
    sources: [
      keysOf(cronInformer),
      mapChanges(jobInformer, (job) => {
        const owner = controllerOf(job)
        return owner?.kind === 'CronJob' ? [`${job.metadata.namespace ?? ''}/${owner.name}`] : []
      }),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}

function ignoreGone(error: unknown): undefined {
  if (!isReason(error, 'NotFound')) throw error
  return undefined
}
