// PATCH with application/apply-patch+yaml: server-side apply, which also creates.
import { formatTime } from '../../../common/machinery/clock.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { badRequest } from '../../../common/machinery/status.ts'
import type { UpdateStrategy } from '../../kinds/kind.ts'
import { decodeObject } from '../registry/decode.ts'
import { applyFields } from '../registry/field-ownership.ts'
import type { StoredObject } from '../registry/stored-object.ts'
import { updateObject, type UpdateOptions } from '../registry/update.ts'
import { type ApiCall, type CallResult, fieldValidationOf, requireBody, writeRequestOf } from './api-call.ts'
import { requireSameIdentity } from './identity.ts'
import { booleanParameter } from './list-parameters.ts'

export async function applyObject(
  call: ApiCall,
  strategy: UpdateStrategy<KubeObject> | undefined,
): Promise<CallResult> {
  const { resource, info } = call
  const { value, duplicates } = await requireBody(call)
  const config = decodeObject(resource, value, {
    fieldValidation: fieldValidationOf(call),
    warn: call.warn,
    duplicates,
    partial: true,
  })
  requireSameIdentity(config.metadata, resource.namespaced ? info : { namespace: '', name: info.name })
  const { object, created } = await applyConfiguration(call, { strategy, config })
  return { type: 'stored', code: created ? 201 : 200, object }
}

/** Stores what becomes of the named object when its part that `config` tells is as told. */
export async function applyConfiguration(
  call: ApiCall,
  { config, ...door }: Pick<UpdateOptions, 'strategy' | 'view'> & { readonly config: KubeObject },
): Promise<{ object: StoredObject; created: boolean }> {
  const { registry, resource, info, query } = call
  const request = writeRequestOf(call)
  const force = booleanParameter(query, 'force')
  if ((config.metadata.managedFields ?? []).length > 0) throw badRequest('metadata.managedFields must be nil')
  const apply = (live: KubeObject | undefined): KubeObject =>
    applyFields(resource, config, live, {
      request,
      subresource: info.subresource,
      now: formatTime(registry.clock.now()),
      force,
    })
  // A copy: the result shares parts with the frozen stored object, and what follows changes it in place.
  const whole = (merged: KubeObject): KubeObject =>
    decodeObject(resource, merged, { fieldValidation: 'Ignore', warn: () => undefined })
  return updateObject(registry, resource, {
    namespace: info.namespace,
    name: info.name,
    subresource: info.subresource,
    ...door,
    change: (current) => whole(apply(current.object)),
    ...(info.subresource === '' ? { createInstead: () => whole(apply(undefined)) } : {}),
    request,
    fieldsAreTracked: true,
  })
}
