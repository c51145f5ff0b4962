// Keeps ServiceCIDRs Ready, and those that are deleted from going while Services have addresses of theirs.
import type { Condition, NetworkingV1ServiceCIDR } from '../../../common/api/generated/types.ts'
import type { ReconcileResult } from '../../../common/client/controller.ts'
import { createController, keysOf, mapChanges, requeueAfter } from '../../../common/client/controller.ts'
import { ipAddresses, serviceCidrs } from '../../../common/client/resources.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { tolerate } from '../runtime/tolerate.ts'
import { inUseMessage, planCidr, readyMessage } from './plan.ts'

export const newServiceCidrController: ControllerFactory = (deps) => {
  const name = 'service-cidr-controller'
  const client = deps.client(name)
  const cidrInformer = deps.informers.of(serviceCidrs)
  const addressInformer = deps.informers.of(ipAddresses)

  async function reconcile(key: string): Promise<ReconcileResult> {
    const cidr = cidrInformer.get(key)
    if (cidr === undefined) return
    const plan = planCidr(cidr, cidrInformer.list(), addressInformer.list(), deps.clock.now())
    switch (plan.action) {
      case 'none':
        return
      case 'wait':
        return requeueAfter(plan.afterMs)
      case 'in-use':
        await writeReady(cidr, { status: 'False', reason: 'Terminating', message: inUseMessage })
        return
      case 'release':
        await writeFinalizers(cidr, plan.finalizers).catch(tolerate('NotFound'))
        return
      case 'ready': {
        const current = plan.finalizers === undefined ? cidr : await writeFinalizers(cidr, plan.finalizers)
        await writeReady(current, { status: 'True', reason: '', message: readyMessage })
      }
    }
  }

  function writeFinalizers(cidr: NetworkingV1ServiceCIDR, finalizers: string[]): Promise<NetworkingV1ServiceCIDR> {
    const { name: target = '', uid, resourceVersion } = cidr.metadata
    return client.patch(serviceCidrs, { name: target }, 'application/merge-patch+json', {
      metadata: { uid, resourceVersion, finalizers },
    })
  }

  async function writeReady(
    cidr: NetworkingV1ServiceCIDR,
    verdict: Pick<Condition, 'status' | 'reason' | 'message'>,
  ): Promise<void> {
    const conditions = cidr.status?.conditions ?? []
    const old = conditions.find(({ type }) => type === 'Ready')
    if (old?.status === verdict.status && old.message === verdict.message) return
    const lastTransitionTime = old?.status === verdict.status ? old.lastTransitionTime : formatTime(deps.clock.now())
    const ready: Condition = { type: 'Ready', ...verdict, lastTransitionTime }
    const others = conditions.filter(({ type }) => type !== 'Ready')
    await client.updateStatus(serviceCidrs, { ...cidr, status: { ...cidr.status, conditions: [...others, ready] } })
  }

  return createController({
    name,
    workers: 1,
    sources: [
      keysOf(cidrInformer),
      // An address that is given back may be the last that held a range.
      mapChanges(addressInformer, (_address, _old, change) =>
        change === 'delete'
          ? cidrInformer
              .list()
              .flatMap(({ metadata }) => (metadata.deletionTimestamp === undefined ? [] : [metadata.name ?? '']))
          : [],
      ),
      mapChanges(cidrInformer, () =>
        cidrInformer
          .list()
          .flatMap(({ metadata }) => (metadata.deletionTimestamp === undefined ? [] : [metadata.name ?? ''])),
      ),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
