// Gives every namespace its default ServiceAccount and the kube-root-ca.crt ConfigMap, and restores them when removed.
import { createController, keysOf, mapChanges } from '../../../common/client/controller.ts'
import { configMaps, namespaces, serviceAccounts } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { isNamespaceTerminating } from '../pods/pod-control.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { planNamespace, rootCaConfigMap } from './plan.ts'

export const newServiceAccountController: ControllerFactory = (deps) => {
  const name = 'serviceaccount-controller'
  const client = deps.client(name)
  const namespaceInformer = deps.informers.of(namespaces)
  const accountInformer = deps.informers.of(serviceAccounts)
  const configMapInformer = deps.informers.of(configMaps)

  async function reconcile(key: string): Promise<void> {
    const namespace = namespaceInformer.get(key)
    if (namespace === undefined) return
    const plan = planNamespace(
      namespace,
      accountInformer.get(`${key}/default`),
      configMapInformer.get(`${key}/${rootCaConfigMap}`),
      deps.clusterCA,
    )
    try {
      if (plan.createAccount !== undefined)
        await client.create(serviceAccounts, plan.createAccount).catch(ignoreExisting)
      if (plan.createRootCa !== undefined) await client.create(configMaps, plan.createRootCa).catch(ignoreExisting)
      if (plan.updateRootCa !== undefined) await client.update(configMaps, plan.updateRootCa)
    } catch (error) {
      if (isNamespaceTerminating(error) || isReason(error, 'NotFound')) return
      throw error
    }
  }

  return createController({
    name,
    sources: [
      keysOf(namespaceInformer),
      mapChanges(accountInformer, (account, _old, change) =>
        change === 'delete' && account.metadata.name === 'default' ? [account.metadata.namespace ?? ''] : [],
      ),
      mapChanges(configMapInformer, (map, _old, change) =>
        change !== 'add' && map.metadata.name === rootCaConfigMap ? [map.metadata.namespace ?? ''] : [],
      ),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}

function ignoreExisting(error: unknown): undefined {
  if (!isReason(error, 'AlreadyExists')) throw error
  return undefined
}
