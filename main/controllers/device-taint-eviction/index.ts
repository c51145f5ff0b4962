// Ends pods whose devices have got NoExecute taints that their claims do not tolerate, or no longer.
import type { ResourceV1ResourceClaim } from '../../../common/api/generated/types.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, mapChanges, requeueAfter } from '../../../common/client/controller.ts'
import { pods, resourceClaims, resourceSlices } from '../../../common/client/resources.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import { endDisrupted } from '../pods/end-disrupted.ts'
import { claimNamesOf } from '../resource-claims/plan.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import type { EndingTaints } from './plan.ts'
import { endingTaints, evictAt } from './plan.ts'

const disruption = {
  reason: 'DeletionByDeviceTaintManager',
  message: 'Device Taint manager: deleting due to NoExecute taint',
}

export const newDeviceTaintEvictionController: ControllerFactory = (deps) => {
  const name = 'device-taint-eviction-controller'
  const client = deps.client(name)
  const events = deps.events('device-taint-eviction')
  const podInformer = deps.informers.of(pods)
  const claimInformer = deps.informers.of(resourceClaims)
  const sliceInformer = deps.informers.of(resourceSlices)
  let taints: EndingTaints | undefined
  /** Pods that were told to go at some time; to say so when that is taken back. */
  const scheduled = new Set<string>()

  async function reconcile(key: string): Promise<ReconcileResult> {
    const pod = podInformer.get(key)
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || (pod.spec?.nodeName ?? '') === '') {
      scheduled.delete(key)
      return
    }
    taints ??= endingTaints(sliceInformer.list())
    const claims = claimNamesOf(pod).flatMap(
      (claimName) => claimInformer.get(`${pod.metadata.namespace ?? ''}/${claimName}`) ?? [],
    )
    const now = deps.clock.now()
    const at = evictAt(pod, claims, taints, now)
    if (at === undefined) {
      if (scheduled.delete(key)) events.event(pod, 'Normal', 'DeviceTaintManagerEviction', 'Cancelling deletion')
      return
    }
    if (at > now) {
      scheduled.add(key)
      return requeueAfter(at - now)
    }
    events.event(pod, 'Normal', 'DeviceTaintManagerEviction', 'Marking for deletion')
    await endDisrupted(client, pod, { ...disruption, nowMs: now })
    scheduled.delete(key)
  }

  const usersOf = (claim: ResourceV1ResourceClaim | undefined): string[] =>
    (claim?.status?.reservedFor ?? [])
      .filter(({ resource }) => resource === 'pods')
      .map((user) => `${claim?.metadata.namespace ?? ''}/${user.name}`)

  return createController({
    name,
    sources: [
      mapChanges(sliceInformer, () => {
        const before = taints
        taints = endingTaints(sliceInformer.list())
        // Drivers update their slices often, and hardly ever because a device must be left.
        return taints.size === 0 && before?.size === 0 ? [] : claimInformer.list().flatMap(usersOf)
      }),
      mapChanges(claimInformer, (claim, old) => [...new Set([...usersOf(claim), ...usersOf(old)])]),
      mapChanges(podInformer, (pod) => ((pod.spec?.resourceClaims ?? []).length === 0 ? [] : [objectKey(pod)])),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
