// A resource as the API serves it: a kind definition bound to its place in the store and to its codec.
import { formatApiVersion } from '../../../common/machinery/meta.ts'
import type { ResourceName } from '../../../common/machinery/status.ts'
import type { Verb } from '../../../common/api/facts.ts'
import type { KindDefinition } from '../../kinds/kind.ts'
import type { StructuralHooks } from '../crd/structural-hooks.ts'
import { ObjectCodec, type SchemaRenewal } from './stored-object.ts'

export const allVerbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]

export interface ServedResource {
  readonly kind: KindDefinition
  readonly apiVersion: string
  readonly name: ResourceName
  readonly namespaced: boolean
  readonly verbs: ReadonlySet<Verb>
  /** Keys of this resource start with it; ends with "/". */
  readonly prefix: string
  readonly codec: ObjectCodec
  /** apiVersion of what is written to the store. */
  readonly storedApiVersion: string
  readonly tracksGeneration: boolean
  /** Present for custom resources: pruning, defaulting and validation by the definition's own schema. */
  readonly custom?: StructuralHooks
}

export function serveKind(
  kind: KindDefinition,
  options: {
    tracksGeneration: boolean
    storedApiVersion?: string
    custom?: StructuralHooks
    renewal?: SchemaRenewal
  },
): ServedResource {
  const apiVersion = formatApiVersion(kind.group, kind.version)
  const storedGroup = kind.storedAs?.group ?? kind.group
  const storedPlural = kind.storedAs?.plural ?? kind.plural
  const storedApiVersion = options.storedApiVersion ?? apiVersion
  return {
    kind,
    apiVersion,
    name: { group: kind.group, resource: kind.plural },
    namespaced: kind.scope === 'Namespaced',
    verbs: new Set(kind.verbs ?? allVerbs),
    prefix: `/registry/${storedGroup === '' ? 'core' : storedGroup}/${storedPlural}/`,
    codec: new ObjectCodec({
      apiVersion,
      storedApiVersion,
      kind: kind.kind,
      typedItems: options.custom !== undefined,
      conversion: kind.storedAs,
      renewal: options.renewal,
    }),
    storedApiVersion,
    tracksGeneration: kind.tracksGeneration ?? options.tracksGeneration,
    ...(options.custom === undefined ? {} : { custom: options.custom }),
  }
}

export function keyOf(resource: ServedResource, namespace: string | undefined, name: string): string {
  return resource.namespaced ? `${resource.prefix}${namespace ?? ''}/${name}` : `${resource.prefix}${name}`
}

/** Prefix of a list: one namespace, or all. */
export function listPrefix(resource: ServedResource, namespace: string | undefined): string {
  return resource.namespaced && namespace !== undefined && namespace !== ''
    ? `${resource.prefix}${namespace}/`
    : resource.prefix
}
