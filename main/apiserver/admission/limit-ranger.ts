// LimitRanger: what a namespace's limit ranges say about its pods and claims: defaults filled in, bounds kept.
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
} from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { compareQuantities, formatQuantity, parseQuantity, type Quantity } from '../../../common/machinery/quantity.ts'
import { forbidden } from '../../../common/machinery/status.ts'
import { podResources } from '../../../common/quota/pod-resources.ts'
import { type Amounts, readAmounts } from '../../../common/quota/resource-amounts.ts'
import { type AdmissionAttributes, type AdmissionPlugin, concernsCore, isCreate } from './admission.ts'
import { byNamespace, StoredConfigurations } from './stored-configurations.ts'

const annotation = 'kubernetes.io/limit-ranger'

export function limitRanger(): AdmissionPlugin {
  const ranges = new StoredConfigurations('', 'limitranges', byNamespace)
  const itemsOf = ({ registry, namespace }: AdmissionAttributes): LimitRangeItem[] =>
    (ranges.get(registry).get(namespace) ?? []).flatMap((object) => (object as LimitRange).spec?.limits ?? [])
  return {
    name: 'LimitRanger',
    concerns: concernsCore('pods', 'persistentvolumeclaims'),
    mutate(attributes) {
      if (!isCreate(attributes) || attributes.resourceName.resource !== 'pods') return false
      const items = itemsOf(attributes).filter(({ type }) => type === 'Container')
      return items.length > 0 && setDefaults(attributes.object as KubeObject & Pod, items)
    },
    validate(attributes) {
      const { resourceName, object, operation, subresource, name } = attributes
      if (object === undefined || operation === 'DELETE') return
      const isPod = resourceName.resource === 'pods'
      if (isPod ? !isCreate(attributes) && subresource !== 'resize' : subresource !== '') return
      const errors = itemsOf(attributes).flatMap((item) =>
        isPod
          ? podErrors(item, object as KubeObject & Pod)
          : claimErrors(item, object as KubeObject & PersistentVolumeClaim),
      )
      if (errors.length === 0) return
      throw forbidden(
        resourceName,
        name,
        errors.length === 1 ? errors.join('') : `[${[...new Set(errors)].join(', ')}]`,
      )
    },
  }
}

function setDefaults(pod: KubeObject & Pod, items: readonly LimitRangeItem[]): boolean {
  const requests = Object.assign({}, ...items.map((item) => item.defaultRequest ?? {})) as Record<string, string>
  const limits = Object.assign({}, ...items.map((item) => item.default ?? {})) as Record<string, string>
  const notes: string[] = []
  const fill = (container: Container, what: string): void => {
    const given = container.resources ?? {}
    const missing = (defaults: Record<string, string>, own: object | undefined): string[] =>
      Object.keys(defaults)
        .filter((name) => own === undefined || !Object.hasOwn(own, name))
        .sort()
    const newRequests = missing(requests, given.requests)
    const newLimits = missing(limits, given.limits)
    if (newRequests.length === 0 && newLimits.length === 0) return
    container.resources = {
      ...given,
      ...(newRequests.length > 0 ? { requests: { ...requests, ...given.requests } } : {}),
      ...(newLimits.length > 0 ? { limits: { ...limits, ...given.limits } } : {}),
    }
    if (newRequests.length > 0) notes.push(`${newRequests.join(', ')} request for ${what} ${container.name}`)
    if (newLimits.length > 0) notes.push(`${newLimits.join(', ')} limit for ${what} ${container.name}`)
  }
  for (const container of pod.spec?.containers ?? []) fill(container, 'container')
  for (const container of pod.spec?.initContainers ?? []) fill(container, 'init container')
  if (notes.length === 0) return false
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [annotation]: `LimitRanger plugin set: ${notes.join('; ')}`,
  }
  return true
}

function podErrors(item: LimitRangeItem, pod: KubeObject & Pod): string[] {
  if (item.type === 'Pod') return boundErrors(item, podResources(pod, 'requests'), podResources(pod, 'limits'))
  if (item.type !== 'Container') return []
  return [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].flatMap(({ resources }) =>
    boundErrors(item, readAmounts(resources?.requests), readAmounts(resources?.limits)),
  )
}

function boundErrors(item: LimitRangeItem, requests: Amounts, limits: Amounts): string[] {
  const per = item.type
  const errors: string[] = []
  for (const [name, min] of readAmounts(item.min)) {
    const bound = `minimum ${name} usage per ${per} is ${formatQuantity(min)}`
    const request = requests.get(name)
    const limit = limits.get(name)
    if (request === undefined) errors.push(`${bound}.  No request is specified`)
    else if (compareQuantities(request, min) < 0) errors.push(`${bound}, but request is ${formatQuantity(request)}`)
    else if (limit !== undefined && compareQuantities(limit, min) < 0)
      errors.push(`${bound}, but limit is ${formatQuantity(limit)}`)
  }
  for (const [name, max] of readAmounts(item.max)) {
    const bound = `maximum ${name} usage per ${per} is ${formatQuantity(max)}`
    const request = requests.get(name)
    const limit = limits.get(name)
    if (limit === undefined) errors.push(`${bound}.  No limit is specified`)
    else if (compareQuantities(limit, max) > 0) errors.push(`${bound}, but limit is ${formatQuantity(limit)}`)
    else if (request !== undefined && compareQuantities(request, max) > 0)
      errors.push(`${bound}, but request is ${formatQuantity(request)}`)
  }
  for (const [name, ratio] of readAmounts(item.maxLimitRequestRatio))
    errors.push(
      ...ratioErrors(
        `${name} max limit to request ratio per ${per} is ${formatQuantity(ratio)}`,
        ratio,
        requests.get(name),
        limits.get(name),
      ),
    )
  return errors
}

function ratioErrors(
  bound: string,
  ratio: Quantity,
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string[] {
  if (request === undefined || request.nanos === 0n) return [`${bound}, but no request is specified or request is 0`]
  if (limit === undefined || limit.nanos === 0n) return [`${bound}, but no limit is specified or limit is 0`]
  const actual = Number(limit.nanos) / Number(request.nanos)
  return actual > Number(ratio.nanos) / 1e9 ? [`${bound}, but provided ratio is ${actual.toFixed(6)}`] : []
}

function claimErrors(item: LimitRangeItem, claim: KubeObject & PersistentVolumeClaim): string[] {
  if (item.type !== 'PersistentVolumeClaim') return []
  const asked = claim.spec?.resources?.requests?.['storage']
  const request = asked === undefined ? undefined : parseQuantity(asked)
  const errors: string[] = []
  for (const [field, word, sign] of [
    ['min', 'minimum', -1],
    ['max', 'maximum', 1],
  ] as const) {
    const given = item[field]?.['storage']
    if (given === undefined) continue
    const bound = `${word} storage usage per PersistentVolumeClaim is ${formatQuantity(parseQuantity(given))}`
    if (request === undefined) errors.push(`${bound}.  No request is specified`)
    else if (compareQuantities(request, given) * sign > 0)
      errors.push(`${bound}, but request is ${formatQuantity(request)}`)
  }
  return errors
}
