// The resize door of a pod: cpu and memory of its containers, and nothing else.
import type { Container, Pod, ResourceRequirements } from '../../../../common/api/generated/types.ts'
import { forbiddenField, invalidValue, type FieldError } from '../../../../common/machinery/field-error.ts'
import { semanticEqual } from '../../equality.ts'
import { cloneJson } from '../../strategy.ts'
import { qosClass } from './qos.ts'

/** Puts everything but container resources back; a client sends the whole pod. */
export function keepAllButResources(pod: Pod, old: Pod): void {
  const spec = cloneJson(old.spec)
  const take = (containers: Container[] | undefined, from: Container[] | undefined): void => {
    for (const container of containers ?? []) {
      const given = from?.find((candidate) => candidate.name === container.name)
      if (given?.resources !== undefined) container.resources = given.resources
      if (given?.resizePolicy !== undefined) container.resizePolicy = given.resizePolicy
    }
  }
  take(spec?.containers, pod.spec?.containers)
  take(spec?.initContainers, pod.spec?.initContainers)
  pod.spec = spec
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
      checkContainerResize(
        errors,
        `spec.${field}[${String(index)}].resources`,
        after.resources ?? {},
        before.resources ?? {},
      )
      if (!semanticEqual(withoutCpuAndMemory(after.resources), withoutCpuAndMemory(before.resources))) {
        errors.push(forbiddenField('spec', 'only cpu and memory resources are mutable'))
      }
    })
  }
  return errors
}

function checkContainerResize(
  errors: FieldError[],
  path: string,
  after: ResourceRequirements,
  before: ResourceRequirements,
): void {
  for (const field of ['requests', 'limits'] as const) {
    const removed = Object.keys(before[field] ?? {}).some((name) => after[field]?.[name] === undefined)
    if (removed) errors.push(forbiddenField(`${path}.${field}`, `resource ${field} cannot be removed`))
  }
}

function withoutCpuAndMemory(resources: ResourceRequirements = {}): unknown {
  const rest = (list: Record<string, unknown> = {}): unknown =>
    Object.fromEntries(Object.entries(list).filter(([name]) => name !== 'cpu' && name !== 'memory'))
  return { limits: rest(resources.limits), requests: rest(resources.requests), claims: resources.claims }
}
