// Keeps the rules of aggregated ClusterRoles (admin, edit and view among them) as the union of those they select.
import { createController, mapChanges } from '../../../common/client/controller.ts'
import { clusterRoles } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { planAggregation } from './plan.ts'

export const newClusterRoleAggregationController: ControllerFactory = (deps) => {
  const name = 'clusterrole-aggregation-controller'
  const client = deps.client(name)
  const informer = deps.informers.of(clusterRoles)

  async function reconcile(key: string): Promise<void> {
    const role = informer.get(key)
    if (role === undefined) return
    const rules = planAggregation(role, informer.list())
    if (rules === undefined) return
    const { uid, resourceVersion } = role.metadata
    try {
      await client.patch(clusterRoles, { name: key }, 'application/merge-patch+json', {
        metadata: { uid, resourceVersion },
        rules,
      })
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }

  return createController({
    name,
    workers: 1,
    sources: [
      // Any role may be one that another selects, or has been until now.
      mapChanges(informer, () =>
        informer
          .list()
          .filter(({ aggregationRule }) => aggregationRule !== undefined)
          .map(({ metadata }) => metadata.name ?? ''),
      ),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
