// ServiceAccount: an identity for pods. Tokens are made by the token subresource of the API server.
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'

export const serviceAccount = defineKind('v1/serviceaccounts', {
  returnsDeletedObject: true,
  shortNames: ['sa'],
  columns: [nameColumn, { name: 'Secrets', type: 'string', cell: ({ secrets }) => secrets?.length ?? 0 }, ageColumn],
})
