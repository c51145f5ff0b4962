// The older Endpoints object of each service with a selector, for clients that still read it.
import { createController, keysOf, mapChanges } from '../../../common/client/controller.ts'
import { endpoints, pods, services } from '../../../common/client/resources.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { selectedPods, selectsPods, servicesOfPods } from '../endpoint-slices/service-pods.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { tolerate } from '../runtime/tolerate.ts'
import { namespaceIndex } from '../runtime/indexes.ts'
import { endpointsManagedByLabel, planEndpoints } from './plan.ts'

export const newEndpointsController: ControllerFactory = (deps) => {
  const name = 'endpoint-controller'
  const client = deps.client(name)
  const events = deps.events(name)
  const serviceInformer = deps.informers.of(services, namespaceIndex)
  const podInformer = deps.informers.of(pods, namespaceIndex)
  const endpointsInformer = deps.informers.of(endpoints)

  async function reconcile(key: string): Promise<void> {
    const service = serviceInformer.get(key)
    const existing = endpointsInformer.get(key)
    if (service === undefined) {
      // Endpoints have no owner reference; the service's name is the only tie.
      if (existing?.metadata.labels?.[endpointsManagedByLabel] === undefined) return
      await client
        .delete(endpoints, existing.metadata.name ?? '', existing.metadata.namespace)
        .catch(tolerate('NotFound', 'Conflict'))
      return
    }
    if (!selectsPods(service)) return
    const wanted = planEndpoints(service, selectedPods(service, podInformer), existing)
    if (wanted === undefined) return
    try {
      if (existing === undefined) await client.create(endpoints, wanted)
      else await client.update(endpoints, wanted)
    } catch (error) {
      // The namespace is ending.
      if (isReason(error, 'Forbidden')) return
      if (!isReason(error, 'Conflict') && !isReason(error, 'AlreadyExists')) {
        const message = error instanceof Error ? error.message : String(error)
        const [reason, what] =
          existing === undefined
            ? ['FailedToCreateEndpoint', 'create endpoint for service']
            : ['FailedToUpdateEndpoint', 'update endpoint']
        events.event(wanted, 'Warning', reason, `Failed to ${what} ${key}: ${message}`)
      }
      throw error
    }
  }

  return createController({
    name,
    workers: 5,
    sources: [
      keysOf(serviceInformer),
      servicesOfPods(serviceInformer, podInformer),
      // Also what a service left behind while nobody watched.
      mapChanges(endpointsInformer, (object, _old, change) =>
        change === 'add' && serviceInformer.get(objectKey(object)) !== undefined ? [] : [objectKey(object)],
      ),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
