// Which objects a quota with scopes is about.
import type {
  Container,
  PersistentVolumeClaim,
  Pod,
  ResourceQuotaSpec,
  ScopedResourceSelectorRequirement,
} from '../api/generated/types.ts'
import type { KubeObject } from '../machinery/meta.ts'
import { parseQuantity } from '../machinery/quantity.ts'
import type { CountedResource } from './usage.ts'

/** True when the object is within all scopes of the quota. A quota without scopes is about everything. */
export function inScope(spec: ResourceQuotaSpec | undefined, resource: CountedResource, object: KubeObject): boolean {
  return scopesOf(spec).every((scope) => matchesScope(scope, resource, object))
}

/** Plain scopes and the selector's in one form. */
export const scopesOf = (spec: ResourceQuotaSpec | undefined): ScopedResourceSelectorRequirement[] => [
  ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
  ...(spec?.scopeSelector?.matchExpressions ?? []),
]

export function matchesScope(
  { scopeName, operator, values = [] }: ScopedResourceSelectorRequirement,
  { group, resource }: CountedResource,
  object: KubeObject,
): boolean {
  if (group !== '') return false
  if (resource === 'persistentvolumeclaims') {
    const { spec } = object as KubeObject & PersistentVolumeClaim
    return scopeName === 'VolumeAttributesClass' && selects(operator, values, spec?.volumeAttributesClassName ?? '')
  }
  if (resource !== 'pods') return false
  const { spec } = object as KubeObject & Pod
  switch (scopeName) {
    case 'Terminating':
      return spec?.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds >= 0
    case 'NotTerminating':
      return spec?.activeDeadlineSeconds === undefined
    case 'BestEffort':
      return isBestEffort(object as KubeObject & Pod)
    case 'NotBestEffort':
      return !isBestEffort(object as KubeObject & Pod)
    case 'PriorityClass':
      return selects(operator, values, spec?.priorityClassName ?? '')
    case 'CrossNamespacePodAffinity':
      return crossesNamespaces(object as KubeObject & Pod)
    default:
      return false
  }
}

function selects(operator: string, values: readonly string[], value: string): boolean {
  switch (operator) {
    case 'In':
      return values.includes(value)
    case 'NotIn':
      return !values.includes(value)
    case 'DoesNotExist':
      return value === ''
    default:
      return value !== ''
  }
}

function isBestEffort({ spec }: Pod): boolean {
  const asks = (container: Pick<Container, 'resources'>): boolean =>
    [container.resources?.requests, container.resources?.limits].some((list) =>
      ['cpu', 'memory'].some((name) => list?.[name] !== undefined && parseQuantity(list[name]).nanos > 0n),
    )
  return ![...(spec?.containers ?? []), ...(spec?.initContainers ?? []), { resources: spec?.resources ?? {} }].some(
    asks,
  )
}

function crossesNamespaces({ spec }: Pod): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {}
  return [podAffinity, podAntiAffinity].some((affinity) =>
    [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => term.podAffinityTerm),
    ].some((term) => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined),
  )
}
