// What an object uses of a namespace's quota. Source of the names: pkg/quota/v1/evaluator/core.
import type { PersistentVolumeClaim, Pod, ResourceV1ResourceClaim, Service } from '../api/generated/types.ts'
import type { KubeObject } from '../machinery/meta.ts'
import { parseQuantity, type Quantity } from '../machinery/quantity.ts'
import { claimDevices, isDeviceName } from './claim-devices.ts'
import { podResources } from './pod-resources.ts'

export interface CountedResource {
  readonly group: string
  readonly resource: string
}

const one: Quantity = parseQuantity('1')

/** "count/deployments.apps", "count/secrets". */
export const countName = ({ group, resource }: CountedResource): string =>
  `count/${resource}${group === '' ? '' : `.${group}`}`

const isResourceClaims = ({ group, resource }: CountedResource): boolean =>
  group === 'resource.k8s.io' && resource === 'resourceclaims'

/** Kinds of the core group that also count under their plain name. */
const plainNames = new Set(['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas'])

/** Usage by quota resource name; `now` decides whether a pod that is being deleted still counts. */
export function usageOf(resource: CountedResource, object: KubeObject, now: number): Map<string, Quantity> {
  const usage = new Map([[countName(resource), one]])
  if (isResourceClaims(resource))
    for (const [name, value] of claimDevices(object as KubeObject & ResourceV1ResourceClaim)) usage.set(name, value)
  if (resource.group !== '') return usage
  if (plainNames.has(resource.resource)) usage.set(resource.resource, one)
  else if (resource.resource === 'pods') addPod(usage, object as KubeObject & Pod, now)
  else if (resource.resource === 'services') addService(usage, object as KubeObject & Service)
  else if (resource.resource === 'persistentvolumeclaims') addClaim(usage, object as KubeObject & PersistentVolumeClaim)
  return usage
}

/** Finished pods, and those whose grace is long over, hold nothing. */
export function podCounts({ metadata, status }: Pod, now: number): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return false
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata ?? {}
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true
  return now <= Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
}

function addPod(usage: Map<string, Quantity>, pod: KubeObject & Pod, now: number): void {
  if (!podCounts(pod, now)) return
  usage.set('pods', one)
  for (const [name, value] of podResources(pod, 'requests')) {
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-'))
      usage.set(name, value)
    usage.set(`requests.${name}`, value)
  }
  for (const [name, value] of podResources(pod, 'limits'))
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage') usage.set(`limits.${name}`, value)
}

function addService(usage: Map<string, Quantity>, { spec }: Service): void {
  const count = (value: number): Quantity => parseQuantity(String(value))
  const ports = spec?.ports ?? []
  const isBalancer = spec?.type === 'LoadBalancer'
  const withNodePort =
    spec?.type === 'NodePort'
      ? ports.length
      : isBalancer
        ? spec.allocateLoadBalancerNodePorts === false
          ? ports.filter(({ nodePort }) => (nodePort ?? 0) !== 0).length
          : ports.length
        : 0
  usage.set('services', one)
  usage.set('services.nodeports', count(withNodePort))
  usage.set('services.loadbalancers', count(isBalancer ? 1 : 0))
}

function addClaim(usage: Map<string, Quantity>, { spec, status, metadata }: KubeObject & PersistentVolumeClaim): void {
  const storageClass = spec?.storageClassName ?? metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? ''
  const names = (name: string): string[] =>
    storageClass === '' ? [name] : [name, `${storageClass}.storageclass.storage.k8s.io/${name}`]
  for (const name of names('persistentvolumeclaims')) usage.set(name, one)
  const asked = spec?.resources?.requests?.['storage']
  if (asked === undefined) return
  // What a resize was already promised counts even when less is asked for again.
  const allocated = status?.allocatedResources?.['storage']
  const requested = parseQuantity(asked)
  const promised = allocated === undefined ? requested : parseQuantity(allocated)
  const value = promised.nanos > requested.nanos ? promised : requested
  for (const name of names('requests.storage')) usage.set(name, value)
}

/** Whether a quota on these resource names is about objects of this resource. */
export function matchingNames(resource: CountedResource, hard: Iterable<string>): string[] {
  return [...hard].filter((name) => name === countName(resource) || isOwnName(resource, name))
}

function isOwnName(counted: CountedResource, name: string): boolean {
  const { group, resource } = counted
  if (group !== '') return isResourceClaims(counted) && isDeviceName(name)
  if (plainNames.has(resource)) return name === resource
  switch (resource) {
    case 'pods':
      return (
        /^(?:pods|cpu|memory|ephemeral-storage|(?:requests|limits)\.(?:cpu|memory|ephemeral-storage))$/.test(name) ||
        /^(?:requests\.)?hugepages-/.test(name) ||
        (name.startsWith('requests.') && name.includes('/'))
      )
    case 'services':
      return /^services(?:\.(?:nodeports|loadbalancers))?$/.test(name)
    case 'persistentvolumeclaims':
      return /^(?:.+\.storageclass\.storage\.k8s\.io\/)?(?:persistentvolumeclaims|requests\.storage)$/.test(name)
    default:
      return false
  }
}
