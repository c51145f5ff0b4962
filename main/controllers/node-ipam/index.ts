// Gives nodes the ranges that their pods' addresses come from, where the cluster's range is known (--allocate-node-cidrs).
import type { Node } from '../../../common/api/generated/types.ts'
import { createController, keysOf, requeueAfter, type ReconcileResult } from '../../../common/client/controller.ts'
import { nodes } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { ringsOf } from './pod-ranges.ts'

const byRange = 'podCIDR'
/** A node may have gone by then, and its range with it. */
const retryMs = 30_000

export const newNodeIpamController: ControllerFactory = (deps) => {
  const name = 'node-ipam-controller'
  const { podRanges } = deps.settings
  const client = deps.client(name)
  const events = deps.events('cidrAllocator')
  const rings = podRanges === undefined ? [] : ringsOf(podRanges)
  const informer = deps.informers.of(nodes, { [byRange]: ({ spec }) => spec?.podCIDRs ?? [] })
  /** Given to a node that the informer does not show with it yet. */
  const given = new Map<string, readonly string[]>()

  async function reconcile(key: string): Promise<ReconcileResult> {
    const node = informer.get(key)
    if (node === undefined || (node.spec?.podCIDRs ?? []).length > 0) {
      given.delete(key)
      return
    }
    const cidrs = given.get(key) ?? takeRanges()
    if (cidrs === undefined) {
      record(node, 'CIDRNotAvailable')
      return requeueAfter(retryMs)
    }
    given.set(key, cidrs)
    try {
      await client.patch(nodes, { name: key }, 'application/merge-patch+json', {
        metadata: { uid: node.metadata.uid },
        spec: { podCIDR: cidrs[0], podCIDRs: cidrs },
      })
    } catch (error) {
      if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return
      record(node, 'CIDRAssignmentFailed')
      throw error
    }
  }

  /** One of each family, or none at all. */
  function takeRanges(): string[] | undefined {
    const waiting = new Set([...given.values()].flat())
    const cidrs = rings.map((ring) =>
      ring.take((cidr) => waiting.has(cidr) || informer.byIndex(byRange, cidr).length > 0),
    )
    return cidrs.every((cidr) => cidr !== undefined) ? cidrs : undefined
  }

  function record({ metadata: { name: nodeName = '' } }: Node, reason: string): void {
    const about = { kind: 'Node', apiVersion: 'v1', name: nodeName, uid: nodeName }
    events.event(about, 'Normal', reason, `Node ${nodeName} status is now: ${reason}`)
  }

  return createController({
    name,
    // One at a time: two nodes must not get the same range.
    workers: 1,
    sources: podRanges === undefined ? [] : [keysOf(informer)],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
