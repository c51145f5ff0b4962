// ServiceAccount: an identity for pods. Tokens are made by the token subresource of the API server.
import type { ServiceAccount } from '../../../common/api/generated/types.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'

export const serviceAccount = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  scope: 'Namespaced',
  schema: 'io.k8s.api.core.v1.ServiceAccount',
  shortNames: ['sa'],
  columns: [nameColumn, { name: 'Secrets', type: 'string', cell: ({ secrets }) => secrets?.length ?? 0 }, ageColumn],
})
