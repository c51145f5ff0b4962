// A controller that looks at the objects of one resource, each by itself.
import type { ResourceRef } from '../../../common/client/client.ts'
import type { Controller, ControllerOptions, KeySource, ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf } from '../../../common/client/controller.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { ControllerDeps } from './deps.ts'

export interface PerObjectOptions<T extends KubeObject> extends Pick<
  ControllerOptions,
  'name' | 'workers' | 'baseDelayMs' | 'maxDelayMs'
> {
  readonly resource: ResourceRef<T>
  /** What else makes an object worth looking at, as keys of objects. */
  readonly also?: readonly KeySource[]
  /** `object` is the informer's copy; those that are gone are not asked about. */
  readonly reconcile: (object: T, key: string) => Promise<ReconcileResult>
}

export function createPerObjectController<T extends KubeObject>(
  deps: ControllerDeps,
  { resource, also = [], reconcile, ...options }: PerObjectOptions<T>,
): Controller {
  const informer = deps.informers.of(resource)
  return createController({
    ...options,
    sources: [keysOf(informer), ...also],
    async reconcile(key) {
      const object = informer.get(key)
      return object === undefined ? undefined : reconcile(object, key)
    },
    logger: deps.logger,
    clock: deps.clock,
  })
}
