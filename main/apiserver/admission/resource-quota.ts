// ResourceQuota: what a write uses more is taken from the namespace's quotas first, by compare-and-swap of their status, so that
// writers at the same time cannot use the same room twice. What a failed write took is given back by the quota controller's recount.
import type { Container, Pod, ResourceQuota } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { compareQuantities } from '../../../common/machinery/quantity.ts'
import { forbidden, isReason } from '../../../common/machinery/status.ts'
import {
  addAmounts,
  type Amounts,
  describeAmounts,
  readAmounts,
  selectAmounts,
  subtractAmounts,
  writeAmounts,
} from '../../../common/quota/resource-amounts.ts'
import { inScope } from '../../../common/quota/scopes.ts'
import { matchingNames, usageOf } from '../../../common/quota/usage.ts'
import type { UserInfo } from '../apiserver.ts'
import { lookupAll, type Registry } from '../registry/context.ts'
import { updateObject } from '../registry/update.ts'
import { type AdmissionAttributes, type AdmissionPlugin, isCreate } from './admission.ts'
import { type LimitedResource, requireCovered } from './quota-coverage.ts'
import { byNamespace, StoredConfigurations } from './stored-configurations.ts'

type Quota = KubeObject & ResourceQuota
interface Charge {
  readonly quota: string
  readonly amounts: Amounts
}

const user: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

export function resourceQuota(limited: readonly LimitedResource[]): AdmissionPlugin {
  /** Charges of one namespace go one after the other: they would only undo each other's compare-and-swap. */
  const turns = new Map<string, Promise<void>>()
  const quotas = new StoredConfigurations('', 'resourcequotas', byNamespace)
  return {
    name: 'ResourceQuota',
    // Quotas live in namespaces; events and the like would be counted on every step of the system.
    concerns: ({ group, resource }) => !(resource === 'events' && (group === '' || group === 'events.k8s.io')),
    validate(attributes) {
      const { registry, namespace, resource, request } = attributes
      if (!resource.namespaced || !isCharged(attributes)) return
      if (!quotas.get(registry).has(namespace) && limited.length === 0) return
      requireCovered(attributes, limited)
      if (!quotas.get(registry).has(namespace)) return
      if (request.dryRun) {
        chargesOf(attributes)
        return
      }
      const turn = (turns.get(namespace) ?? Promise.resolve()).then(() => charge(attributes))
      const settled = turn.catch(() => undefined)
      turns.set(namespace, settled)
      void settled.then(() => {
        if (turns.get(namespace) === settled) turns.delete(namespace)
      })
      return turn
    },
  }
}

/** Creates of everything; updates of what may grow. */
function isCharged(attributes: AdmissionAttributes): boolean {
  if (isCreate(attributes)) return true
  const { operation, subresource, resourceName } = attributes
  if (operation !== 'UPDATE' || resourceName.group !== '') return false
  if (resourceName.resource === 'pods') return subresource === 'resize'
  return (
    subresource === '' && (resourceName.resource === 'services' || resourceName.resource === 'persistentvolumeclaims')
  )
}

const attempts = 8

async function charge(attributes: AdmissionAttributes): Promise<void> {
  // Reserved already, should a later quota lose a race: it is not taken twice.
  const done = new Set<string>()
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const { quota, amounts } of chargesOf(attributes)) {
        if (done.has(quota)) continue
        await take(attributes.registry, attributes.namespace, quota, amounts)
        done.add(quota)
      }
      return
    } catch (error) {
      if (!isReason(error, 'Conflict') || attempt === attempts) throw error
    }
  }
}

async function take(registry: Registry, namespace: string, name: string, amounts: Amounts): Promise<void> {
  const resource = registry.resources.find('', 'v1', 'resourcequotas')
  const seen = lookupAll(registry, '', 'resourcequotas', namespace).find(({ object }) => object.metadata.name === name)
  if (resource === undefined || seen === undefined) return
  await updateObject(registry, resource, {
    namespace,
    name,
    subresource: 'status',
    strategy: resource.kind.status,
    change: (current) => {
      const copy = current.copy() as Quota
      // The decision was made on this revision: another one is a conflict, and the decision is made again.
      copy.metadata.resourceVersion = String(seen.revision)
      copy.status = { ...copy.status, used: writeAmounts(addAmounts(readAmounts(copy.status?.used), amounts)) }
      return copy
    },
    request: { user, dryRun: false, fieldManager: 'kube-apiserver', warn: () => undefined },
  })
}

