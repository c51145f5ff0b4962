// Names within one API group are given once: the first definition that was accepted keeps them.
import type { CustomResourceDefinition } from '../../../common/api/generated/types.ts'

/** Why a definition's names cannot be accepted; undefined when they can. */
export function nameConflict(
  definition: CustomResourceDefinition,
  all: readonly CustomResourceDefinition[],
): string | undefined {
  const { group, names } = definition.spec
  for (const other of all) {
    if (other.metadata?.name === definition.metadata?.name || other.spec.group !== group) continue
    const taken = other.status?.acceptedNames
    if (taken === undefined || taken.kind === '') continue
    const resourceNames = new Set(
      [taken.plural, taken.singular, ...(taken.shortNames ?? [])].filter((name) => name !== undefined && name !== ''),
    )
    for (const name of [names.plural, names.singular, ...(names.shortNames ?? [])]) {
      if (name !== undefined && resourceNames.has(name)) return `${JSON.stringify(name)} is already in use`
    }
    const kinds = new Set([taken.kind, taken.listKind])
    for (const kind of [names.kind, names.listKind])
      if (kind !== undefined && kinds.has(kind)) return `${JSON.stringify(kind)} is already in use`
  }
  return undefined
}
