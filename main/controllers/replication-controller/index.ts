import { replicationControllers } from '../../../common/client/resources.ts'
import { nothing, selectorFromMap } from '../../../common/machinery/labels.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { createReplicaController } from '../replica-set/replica-controller.ts'

export const newReplicationControllerController: ControllerFactory = (deps) =>
  createReplicaController(deps, {
    name: 'replication-controller',
    resource: replicationControllers,
    selectorOf: ({ spec }) => (spec?.selector === undefined ? nothing : selectorFromMap(spec.selector)),
  })
