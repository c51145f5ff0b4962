// Pure: a quota's status from what its namespace holds.
import type { ResourceQuota, ResourceQuotaStatus } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { compareQuantities, parseQuantity, type Quantity } from '../../../common/machinery/quantity.ts'
import { addAmounts, readAmounts, selectAmounts, writeAmounts } from '../../../common/quota/resource-amounts.ts'
import { inScope } from '../../../common/quota/scopes.ts'
import { matchingNames, usageOf, type CountedResource } from '../../../common/quota/usage.ts'

/** Resources of the core group that are counted by more than `count/…`. */
const measured: readonly CountedResource[] = [
  'pods',
  'services',
  'persistentvolumeclaims',
  'configmaps',
  'secrets',
  'replicationcontrollers',
  'resourcequotas',
].map((resource) => ({ group: '', resource }))

/** The resources whose objects a quota has to look at. */
export function resourcesOf(quota: ResourceQuota): CountedResource[] {
  const names = Object.keys(quota.spec?.hard ?? {})
  const counted = names
    .filter((name) => name.startsWith('count/'))
    .map((name): CountedResource => {
      const [resource = '', ...group] = name.slice('count/'.length).split('.')
      return { group: group.join('.'), resource }
    })
  const known = measured.filter((resource) => matchingNames(resource, names).length > 0)
  return [
    ...known,
    ...counted.filter(
      ({ group, resource }) => !known.some((other) => other.group === group && other.resource === resource),
    ),
  ]
}

/** `objectsOf`: of the quota's namespace; undefined when the server has no such resource (its count then stays unsaid). */
export function planQuota(
  quota: ResourceQuota,
  objectsOf: (resource: CountedResource) => readonly KubeObject[] | undefined,
  nowMs: number,
): ResourceQuotaStatus {
  const hard = quota.spec?.hard ?? {}
  let used = new Map<string, Quantity>()
  for (const resource of resourcesOf(quota)) {
    const objects = objectsOf(resource)
    if (objects === undefined) continue
    const names = new Set(matchingNames(resource, Object.keys(hard)))
    let own = new Map<string, Quantity>()
    for (const name of names) own.set(name, { nanos: 0n, format: parseQuantity(hard[name] ?? 0).format })
    for (const object of objects) {
      if (!inScope(quota.spec, resource, object)) continue
      own = addAmounts(
        own,
        selectAmounts(usageOf(resource, object, nowMs), (name) => names.has(name)),
      )
    }
    used = addAmounts(used, own)
  }
  return { hard: { ...hard }, used: writeAmounts(used) }
}

/** Equal as amounts, however they are written. */
export function sameStatus(a: ResourceQuotaStatus | undefined, b: ResourceQuotaStatus): boolean {
  return sameAmounts(a?.hard, b.hard) && sameAmounts(a?.used, b.used)
}

function sameAmounts(a: ResourceQuotaStatus['used'], b: ResourceQuotaStatus['used']): boolean {
  const left = readAmounts(a)
  const right = readAmounts(b)
  return (
    left.size === right.size &&
    [...left].every(([name, value]) => {
      const other = right.get(name)
      return other !== undefined && compareQuantities(value, other) === 0
    })
  )
}
