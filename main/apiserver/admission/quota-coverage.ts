// What ResourceQuota's configuration limits: resources that may be used only where some quota counts them.
import type { ResourceQuota, ScopedResourceSelectorRequirement } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { forbidden } from '../../../common/machinery/status.ts'
import { inScope } from '../../../common/quota/scopes.ts'
import { matchingNames, usageOf } from '../../../common/quota/usage.ts'
import { lookupAll } from '../registry/context.ts'
import type { AdmissionAttributes } from './admission.ts'
import { type PluginConfiguration, requireKind } from './configuration.ts'

export interface LimitedResource {
  readonly apiGroup?: string
  readonly resource: string
  /** Parts of the names of limited amounts ("requests.storage"). */
  readonly matchContains?: readonly string[]
  readonly matchScopes?: readonly ScopedResourceSelectorRequirement[]
}

export function readLimitedResources(configuration: PluginConfiguration | undefined): readonly LimitedResource[] {
  if (configuration === undefined) return []
  requireKind(configuration, 'apiserver.config.k8s.io', 'ResourceQuotaConfiguration')
  const { limitedResources = [] } = configuration.content as { limitedResources?: readonly LimitedResource[] }
  limitedResources.forEach((limited: Partial<LimitedResource>, index) => {
    if ((limited.resource ?? '') === '') throw new Error(`limitedResources[${String(index)}].resource: Required value`)
  })
  return limitedResources
}

/** Throws Forbidden when the object uses something limited that no quota of its namespace counts. */
export function requireCovered(attributes: AdmissionAttributes, limited: readonly LimitedResource[]): void {
  const { registry, namespace, resourceName, name, object } = attributes
  const concerned = limited.filter(
    ({ apiGroup = '', resource }) => apiGroup === resourceName.group && resource === resourceName.resource,
  )
  if (concerned.length === 0 || object === undefined) return
  const used = [...usageOf(resourceName, object, registry.clock.now()).keys()]
  const names = used.filter((one) =>
    concerned.some(({ matchContains = [] }) => matchContains.some((part) => one.includes(part))),
  )
  const scopes = concerned
    .flatMap(({ matchScopes = [] }) => matchScopes)
    .filter((scope) => inScope({ scopeSelector: { matchExpressions: [scope] } }, resourceName, object))
  const quotas = lookupAll(registry, '', 'resourcequotas', namespace)
    .map((stored) => stored.object as KubeObject & ResourceQuota)
    .filter(({ spec }) => inScope(spec, resourceName, object))
  const counted = new Set(quotas.flatMap(({ status }) => matchingNames(resourceName, Object.keys(status?.hard ?? {}))))
  const uncounted = names.filter((one) => !counted.has(one)).sort()
  if (uncounted.length > 0) throw forbidden(resourceName, name, `insufficient quota to consume: ${uncounted.join(',')}`)
  const covered = new Set(
    quotas.flatMap(({ spec }) => (spec?.scopeSelector?.matchExpressions ?? []).map(({ scopeName }) => scopeName)),
  )
  const uncovered = scopes.filter(({ scopeName }) => !covered.has(scopeName))
  if (uncovered.length === 0) return
  const shown = uncovered.map(
    ({ scopeName, operator, values = [] }) => `{${scopeName} ${operator} [${values.join(' ')}]}`,
  )
  throw forbidden(resourceName, name, `insufficient quota to match these scopes: [${shown.join(' ')}]`)
}
