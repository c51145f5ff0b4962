// Pure: the account that pods of a namespace run as when they name none.
import type { Namespace, ServiceAccount } from '../../../common/api/generated/types.ts'

/** The account to create; undefined when it is there or the namespace is ending. */
export function planDefaultAccount(
  { metadata, status }: Namespace,
  account: ServiceAccount | undefined,
): ServiceAccount | undefined {
  if (account !== undefined || status?.phase === 'Terminating' || metadata.deletionTimestamp !== undefined)
    return undefined
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: metadata.name } }
}
