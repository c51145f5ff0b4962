// Says who is to let a volume grow whose claim asks for more: the driver's own resizer, outside of these controllers.
import type { PersistentVolumeClaim, Quantity } from '../../../common/api/generated/types.ts'
import { createController, keysOf, needs } from '../../../common/client/controller.ts'
import { persistentVolumeClaims, persistentVolumes } from '../../../common/client/resources.ts'
import { compareQuantities } from '../../../common/machinery/quantity.ts'
import type { ControllerFactory } from '../runtime/deps.ts'

const asked = ({ spec }: PersistentVolumeClaim): Quantity => spec?.resources?.requests?.['storage'] ?? '0'

export const newVolumeExpander: ControllerFactory = (deps) => {
  const name = 'volume_expand'
  const events = deps.events(name)
  const claimInformer = deps.informers.of(persistentVolumeClaims)
  const volumeInformer = deps.informers.of(persistentVolumes)
  return createController({
    name,
    workers: 1,
    sources: [
      keysOf(claimInformer, (claim, old) => old !== undefined && compareQuantities(asked(claim), asked(old)) > 0),
      needs(volumeInformer),
    ],
    reconcile(key) {
      const claim = claimInformer.get(key)
      const volume = volumeInformer.get(claim?.spec?.volumeName ?? '')
      if (claim?.status?.phase === 'Bound' && volume?.spec?.claimRef?.uid === claim.metadata.uid)
        events.event(claim, 'Normal', 'ExternalExpanding', 'waiting for an external controller to expand this PVC')
      return Promise.resolve()
    },
    logger: deps.logger,
    clock: deps.clock,
  })
}
