import { replicaSets } from '../../../common/client/resources.ts'
import { selectorFromObject } from '../../../common/machinery/labels.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { createReplicaController } from './replica-controller.ts'

export const newReplicaSetController: ControllerFactory = (deps) =>
  createReplicaController(deps, {
    name: 'replicaset-controller',
    resource: replicaSets,
    selectorOf: ({ spec }) => selectorFromObject(spec?.selector),
  })
