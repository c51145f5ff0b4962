// PATCH: json, merge and strategic merge; the patched object goes through the same door as an update, again when it loses a race.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { badRequest, unsupportedMediaType } from '../../../common/machinery/status.ts'
import type { UpdateStrategy } from '../../kinds/kind.ts'
import { decodeObject } from '../registry/decode.ts'
import type { StoredObject } from '../registry/stored-object.ts'
import { updateObject } from '../registry/update.ts'
import { type ApiCall, type CallResult, fieldValidationOf, requireBody, writeRequestOf } from './api-call.ts'
import { requireSameIdentity } from './identity.ts'
import { applyJsonPatch, applyMergePatch } from './patch-types.ts'

export async function patchObject(
  call: ApiCall,
  strategy: UpdateStrategy<KubeObject> | undefined,
): Promise<CallResult> {
  const { registry, resource, info } = call
  const request = writeRequestOf(call)
  const fieldValidation = fieldValidationOf(call)
  const { value: patch } = await requireBody(call)
  const apply = patcherFor(call, patch)
  let warned = false
  const { object } = await updateObject(registry, resource, {
    namespace: info.namespace,
    name: info.name,
    subresource: info.subresource,
    strategy,
    change: (current) => {
      const decoded = decodeObject(resource, apply(current), {
        fieldValidation,
        warn: warned ? () => undefined : call.warn,
      })
      warned = true
      requireSameIdentity(decoded.metadata, info)
      return decoded
    },
    request,
  })
  return { type: 'stored', code: 200, object }
}

function patcherFor(call: ApiCall, patch: unknown): (current: StoredObject) => unknown {
  switch (call.contentType) {
    case 'application/json-patch+json':
      return (current) => applyJsonPatch(current.object, patch)
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
      if (typeof patch !== 'object' || patch === null || Array.isArray(patch))
        throw badRequest('error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}')
      return (current) => applyMergePatch(current.object, patch)
    default:
      throw unsupportedMediaType(
        'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml',
      )
  }
}
