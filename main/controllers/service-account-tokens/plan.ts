// Pure: what a secret of type kubernetes.io/service-account-token needs.
import type { Secret, ServiceAccount } from '../../../common/api/generated/types.ts'

export const tokenSecretType = 'kubernetes.io/service-account-token'
const nameAnnotation = 'kubernetes.io/service-account.name'
const uidAnnotation = 'kubernetes.io/service-account.uid'

export const accountNameOf = ({ metadata }: Secret): string => metadata.annotations?.[nameAnnotation] ?? ''

export type TokenSecretPlan =
  | { action: 'keep' }
  /** Its account is gone, or is another of that name. */
  | { action: 'delete' }
  /** `claims`: a token must be signed; the secret lacks it. */
  | { action: 'fill'; claims: Record<string, string> | undefined }

export function planTokenSecret(
  secret: Secret,
  account: ServiceAccount | undefined,
  clusterCA: string,
): TokenSecretPlan {
  if (secret.type !== tokenSecretType || secret.metadata.deletionTimestamp !== undefined) return { action: 'keep' }
  const uid = secret.metadata.annotations?.[uidAnnotation] ?? ''
  if (account === undefined || (uid !== '' && uid !== account.metadata.uid)) return { action: 'delete' }
  if (account.metadata.deletionTimestamp !== undefined) return { action: 'keep' }
  const { namespace = '' } = secret.metadata
  const hasToken = (secret.data?.['token'] ?? '') !== ''
  const isWhole =
    hasToken &&
    uid !== '' &&
    secret.data?.['ca.crt'] === encode(clusterCA) &&
    secret.data['namespace'] === encode(namespace)
  if (isWhole) return { action: 'keep' }
  return { action: 'fill', claims: hasToken ? undefined : claimsOf(secret, account) }
}

const encode = (text: string): string => Buffer.from(text).toString('base64')

/** Source: pkg/serviceaccount/legacy.go. */
function claimsOf(secret: Secret, account: ServiceAccount): Record<string, string> {
  const { name = '', namespace = '' } = secret.metadata
  const { name: accountName = '', uid = '' } = account.metadata
  return {
    iss: 'kubernetes/serviceaccount',
    sub: `system:serviceaccount:${namespace}:${accountName}`,
    'kubernetes.io/serviceaccount/namespace': namespace,
    'kubernetes.io/serviceaccount/secret.name': name,
    'kubernetes.io/serviceaccount/service-account.name': accountName,
    'kubernetes.io/serviceaccount/service-account.uid': uid,
  }
}

/** The secret with everything in it. `token`: undefined keeps the one it has. */
export function filledSecret(
  secret: Secret,
  account: ServiceAccount,
  clusterCA: string,
  token: string | undefined,
): Secret {
  return {
    ...secret,
    metadata: {
      ...secret.metadata,
      annotations: { ...secret.metadata.annotations, [uidAnnotation]: account.metadata.uid ?? '' },
    },
    data: {
      ...secret.data,
      ...(token === undefined ? {} : { token: encode(token) }),
      'ca.crt': encode(clusterCA),
      namespace: encode(secret.metadata.namespace ?? ''),
    },
  }
}
