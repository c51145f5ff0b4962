// What the parts of a pod spec need to know of each other while they are validated.
import type { PodSpec, Volume } from '../../../../common/api/generated/types.ts'
import type { FieldError } from '../../../../common/machinery/field-error.ts'

export interface PodSpecScope {
  readonly errors: FieldError[]
  /** A pod itself; false for the template of a workload, where a few rules are looser. */
  readonly isPod: boolean
  /** Name of the pod, when known. */
  readonly podName: string | undefined
  /** Valid volumes by name. */
  readonly volumes: ReadonlyMap<string, Volume>
  readonly gracePeriodSeconds: number | undefined
  readonly restartPolicy: string | undefined
  readonly resourceClaims: ReadonlySet<string>
  /** False: containers run in an own user namespace. */
  readonly hostUsers: boolean
}

export const newScope = (
  errors: FieldError[],
  spec: PodSpec,
  of: { isPod: boolean; podName?: string; volumes: ReadonlyMap<string, Volume> },
): PodSpecScope => ({
  errors,
  isPod: of.isPod,
  podName: of.podName,
  volumes: of.volumes,
  gracePeriodSeconds: spec.terminationGracePeriodSeconds,
  restartPolicy: spec.restartPolicy,
  resourceClaims: new Set((spec.resourceClaims ?? []).map((claim) => claim.name)),
  hostUsers: spec.hostUsers ?? true,
})
