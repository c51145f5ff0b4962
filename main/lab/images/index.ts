// Mirrors the registry's images into Image objects, and deletes content whose object a person deleted.
import type { Image } from '../../../common/api/lab/v1alpha1.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { type Controller, createController, type KeySource, mapChanges } from '../../../common/client/controller.ts'
import { createInformer } from '../../../common/client/create-informer.ts'
import { images as imageResource } from '../../../common/client/resources.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { Registry } from '../../registry/registry.ts'
import { type ImageAction, imageFinalizer, planImages } from './plan.ts'

export { importSubresource } from './import-subresource.ts'

export interface ImageControllerOptions {
  readonly client: KubeClient
  readonly registry: Pick<Registry, 'list' | 'remove' | 'watch'>
  readonly clock: Clock
  readonly logger: Logger
}

/** All images are one key: they are few, and the registry tells only that something changed. */
const everything = 'registry'

export function createImageController(options: ImageControllerOptions): Controller {
  const { client, clock, logger, registry } = options
  const informer = createInformer({ client, resource: imageResource, logger, clock })
  const registryChanges: KeySource = {
    synced: Promise.resolve(),
    attach(enqueue) {
      enqueue(everything)
      return registry.watch(() => {
        enqueue(everything)
      })
    },
  }
  const apply = async (action: ImageAction): Promise<void> => {
    const { object } = action
    const name = object.metadata.name ?? ''
    switch (action.type) {
      case 'create': {
        const created = await client.create(imageResource, object)
        await client.updateStatus(imageResource, { ...created, status: action.status })
        return
      }
      case 'status':
        await client.updateStatus(imageResource, { ...object, status: action.status })
        return
      case 'delete':
        await withoutFinalizer(object)
        await client.delete(imageResource, name)
        return
      case 'remove':
        await registry.remove(object.spec.reference)
        await withoutFinalizer(object)
    }
  }
  const withoutFinalizer = async ({ metadata }: Image): Promise<void> => {
    const finalizers = metadata.finalizers?.filter((finalizer) => finalizer !== imageFinalizer) ?? []
    await client.patch(imageResource, { name: metadata.name ?? '' }, 'application/merge-patch+json', {
      metadata: { finalizers },
    })
  }
  const controller = createController({
    name: 'images',
    workers: 1,
    sources: [mapChanges(informer, () => [everything]), registryChanges],
    async reconcile() {
      for (const action of planImages(informer.list(), await registry.list())) {
        await apply(action).catch((error: unknown) => {
          // Seen with the next change of the cache.
          if (!isReason(error, 'NotFound') && !isReason(error, 'AlreadyExists')) throw error
        })
      }
    },
    onStop() {
      informer.stop()
    },
    logger,
    clock,
  })
  const start = controller.start.bind(controller)
  return Object.assign(controller, {
    start: () => {
      informer.start()
      return start()
    },
  })
}
