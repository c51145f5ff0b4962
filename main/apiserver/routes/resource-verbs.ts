// The verbs on a resource itself: get, list, create, update, patch, delete, deletecollection.
import { methodNotAllowed, notFound } from '../../../common/machinery/status.ts'
import { createObject } from '../registry/create.ts'
import { readStored } from '../registry/context.ts'
import { decodeObject } from '../registry/decode.ts'
import { deleteCollection, deletedStatus, deleteObject } from '../registry/delete.ts'
import { listObjects, parseResourceVersion } from '../registry/list.ts'
import { updateObject } from '../registry/update.ts'
import { requireSameIdentity } from './identity.ts'
import { type ApiCall, type CallResult, fieldValidationOf, requireBody, writeRequestOf } from './api-call.ts'
import { deletionOf } from './deletion-parameters.ts'
import { listRequestOf } from './list-parameters.ts'
import { patchObject } from './patch-verb.ts'

export async function performVerb(call: ApiCall): Promise<CallResult> {
  switch (call.info.verb) {
    case 'get':
      return get(call)
    case 'list':
      return { type: 'list', list: await listObjects(call.registry, call.resource, listRequestOf(call)) }
    case 'create':
      return create(call)
    case 'update':
      return update(call)
    case 'patch':
      return patchObject(call, call.resource.kind.update)
    case 'delete':
      return remove(call)
    case 'deletecollection':
      return removeCollection(call)
    case 'watch':
      throw methodNotAllowed(call.resource.name, 'watch')
  }
}

function get(call: ApiCall): CallResult {
  const { registry, resource, info, query } = call
  const resourceVersion = query.get('resourceVersion')
  if (resourceVersion !== null && resourceVersion !== '') parseResourceVersion(resourceVersion)
  const object = readStored(registry, resource, info.namespace, info.name)
  if (object === undefined) throw notFound(resource.name, info.name)
  return { type: 'stored', code: 200, object }
}

async function create(call: ApiCall): Promise<CallResult> {
  const { registry, resource, info } = call
  const request = writeRequestOf(call)
  const { value, duplicates } = await requireBody(call)
  const object = decodeObject(resource, value, {
    fieldValidation: fieldValidationOf(call),
    warn: call.warn,
    duplicates,
  })
  return {
    type: 'stored',
    code: 201,
    object: await createObject(registry, resource, { namespace: info.namespace, object, request }),
  }
}

async function update(call: ApiCall): Promise<CallResult> {
  const { registry, resource, info } = call
  const request = writeRequestOf(call)
  const { value, duplicates } = await requireBody(call)
  const decode = { fieldValidation: fieldValidationOf(call), warn: call.warn, duplicates }
  const first = decodeObject(resource, value, decode)
  requireSameIdentity(first.metadata, resource.namespaced ? info : { namespace: '', name: info.name })
  let unused: typeof first | undefined = first
  const next = (): typeof first => {
    const object = unused ?? decodeObject(resource, value, { fieldValidation: 'Ignore', warn: () => undefined })
    unused = undefined
    return object
  }
  const { object, created } = await updateObject(registry, resource, {
    namespace: info.namespace,
    name: info.name,
    subresource: '',
    strategy: resource.kind.update,
    change: next,
    ...(resource.kind.allowCreateOnUpdate === true ? { createInstead: () => call.mayCreate().then(next) } : {}),
    request,
  })
  return { type: 'stored', code: created ? 201 : 200, object }
}

async function remove(call: ApiCall): Promise<CallResult> {
  const { registry, resource, info } = call
  const { deletion, dryRun } = await deletionOf(call)
  const { deletionWarning } = resource.kind
  if (deletionWarning !== undefined && deletion.propagationPolicy === undefined) call.warn(deletionWarning)
  const target = { namespace: info.namespace, name: info.name }
  const { object, gone } = await deleteObject(registry, resource, target, deletion, writeRequestOf(call, dryRun))
  if (gone && resource.kind.returnsDeletedObject !== true) {
    return { type: 'plain', code: 200, object: deletedStatus(resource, object.object) }
  }
  return { type: 'stored', code: !gone && deletion.propagationPolicy === 'Foreground' ? 202 : 200, object }
}

async function removeCollection(call: ApiCall): Promise<CallResult> {
  const { registry, resource } = call
  const { deletion, dryRun } = await deletionOf(call)
  const list = await listObjects(registry, resource, listRequestOf(call))
  await deleteCollection(registry, resource, list.items, deletion, writeRequestOf(call, dryRun))
  return { type: 'list', list }
}
