// Pure: reading and setting the conditions of a job.
import type { Job, JobCondition, JobStatus } from '../../../common/api/generated/types.ts'

/** The condition when it is true. */
export function conditionOf(status: JobStatus | undefined, type: string): JobCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type && condition.status === 'True')
}

export const finishedCondition = (job: Job): JobCondition | undefined =>
  conditionOf(job.status, 'Complete') ?? conditionOf(job.status, 'Failed')

/** Returns whether this changed anything: a condition of the same status stays as it is. */
export function addCondition(status: JobStatus, condition: JobCondition): boolean {
  const known = status.conditions?.find(({ type }) => type === condition.type)
  if (known?.status === condition.status) return false
  status.conditions = [...(status.conditions ?? []).filter(({ type }) => type !== condition.type), condition]
  return true
}
