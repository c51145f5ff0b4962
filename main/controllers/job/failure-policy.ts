// Pure: what a job's podFailurePolicy says about a failed pod. The first rule that matches decides.
import type { ContainerStatus, Job, Pod, PodFailurePolicyRule } from '../../../common/api/generated/types.ts'

export interface FailureVerdict {
  action: 'FailJob' | 'FailIndex' | 'Count' | 'Ignore'
  /** Of FailJob: what the job's condition says. */
  message: string
}

/** Undefined: no rule matches, the failure counts. */
export function failureVerdict(job: Job, pod: Pod): FailureVerdict | undefined {
  const rules = job.spec?.podFailurePolicy?.rules ?? []
  for (const [index, rule] of rules.entries()) {
    const why = match(rule, pod)
    if (why === undefined) continue
    const action = rule.action as FailureVerdict['action']
    return { action, message: `${why} matching ${action} rule at index ${String(index)}` }
  }
  return undefined
}

export const isIgnored = (job: Job, pod: Pod): boolean => failureVerdict(job, pod)?.action === 'Ignore'

function match({ onExitCodes, onPodConditions }: PodFailurePolicyRule, pod: Pod): string | undefined {
  const { namespace = '', name = '' } = pod.metadata
  if (onExitCodes !== undefined) {
    const { containerName, operator, values } = onExitCodes
    const matches = ({ name: container, state }: ContainerStatus): boolean => {
      const code = state?.terminated?.exitCode ?? 0
      if (code === 0 || (containerName !== undefined && container !== containerName)) return false
      return operator === 'In' ? values.includes(code) : operator === 'NotIn' && !values.includes(code)
    }
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
    const found = statuses.find(matches)
    if (found === undefined) return undefined
    const code = String(found.state?.terminated?.exitCode)
    return `Container ${found.name} for pod ${namespace}/${name} failed with exit code ${code}`
  }
  const patterns = onPodConditions ?? []
  const found = pod.status?.conditions?.find((condition) =>
    patterns.some(({ type, status = 'True' }) => condition.type === type && condition.status === status),
  )
  return found === undefined ? undefined : `Pod ${namespace}/${name} has condition ${found.type}`
}
