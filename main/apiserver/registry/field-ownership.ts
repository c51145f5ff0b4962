// Who owns which field (metadata.managedFields), kept on every write and decided by server-side apply.
import { FieldManager, type WriteIdentity } from '../../../common/machinery/apply/field-manager.ts'
import type { JsonObject } from '../../../common/machinery/json.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { Definitions } from '../../../common/machinery/schema/definitions.ts'
import type { WriteRequest } from './context.ts'
import { kubernetesFacts, schemaOf } from './decode.ts'
import type { ServedResource } from './served-resource.ts'

const shared = new FieldManager(kubernetesFacts.definitions)
const own = new WeakMap<object, FieldManager>()

/** By which fields are told apart that can be owned. */
export const fieldSchemaOf = ({ custom, kind }: ServedResource): { root: string; definitions: Definitions } =>
  custom === undefined ? schemaOf(kind) : custom.fieldDefinitions

function managerOf(resource: ServedResource): { manager: FieldManager; definition: string } {
  const { custom, kind } = resource
  if (custom === undefined && typeof kind.schema === 'string') return { manager: shared, definition: kind.schema }
  const { root, definitions } = fieldSchemaOf(resource)
  const key: Definitions = typeof kind.schema === 'string' ? definitions : kind.schema.definitions
  let manager = own.get(key)
  if (manager === undefined) {
    manager = new FieldManager(definitions)
    own.set(key, manager)
  }
  return { manager, definition: root }
}

/** What a door resets is neither owned nor changed by who writes through it. */
function ignoredFields({ kind }: ServedResource, subresource: string): readonly string[] {
  if (subresource === 'status') return ['spec']
  return subresource === '' && kind.status !== undefined ? ['status'] : []
}

function identityOf(resource: ServedResource, request: WriteRequest, subresource: string, now: string): WriteIdentity {
  return {
    manager: request.fieldManager,
    apiVersion: resource.apiVersion,
    subresource,
    now,
    ignoredFields: ignoredFields(resource, subresource),
  }
}

/** Sets metadata.managedFields of an object about to be stored. `live` is undefined on creation. */
export function trackFields(
  resource: ServedResource,
  object: KubeObject,
  live: KubeObject | undefined,
  write: { readonly request: WriteRequest; readonly subresource: string; readonly now: string },
): void {
  const { manager, definition } = managerOf(resource)
  const entries = manager.trackUpdate({
    ...identityOf(resource, write.request, write.subresource, write.now),
    definition,
    live: live as unknown as JsonObject | undefined,
    updated: object as unknown as JsonObject,
  })
  if (entries === undefined || entries.length === 0) delete object.metadata.managedFields
  else object.metadata.managedFields = entries
}

/** The object after applying `config`, with its managedFields; `live` itself when nothing changes. Throws 409 on conflicts. */
export function applyFields(
  resource: ServedResource,
  config: KubeObject,
  live: KubeObject | undefined,
  write: {
    readonly request: WriteRequest
    readonly subresource: string
    readonly now: string
    readonly force: boolean
  },
): KubeObject {
  const { manager, definition } = managerOf(resource)
  return manager.apply({
    ...identityOf(resource, write.request, write.subresource, write.now),
    definition,
    live: live as unknown as JsonObject | undefined,
    config: config as unknown as JsonObject,
    force: write.force,
  }) as unknown as KubeObject
}

/**
 * `config` laid over `live` as server-side apply would, without regard to owners (mutating policies). `type`: where the object is not
 * of the resource's own kind, its definition among the facts.
 */
export function mergeApplied(resource: ServedResource, live: KubeObject, config: object, type?: string): KubeObject {
  const { manager, definition } = type === undefined ? managerOf(resource) : { manager: shared, definition: type }
  return manager.merge(definition, live as unknown as JsonObject, config as JsonObject) as unknown as KubeObject
}
