import type { CronJob, Job } from '../../../common/api/generated/types.ts'
import { formatInZone } from '../../../common/machinery/cron/wall-clock.ts'
import { controllerReference } from '../ownership/controller-of.ts'
import { jobName } from './plan.ts'

const scheduledTimeAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

/** The job of a cron job for one scheduled time. */
export function jobFor(cronJob: CronJob, dueMs: number): Job {
  const { metadata: { labels, annotations } = {}, spec = { template: {} } } = cronJob.spec?.jobTemplate ?? {}
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: jobName(cronJob, dueMs),
      namespace: cronJob.metadata.namespace,
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [scheduledTimeAnnotation]: formatInZone(dueMs, cronJob.spec?.timeZone ?? 'UTC') },
      ownerReferences: [controllerReference(cronJob)],
    },
    spec,
  }
}
