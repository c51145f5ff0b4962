// Mirrors Endpoints that people make by hand for services without a selector into EndpointSlices.
import type { EndpointSlice } from '../../../common/api/generated/types.ts'
import { createController, keysOf, mapChanges } from '../../../common/client/controller.ts'
import { endpointSlices, endpoints, services } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { managedByLabel, serviceNameLabel } from '../endpoint-slices/plan.ts'
import { Expectations } from '../ownership/expectations.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { tolerate } from '../runtime/tolerate.ts'
import { isMirrored, maxEndpointsPerSubset, mirroredBy, planMirror } from './plan.ts'

const byService = 'serviceName'

export const newEndpointSliceMirroringController: ControllerFactory = (deps) => {
  const name = 'endpointslice-mirroring-controller'
  const client = deps.client(name)
  const events = deps.events(name)
  const serviceInformer = deps.informers.of(services)
  const endpointsInformer = deps.informers.of(endpoints)
  const sliceInformer = deps.informers.of(endpointSlices, { [byService]: (slice) => [keyOfSlice(slice)] })
  const expectations = new Expectations(sliceInformer, deps.clock)
  const isOurs = (slice: EndpointSlice): boolean => slice.metadata.labels?.[managedByLabel] === mirroredBy

  async function reconcile(key: string): Promise<void> {
    if (!expectations.satisfied(key)) return
    const object = endpointsInformer.get(key)
    const slices = sliceInformer.byIndex(byService, key).filter(isOurs)
    const alive = slices.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    if (!isMirrored(object, serviceInformer.get(key))) {
      for (const slice of alive) await remove(key, slice)
      return
    }
    const plan = planMirror(object, alive)
    try {
      for (const slice of plan.create) expectations.created(key, await client.create(endpointSlices, slice))
      for (const slice of plan.update) expectations.created(key, await client.update(endpointSlices, slice))
      for (const slice of plan.delete) await remove(key, slice)
    } catch (error) {
      if (isReason(error, 'Forbidden')) return
      if (!isReason(error, 'Conflict'))
        events.event(
          object,
          'Warning',
          'FailedToUpdateEndpointSlices',
          `Error updating EndpointSlices for Endpoints ${key}: ${error instanceof Error ? error.message : String(error)}`,
        )
      throw error
    }
    if (plan.skipped > 0)
      events.event(
        object,
        'Warning',
        'TooManyAddressesToMirror',
        `A max of ${String(maxEndpointsPerSubset)} addresses can be mirrored to EndpointSlices per Endpoints subset. ${String(plan.skipped)} addresses were skipped`,
      )
  }

  async function remove(key: string, slice: EndpointSlice): Promise<void> {
    const { name: sliceName = '', namespace, uid } = slice.metadata
    await client
      .delete(endpointSlices, sliceName, namespace, { preconditions: { uid } })
      .catch(tolerate('NotFound', 'Conflict'))
    expectations.deleted(key, slice)
  }

  return createController({
    name,
    workers: 2,
    sources: [
      keysOf(serviceInformer),
      keysOf(endpointsInformer),
      mapChanges(sliceInformer, (slice) => (isOurs(slice) ? [keyOfSlice(slice)] : [])),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}

const keyOfSlice = (slice: EndpointSlice): string =>
  `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[serviceNameLabel] ?? ''}`
