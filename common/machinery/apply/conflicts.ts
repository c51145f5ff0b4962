// The answer to an apply that would change fields of others: 409 with every field and its owner, worded as upstream.
import type { StatusCause } from '../../api/generated/types.ts'
import { StatusError } from '../status.ts'
import type { FieldSet } from './field-set.ts'
import { printPaths } from './field-set.ts'
import type { Manager } from './managed-fields.ts'

export interface Conflict {
  manager: Manager
  fields: FieldSet
}

export function applyConflict(conflicts: readonly Conflict[]): StatusError {
  const listed = conflicts
    .map(({ manager, fields }) => ({ owner: describeManager(manager), paths: printPaths(fields) }))
    .sort((a, b) => (a.owner < b.owner ? -1 : 1))
  const causes: StatusCause[] = listed.flatMap(({ owner, paths }) =>
    paths.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${owner}`, field })),
  )
  return new StatusError({
    code: 409,
    reason: 'Conflict',
    message: describe(listed, causes),
    details: { causes },
  })
}

function describe(listed: readonly { owner: string; paths: string[] }[], causes: readonly StatusCause[]): string {
  const [only] = causes
  if (causes.length === 1 && only !== undefined) {
    return `Apply failed with 1 conflict: ${only.message ?? ''}: ${only.field ?? ''}`
  }
  const lines = listed.flatMap(({ owner, paths }) => [`conflicts with ${owner}:`, ...paths.map((path) => `- ${path}`)])
  return `Apply failed with ${String(causes.length)} conflicts: ${lines.join('\n')}`
}

function describeManager({ name, operation, subresource, apiVersion }: Manager): string {
  const who =
    subresource === ''
      ? JSON.stringify(name)
      : `${JSON.stringify(name)} with subresource ${JSON.stringify(subresource)}`
  return operation === 'Update' ? `${who} using ${apiVersion}` : who
}
