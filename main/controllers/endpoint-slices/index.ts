// Tells the network which pods stand behind each service. Services without a selector are left to whoever made them.
import type { EndpointSlice, Pod, Service } from '../../../common/api/generated/types.ts'
import { createController, keysOf, mapChanges, needs } from '../../../common/client/controller.ts'
import { endpointSlices, nodes, pods, services } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { Expectations } from '../ownership/expectations.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { tolerate } from '../runtime/tolerate.ts'
import { namespaceIndex } from '../runtime/indexes.ts'
import { managedBy, managedByLabel, planSlices, serviceNameLabel } from './plan.ts'
import { selectedPods, selectsPods, servicesOfPods } from './service-pods.ts'

const byService = 'serviceName'

export const newEndpointSliceController: ControllerFactory = (deps) => {
  const name = 'endpointslice-controller'
  const client = deps.client(name)
  const events = deps.events(name)
  const serviceInformer = deps.informers.of(services, namespaceIndex)
  const podInformer = deps.informers.of(pods, namespaceIndex)
  const nodeInformer = deps.informers.of(nodes)
  const sliceInformer = deps.informers.of(endpointSlices, {
    [byService]: (slice) => [`${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[serviceNameLabel] ?? ''}`],
  })
  const expectations = new Expectations(sliceInformer, deps.clock)

  async function reconcile(key: string): Promise<void> {
    const service = serviceInformer.get(key)
    if (service === undefined) {
      expectations.forget(key)
      return
    }
    if (!selectsPods(service) || !expectations.satisfied(key)) return
    try {
      await applySlices(key, service, selectedPods(service, podInformer))
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
    const [pod] = plan.homeless
    // The node may be on its way: tried again.
    if (pod !== undefined)
      throw new Error(
        `skipping Pod ${pod.metadata.name ?? ''} for Service ${key}: Node ${pod.spec?.nodeName ?? ''} Not Found`,
      )
  }

  async function deleteSlice(slice: EndpointSlice): Promise<void> {
    const { name: sliceName = '', namespace, uid } = slice.metadata
    await client
      .delete(endpointSlices, sliceName, namespace, { preconditions: { uid } })
      .catch(tolerate('NotFound', 'Conflict'))
  }

  return createController({
    name,
    workers: 5,
    sources: [
      keysOf(serviceInformer),
      servicesOfPods(serviceInformer, podInformer),
      needs(nodeInformer),
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
