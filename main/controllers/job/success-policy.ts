// Pure: whether enough indexes have succeeded for the job's successPolicy.
import type { Job } from '../../../common/api/generated/types.ts'
import { parseIndexes } from './indexes.ts'

/** What the condition says; undefined: not met, or there is no policy. */
export function successPolicyMet(job: Job, succeeded: ReadonlySet<number>): string | undefined {
  if (succeeded.size === 0) return undefined
  const rules = job.spec?.successPolicy?.rules ?? []
  const index = rules.findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && succeeded.size >= succeededCount
    const required = parseIndexes(succeededIndexes, job.spec?.completions)
    if (required.size === 0) return false
    let met = 0
    for (const each of required) if (succeeded.has(each)) met++
    return met >= (succeededCount ?? required.size)
  })
  return index < 0 ? undefined : `Matched rules at index ${String(index)}`
}
