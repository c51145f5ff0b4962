// The resize door of a pod: cpu and memory of its containers, and nothing else.
import type { Pod, ResourceRequirements } from '../../../../common/api/generated/types.ts'
import { forbiddenField, invalidValue, type FieldError } from '../../../../common/machinery/field-error.ts'
import { semanticEqual } from '../../equality.ts'
import { cloneJson } from '../../strategy.ts'
import { qosClass } from './qos.ts'

type Lists = 'containers' | 'initContainers'

/**
 * Puts everything but the resources of the pod and of its containers back; a client sends the whole pod. Containers
 * that came, went, moved or changed their name stay, for validation to refuse.
 */
export function keepAllButResources(pod: Pod, old: Pod): void {
  if (pod.spec === undefined || old.spec === undefined) return
  if (containerErrors(pod, old).length > 0) return
  const spec = cloneJson(old.spec)
  const take = (field: Lists): void => {
    spec[field]?.forEach((container, index) => {
      const given = pod.spec?.[field]?.[index]
      if (given?.resources !== undefined) container.resources = given.resources
      if (given?.resizePolicy !== undefined) container.resizePolicy = given.resizePolicy
    })
  }
  take('containers')
  take('initContainers')
  if (pod.spec.resources === undefined) delete spec.resources
  else spec.resources = pod.spec.resources
  pod.spec = spec
}

/** A node that can resize says of running containers what they have. */
function isSupported({ status }: Pod): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state?.running !== undefined)
  return running === undefined || running.resources !== undefined
}

export function checkResize(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = []
  if (pod.spec === undefined || old.spec === undefined) return errors
  if (old.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined)
    return [forbiddenField('[]', 'static pods cannot be resized')]
  if (old.spec.os?.name === 'windows') return [forbiddenField('[]', 'windows pods cannot be resized')]
  if (qosClass(pod.spec) !== (old.status?.qosClass ?? qosClass(old.spec))) {
    errors.push(
      invalidValue('spec', pod.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'),
    )
  }
  if (!isSupported(old)) errors.push(forbiddenField('spec', 'Pod running on node without support for resize'))
  checkPodLevel(errors, pod.spec.resources, old.spec.resources)
  if ((old.status?.nodeAllocatableResourceClaimStatuses?.length ?? 0) > 0) {
    errors.push(forbiddenField('spec', 'pods with node allocatable resource claims cannot be resized'))
  }
  const moved = containerErrors(pod, old)
  if (moved.length > 0) return [...errors, ...moved]
  for (const field of ['initContainers', 'containers'] as const) {
    old.spec[field]?.forEach((before, index) => {
      const after = pod.spec?.[field]?.[index]
      if (after === undefined) return
      if (field === 'initContainers' && before.restartPolicy !== 'Always') {
        if (!semanticEqual(after, before)) {
          errors.push(forbiddenField('spec', 'resources for non-sidecar init containers are immutable'))
        }
        return
      }
      const path = `spec.${field}[${String(index)}].resources`
      checkRemoved(errors, path, 'resource', after.resources, before.resources)
      if (!semanticEqual(withoutCpuAndMemory(after.resources), withoutCpuAndMemory(before.resources))) {
        errors.push(forbiddenField('spec', 'only cpu and memory resources are mutable'))
      }
    })
  }
  return errors
}

/** Containers keep their number, names and order. */
function containerErrors(pod: Pod, old: Pod): FieldError[] {
  return (['containers', 'initContainers'] as const).flatMap((field) => {
    const after = pod.spec?.[field] ?? []
    const before = old.spec?.[field] ?? []
    if (after.length !== before.length) {
      return [forbiddenField(`spec.${field}`, `${field} may not be added or removed on resize`)]
    }
    return before.flatMap(({ name }, index) =>
      after[index]?.name === name
        ? []
        : [
            forbiddenField(
              `spec.${field}[${String(index)}].name`,
              `${field} may not be renamed or reordered on resize`,
            ),
          ],
    )
  })
}

function checkPodLevel(
  errors: FieldError[],
  after: ResourceRequirements | undefined,
  before: ResourceRequirements | undefined,
): void {
  if (after === undefined) {
    if (before !== undefined) errors.push(forbiddenField('spec.resources', 'pod-level resources cannot be removed'))
    return
  }
  checkRemoved(errors, 'spec.resources', 'pod-level resource', after, before)
  if (!semanticEqual(withoutCpuAndMemory(after), withoutCpuAndMemory(before))) {
    errors.push(forbiddenField('spec', 'only cpu and memory resources are mutable at pod-level'))
  }
}

function checkRemoved(
  errors: FieldError[],
  path: string,
  what: string,
  after: ResourceRequirements = {},
  before: ResourceRequirements = {},
): void {
  for (const field of ['requests', 'limits'] as const) {
    const removed = Object.keys(before[field] ?? {}).some((name) => after[field]?.[name] === undefined)
    if (removed) errors.push(forbiddenField(`${path}.${field}`, `${what} ${field} cannot be removed`))
  }
}

function withoutCpuAndMemory(resources: ResourceRequirements = {}): unknown {
  const rest = (list: Record<string, unknown> = {}): unknown =>
    Object.fromEntries(Object.entries(list).filter(([name]) => name !== 'cpu' && name !== 'memory'))
  return { limits: rest(resources.limits), requests: rest(resources.requests), claims: resources.claims }
}
