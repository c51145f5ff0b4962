// Two controllers of the tokens by which nodes join: one signs what is public about the cluster with them, one removes those that have
// ended. Neither runs unless asked for, as with kube-controller-manager.
import type { Secret } from '../../../common/api/generated/types.ts'
import { mapChanges, requeueAfter, createController, keysOf } from '../../../common/client/controller.ts'
import { configMaps, secrets } from '../../../common/client/resources.ts'
import { objectKey } from '../../../common/machinery/meta.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { createPerObjectController } from '../runtime/per-object.ts'
import { namespaceIndex, byNamespace } from '../runtime/indexes.ts'
import { tolerate } from '../runtime/tolerate.ts'
import { isToken, leftMs, planSignatures, tokenNamespace } from './plan.ts'

const infoKey = 'kube-public/cluster-info'

export const newBootstrapSignerController: ControllerFactory = (deps) => {
  const name = 'bootstrap-signer-controller'
  const client = deps.client(name)
  const secretInformer = deps.informers.of(secrets, namespaceIndex)
  const configMapInformer = deps.informers.of(configMaps)
  return createController({
    name,
    workers: 1,
    sources: [
      keysOf(configMapInformer, (object) => objectKey(object) === infoKey),
      mapChanges(secretInformer, (secret) => (isToken(secret) ? [infoKey] : [])),
    ],
    async reconcile() {
      const info = configMapInformer.get(infoKey)
      if (info === undefined) return
      const signed = planSignatures(info, secretInformer.byIndex(byNamespace, tokenNamespace), deps.clock.now())
      if (signed !== undefined) await client.update(configMaps, signed).catch(tolerate('NotFound'))
    },
    logger: deps.logger,
    clock: deps.clock,
  })
}

/** Timers hold at most 24 days. */
const maxWaitMs = 86_400_000

export const newTokenCleanerController: ControllerFactory = (deps) => {
  const name = 'token-cleaner-controller'
  const client = deps.client(name)
  return createPerObjectController<Secret>(deps, {
    name,
    workers: 1,
    resource: secrets,
    async reconcile(secret) {
      const waitMs = isToken(secret) ? leftMs(secret, deps.clock.now()) : undefined
      if (waitMs === undefined) return
      if (waitMs > 0) return requeueAfter(Math.min(waitMs, maxWaitMs))
      const { name: secretName = '', namespace, uid } = secret.metadata
      await client
        .delete(secrets, secretName, namespace, { preconditions: { uid } })
        .catch(tolerate('NotFound', 'Conflict'))
    },
  })
}
