// PATCH: json, merge and strategic merge; the patched object goes through the same door as an update, again when it loses a race.
import type { KubeObject } from '../../../common/machinery/meta.ts'
import type { UpdateStrategy } from '../../kinds/kind.ts'
import { decodeObject, schemaOf } from '../registry/decode.ts'
import { updateObject } from '../registry/update.ts'
import { type ApiCall, type CallResult, fieldValidationOf, requireBody, writeRequestOf } from './api-call.ts'
import { requireSameIdentity } from './identity.ts'
import { applyObject } from './apply-verb.ts'
import { isApplyPatch, requirePatchType } from './patch-types.ts'
import { newPatch } from './patched.ts'

export async function patchObject(
  call: ApiCall,
  strategy: UpdateStrategy<KubeObject> | undefined,
): Promise<CallResult> {
  if (isApplyPatch(call.contentType)) return applyObject(call, strategy)
  const { registry, resource, info } = call
  requirePatchType(call.contentType, resource.custom === undefined)
  const request = writeRequestOf(call)
  const fieldValidation = fieldValidationOf(call)
  const schema = resource.custom === undefined ? schemaOf(resource.kind) : undefined
  const patch = newPatch({ contentType: call.contentType, fieldValidation, schema }, await requireBody(call))
  let warned = false
  const { object } = await updateObject(registry, resource, {
    namespace: info.namespace,
    name: info.name,
    subresource: info.subresource,
    strategy,
    change: (current) => {
      const decoded = patch.apply(current.object, (result) =>
        decodeObject(resource, result, {
          fieldValidation,
          warn: warned ? () => undefined : call.warn,
          duplicates: patch.problems,
        }),
      )
      warned = true
      requireSameIdentity(decoded.metadata, resource.namespaced ? info : { namespace: '', name: info.name })
      return decoded
    },
    request,
  })
  return { type: 'stored', code: 200, object }
}
