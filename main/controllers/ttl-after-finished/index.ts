// Removes finished jobs, with their pods, when their spec.ttlSecondsAfterFinished is over.
import type { Job } from '../../../common/api/generated/types.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, requeueAfter } from '../../../common/client/controller.ts'
import { jobs } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { finishedCondition } from '../job/conditions.ts'
import type { ControllerFactory } from '../runtime/deps.ts'

export const newTtlAfterFinishedController: ControllerFactory = (deps) => {
  const name = 'ttl-after-finished-controller'
  const client = deps.client(name)
  const jobInformer = deps.informers.of(jobs)

  async function reconcile(key: string): Promise<ReconcileResult> {
    const job = jobInformer.get(key)
    const wait = job === undefined ? undefined : expiresInMs(job, deps.clock.now())
    if (job === undefined || wait === undefined) return
    if (wait > 0) return requeueAfter(wait)
    // The time may just have been prolonged: the version that says it is over must still be the present one.
    const { name: jobName = '', namespace, uid, resourceVersion } = job.metadata
    try {
      const preconditions = { uid, resourceVersion }
      await client.delete(jobs, jobName, namespace, { propagationPolicy: 'Foreground', preconditions })
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }

  return createController({
    name,
    sources: [keysOf(jobInformer, (job) => expiresInMs(job, 0) !== undefined)],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}

/** Milliseconds until a finished job is removed (0: now); undefined: it stays, or is going already. */
export function expiresInMs(job: Job, nowMs: number): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished
  const finished = finishedCondition(job)?.lastTransitionTime
  if (seconds === undefined || finished === undefined || job.metadata.deletionTimestamp !== undefined) return undefined
  return Math.max(0, Date.parse(finished) + seconds * 1000 - nowMs)
}
