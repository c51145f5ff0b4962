// Gives every namespace its default ServiceAccount, and again when it was removed.
import { createController, keysOf, mapChanges } from '../../../common/client/controller.ts'
import { namespaces, serviceAccounts } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { isNamespaceTerminating } from '../pods/pod-control.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { planDefaultAccount } from './plan.ts'

export const newServiceAccountController: ControllerFactory = (deps) => {
  const name = 'serviceaccount-controller'
  const client = deps.client(name)
  const namespaceInformer = deps.informers.of(namespaces)
  const accountInformer = deps.informers.of(serviceAccounts)

  async function reconcile(key: string): Promise<void> {
    const namespace = namespaceInformer.get(key)
    if (namespace === undefined) return
    const wanted = planDefaultAccount(namespace, accountInformer.get(`${key}/default`))
    if (wanted === undefined) return
    try {
      await client.create(serviceAccounts, wanted)
    } catch (error) {
      if (isReason(error, 'AlreadyExists') || isReason(error, 'NotFound') || isNamespaceTerminating(error)) return
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
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