/** What each quota of the namespace is to be charged; throws Forbidden when one has too little room. */
function chargesOf(attributes: AdmissionAttributes): Charge[] {
  const { registry, namespace, resourceName, object, old } = attributes
  if (object === undefined) return []
  const now = registry.clock.now()
  const charges: Charge[] = []
  const quotas = lookupAll(registry, '', 'resourcequotas', namespace).map((stored) => stored.object as Quota)
  for (const quota of quotas) {
    if (!inScope(quota.spec, resourceName, object)) continue
    const names = new Set(matchingNames(resourceName, Object.keys(quota.status?.hard ?? {})))
    if (names.size === 0) continue
    if (isCreate(attributes)) requireDeclared(attributes, quota, names)
    const after = usageOf(resourceName, object, now)
    // An object that only now comes into the quota's scope is all new to it.
    const before =
      old !== undefined && inScope(quota.spec, resourceName, old) ? usageOf(resourceName, old, now) : new Map()
    const delta = selectAmounts(subtractAmounts(after, before), (name) => names.has(name))
    const grows = selectAmounts(delta, (name) => (delta.get(name)?.nanos ?? 0n) > 0n)
    if (grows.size === 0) continue
    requireRoom(attributes, quota, grows, names)
    charges.push({
      quota: quota.metadata.name ?? '',
      amounts: selectAmounts(delta, (name) => delta.get(name)?.nanos !== 0n),
    })
  }
  return charges
}

function requireRoom(
  { resourceName, name }: AdmissionAttributes,
  { metadata, status }: Quota,
  delta: Amounts,
  names: ReadonlySet<string>,
): void {
  const quotaName = metadata.name ?? ''
  const hard = readAmounts(status?.hard)
  const used = readAmounts(status?.used)
  const unknown = [...names].filter((resource) => !used.has(resource)).sort()
  if (unknown.length > 0)
    throw forbidden(resourceName, name, `status unknown for quota: ${quotaName}, resources: ${unknown.join(',')}`)
  const total = addAmounts(used, delta)
  const exceeded = (resource: string): boolean => {
    const limit = hard.get(resource)
    const wanted = total.get(resource)
    return delta.has(resource) && limit !== undefined && wanted !== undefined && compareQuantities(wanted, limit) > 0
  }
  const requested = selectAmounts(delta, exceeded)
  if (requested.size === 0) return
  const of = (amounts: Amounts): string => describeAmounts(selectAmounts(amounts, exceeded))
  throw forbidden(
    resourceName,
    name,
    `exceeded quota: ${quotaName}, requested: ${of(requested)}, used: ${of(used)}, limited: ${of(hard)}`,
  )
}

const declared = /^(?:(?:requests|limits)\.)?(?:cpu|memory)$/

/** Where cpu or memory is limited, every container says how much it takes. */
function requireDeclared(
  { resourceName, name, object }: AdmissionAttributes,
  quota: Quota,
  names: ReadonlySet<string>,
): void {
  if (resourceName.group !== '' || resourceName.resource !== 'pods') return
  const { spec } = object as KubeObject & Pod
  const missing = new Map<string, string[]>()
  for (const resource of [...names].filter((one) => declared.test(one)).sort()) {
    if (declares(spec ?? { containers: [] }, resource)) continue
    const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].filter(
      (one) => !declares(one, resource),
    )
    if (containers.length > 0) missing.set(resource, containers.map((container) => container.name).sort())
  }
  if (missing.size === 0) return
  const what = [...missing].map(([resource, containers]) => `${resource} for: ${containers.join(',')}`).join('; ')
  throw forbidden(resourceName, name, `failed quota: ${quota.metadata.name ?? ''}: must specify ${what}`)
}

/** "cpu" is declared by a request or a limit's default request: the request alone counts; "limits.cpu" by a limit. */
function declares({ resources }: Pick<Container, 'resources'>, resource: string): boolean {
  const list = resource.startsWith('limits.') ? resources?.limits : resources?.requests
  return list?.[resource.replace(/^(?:requests|limits)\./, '')] !== undefined
}
