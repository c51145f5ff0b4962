// Tells the network which pods stand behind each service: EndpointSlices, and Endpoints for older clients.
// Services without a selector are left to whoever made them.
import type { EndpointSlice, Pod, Service } from '../../../common/api/generated/types.ts'
import type { KeySource } from '../../../common/client/controller.ts'
import { createController, keysOf, mapChanges, needs } from '../../../common/client/controller.ts'
import { endpointSlices, endpoints, nodes, pods, services } from '../../../common/client/resources.ts'
import { matchesLabels, selectorFromMap } from '../../../common/machinery/labels.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { Expectations } from '../ownership/expectations.ts'
import { isPodFinished, isPodReady } from '../pods/pod-state.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { byNamespace, namespaceIndex } from '../runtime/indexes.ts'
import { managedBy, managedByLabel, planSlices, serviceNameLabel } from './plan.ts'
import { endpointsManagedByLabel, planEndpoints } from './plan-endpoints.ts'

/** Pod changes are gathered for this long: a rollout touches one service many times in a moment. */
const batchMs = 20
const byService = 'serviceName'

export const newEndpointSliceController: ControllerFactory = (deps) => {
  const name = 'endpointslice-controller'
  const client = deps.client(name)
  const events = deps.events(name)
  const serviceInformer = deps.informers.of(services, namespaceIndex)
  const podInformer = deps.informers.of(pods, namespaceIndex)
  const nodeInformer = deps.informers.of(nodes)
  const endpointsInformer = deps.informers.of(endpoints)
  const sliceInformer = deps.informers.of(endpointSlices, {
    [byService]: (slice) => [`${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[serviceNameLabel] ?? ''}`],
  })
  const expectations = new Expectations(sliceInformer, deps.clock)

  const servicesOf = (pod: Pod): string[] =>
    serviceInformer
      .byIndex(byNamespace, pod.metadata.namespace ?? '')
      .filter((service) => matchesLabels(selectorFromMap(service.spec?.selector), pod.metadata.labels))
      .map(objectKey)

  const podSource: KeySource = {
    synced: podInformer.synced,
    attach: (enqueue) => {
      const tell = (keys: Iterable<string>): void => {
        for (const key of keys) enqueue(key, batchMs)
      }
      return podInformer.subscribe({
        onAdd: (pod) => {
          tell(servicesOf(pod))
        },
        onUpdate: (pod, old) => {
          if (endpointFacts(pod) !== endpointFacts(old)) tell(new Set([...servicesOf(pod), ...servicesOf(old)]))
        },
        onDelete: (pod) => {
          tell(servicesOf(pod))
        },
      })
    },
  }

  async function reconcile(key: string): Promise<void> {
    const service = serviceInformer.get(key)
    if (service === undefined) {
      expectations.forget(key)
      await removeEndpoints(key)
      return
    }
    if (
      service.spec?.selector === undefined ||
      service.spec.type === 'ExternalName' ||
      service.metadata.deletionTimestamp !== undefined
    )
      return
    if (!expectations.satisfied(key)) return
    const selector = selectorFromMap(service.spec.selector)
    const selected = podInformer
      .byIndex(byNamespace, service.metadata.namespace ?? '')
      .filter((pod) => matchesLabels(selector, pod.metadata.labels))
    try {
      await applySlices(key, service, selected)
      await applyEndpoints(key, service, selected)
    } catch (error) {
      if (isReason(error, 'Forbidden')) return
      if (!isReason(error, 'Conflict')) {
        const message = error instanceof Error ? error.message : String(error)
        events.event(
          service,
          'Warning',
          'FailedToUpdateEndpointSlices',
          `Error updating Endpoint Slices for Service ${key}: ${message}`,
        )
      }
      throw error
    }
  }

  async function applySlices(key: string, service: Service, selected: readonly Pod[]): Promise<void> {
    const ours = sliceInformer
      .byIndex(byService, key)
      .filter(
        (slice) =>
          slice.metadata.labels?.[managedByLabel] === managedBy && slice.metadata.deletionTimestamp === undefined,
      )
    const plan = planSlices(service, selected, ours, (nodeName) => nodeInformer.get(nodeName))
    for (const slice of plan.create) expectations.created(key, await client.create(endpointSlices, slice))
    for (const slice of plan.update) expectations.created(key, await client.update(endpointSlices, slice))
    for (const slice of plan.delete) {
      await deleteSlice(slice)
      expectations.deleted(key, slice)
    }
  }

  async function deleteSlice(slice: EndpointSlice): Promise<void> {
    const { name: sliceName = '', namespace, uid } = slice.metadata
    await client.delete(endpointSlices, sliceName, namespace, { preconditions: { uid } }).catch(ignoreGone)
  }

  async function applyEndpoints(key: string, service: Service, selected: readonly Pod[]): Promise<void> {
    const existing = endpointsInformer.get(key)
    const wanted = planEndpoints(service, selected, existing)
    if (wanted === undefined) return
    if (existing === undefined) await client.create(endpoints, wanted)
    else await client.update(endpoints, wanted)
  }

  /** Endpoints have no owner reference; the service's name is the only tie. */
  async function removeEndpoints(key: string): Promise<void> {
    const existing = endpointsInformer.get(key)
    if (existing?.metadata.labels?.[endpointsManagedByLabel] === undefined) return
    await client.delete(endpoints, existing.metadata.name ?? '', existing.metadata.namespace).catch(ignoreGone)
  }

  return createController({
    name,
    workers: 5,
    sources: [
      keysOf(serviceInformer),
      podSource,
      needs(nodeInformer),
      mapChanges(endpointsInformer, (object, _old, change) => (change === 'add' ? [] : [objectKey(object)])),
      mapChanges(sliceInformer, (slice, _old, change) =>
        change === 'add' || slice.metadata.labels?.[managedByLabel] !== managedBy
          ? []
          : [`${slice.metadata.namespace ?? ''}/${slice.metadata.labels[serviceNameLabel] ?? ''}`],
      ),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}

/** What of a pod shows in endpoints; other changes need no work. */
function endpointFacts(pod: Pod): string {
  const { deletionTimestamp, labels } = pod.metadata
  const { nodeName = '', hostname = '', subdomain = '' } = pod.spec ?? {}
  return JSON.stringify([
    pod.status?.podIP ?? '',
    isPodReady(pod),
    isPodFinished(pod),
    deletionTimestamp !== undefined,
    nodeName,
    hostname,
    subdomain,
    labels,
  ])
}

function ignoreGone(error: unknown): void {
  if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
}
