// Fills secrets of type kubernetes.io/service-account-token with a token of their account, and removes them when it is gone.
import type { Secret } from '../../../common/api/generated/types.ts'
import { createController, keysOf, mapChanges } from '../../../common/client/controller.ts'
import { secrets, serviceAccounts } from '../../../common/client/resources.ts'
import { isReason } from '../../../common/machinery/status.ts'
import type { ControllerFactory } from '../runtime/deps.ts'
import { accountNameOf, filledSecret, planTokenSecret, tokenSecretType } from './plan.ts'

const byAccount = 'tokenSecretAccount'
const accountKey = (secret: Secret): string => `${secret.metadata.namespace ?? ''}/${accountNameOf(secret)}`

export const newServiceAccountTokenController: ControllerFactory = (deps) => {
  const name = 'serviceaccount-token-controller'
  const client = deps.client(name)
  const { signer } = deps
  const isTokenSecret = ({ type }: Secret): boolean => type === tokenSecretType
  const accountInformer = deps.informers.of(serviceAccounts)
  const secretInformer = deps.informers.of(secrets, {
    [byAccount]: (secret) => (isTokenSecret(secret) ? [accountKey(secret)] : []),
  })

  async function reconcile(key: string): Promise<void> {
    const secret = secretInformer.get(key)
    if (secret === undefined || signer === undefined) return
    const [namespace = ''] = key.split('/')
    const plan = planTokenSecret(secret, await findAccount(namespace, accountNameOf(secret)), deps.clusterCA)
    if (plan.action === 'keep') return
    const { name: secretName = '', uid, resourceVersion } = secret.metadata
    try {
      if (plan.action === 'delete') {
        await client.delete(secrets, secretName, namespace, { preconditions: { uid, resourceVersion } })
        return
      }
      const account = await findAccount(namespace, accountNameOf(secret))
      if (account === undefined) return
      const token = plan.claims === undefined ? undefined : await signer.signToken(plan.claims)
      await client.update(secrets, filledSecret(secret, account, deps.clusterCA, token))
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }

  /** A secret is often made right after its account: what the cache does not know yet is asked for before it is taken to be gone. */
  async function findAccount(namespace: string, accountName: string) {
    const cached = accountInformer.get(`${namespace}/${accountName}`)
    if (cached !== undefined) return cached
    return client.get(serviceAccounts, accountName, namespace).catch((error: unknown) => {
      if (isReason(error, 'NotFound')) return undefined
      throw error
    })
  }

  return createController({
    name,
    sources: [
      keysOf(secretInformer, isTokenSecret),
      mapChanges(accountInformer, ({ metadata }) =>
        secretInformer
          .byIndex(byAccount, `${metadata.namespace ?? ''}/${metadata.name ?? ''}`)
          .map((secret) => `${secret.metadata.namespace ?? ''}/${secret.metadata.name ?? ''}`),
      ),
    ],
    reconcile,
    logger: deps.logger,
    clock: deps.clock,
  })
}
