// Publishes the cluster's CA to every namespace as the ConfigMap kube-root-ca.crt, and restores it when it was changed or removed.
import { createController, keysOf, mapChanges } from '../../../common/client/controller.ts'
import { configMaps, namespaces } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { isNamespaceTerminating } from '../pods/pod-control.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { planRootCa, rootCaConfigMap } from './plan.ts'

export const newRootCaPublisher: ControllerFactory = (deps) => {
  const name = 'root-ca-cert-publisher'
  const client = deps.client(name)
  const namespaceInformer = deps.informers.of(namespaces)
  const configMapInformer = deps.informers.of(configMaps)

  async function reconcile(key: string): Promise<void> {
    const namespace = namespaceInformer.get(key)
    if (namespace === undefined) return
    const plan = planRootCa(namespace, configMapInformer.get(`${key}/${rootCaConfigMap}`), deps.clusterCA)
    try {
      if (plan.create !== undefined) await client.create(configMaps, plan.create)
      if (plan.update !== undefined) await client.update(configMaps, plan.update)
    } catch (error) {
      if (isReason(error, 'AlreadyExists') || isReason(error, 'NotFound') || isNamespaceTerminating(error)) return
      throw error
    }
  }

  return createController({
    name,
    sources: [
      keysOf(namespaceInformer),
      mapChanges(configMapInformer, (map, _old, change) =>
        change !== 'add' && map.metadata.name === rootCaConfigMap ? [map.metadata.namespace ?? ''] : [],
      ),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
