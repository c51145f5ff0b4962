// Objects that live and die with another one (the IPAddresses of a Service): written in the transaction of their owner, so that
// there is never one without the other.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { WriteContext } from '../../kinds/kind.ts'
import type { Compare, Operation } from '../../store/store.ts'
import type { Registry } from './context.ts'
import { fillSystemFields } from './metadata.ts'
import { keyOf, type ServedResource } from './served-resource.ts'
import { encodeForStore } from './stored-object.ts'

export interface CompanionWrites {
  readonly compare: Compare[]
  readonly operations: Operation[]
}

const none: CompanionWrites = { compare: [], operations: [] }

/** What else must be written when `old` becomes `object`; undefined stands for "is not there". */
export function companionWrites(
  registry: Registry,
  resource: ServedResource,
  change: { readonly object: KubeObject | undefined; readonly old: KubeObject | undefined },
  context: WriteContext,
): CompanionWrites {
  const companions = resource.kind.companions?.(change.object, change.old, context)
  if (companions === undefined) return none
  const compare: Compare[] = []
  const operations: Operation[] = []
  for (const { group, plural, name } of companions.remove) {
    const owner = registry.resources.findAnyVersion(group, plural)
    if (owner !== undefined) operations.push({ delete: keyOf(owner, undefined, name) })
  }
  for (const { group, plural, object } of companions.create) {
    const owner = registry.resources.findAnyVersion(group, plural)
    if (owner === undefined) continue
    fillSystemFields(object.metadata, context.now)
    const key = keyOf(owner, object.metadata.namespace, object.metadata.name ?? '')
    compare.push({ key, modRevision: 0 })
    operations.push({ put: key, value: encodeForStore({ ...object, apiVersion: owner.storedApiVersion }) })
  }
  return { compare, operations }
}
