// Warnings about pods that are valid but likely not meant so.
import type { Pod, PodSpec } from '../../../../common/api/generated/types.ts'

export const podWarnings = ({ spec, metadata }: Pod): string[] =>
  spec === undefined ? [] : podSpecWarnings('spec', spec, metadata.annotations)

export function podSpecWarnings(
  path: string,
  spec: PodSpec,
  annotations: Readonly<Record<string, string>> = {},
): string[] {
  const warnings: string[] = []
  for (const key of ['beta.kubernetes.io/os', 'beta.kubernetes.io/arch']) {
    if (spec.nodeSelector?.[key] !== undefined) {
      const stable = key.replace('beta.', '')
      warnings.push(`${path}.nodeSelector[${key}]: deprecated since v1.14; use "${stable}" instead`)
    }
  }
  if (annotations['scheduler.alpha.kubernetes.io/critical-pod'] !== undefined) {
    warnings.push(
      'metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
    )
  }
  if (spec.terminationGracePeriodSeconds !== undefined && spec.terminationGracePeriodSeconds < 0) {
    warnings.push(
      `${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    )
  }
  for (const field of ['initContainers', 'containers'] as const) {
    spec[field]?.forEach(({ env = [] }, index) => {
      const seen = new Set<string>()
      env.forEach(({ name }, position) => {
        const at = `${path}.${field}[${String(index)}].env[${String(position)}]`
        if (seen.has(name))
          warnings.push(`${at}: hides previous definition of "${name}", which may be dropped when using apply`)
        seen.add(name)
      })
    })
  }
  spec.volumes?.forEach(({ gitRepo }, index) => {
    if (gitRepo !== undefined)
      warnings.push(`${path}.volumes[${String(index)}].gitRepo: deprecated in v1.11, and disabled by default in v1.33+`)
  })
  return warnings
}
