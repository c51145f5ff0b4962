// The patch languages, applied to plain values.
import { applyPatch, type Operation } from 'rfc6902'
import { badRequest, StatusError } from '../../../common/machinery/status.ts'

/** Returns a new value; throws 400 for a malformed patch and 422 for one that does not fit. */
export function applyJsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  const copy: unknown = structuredClone(target)
  for (const failure of applyPatch(copy, patch as Operation[])) {
    if (failure !== null)
      throw new StatusError({
        code: 422,
        reason: 'Invalid',
        message: `the server rejected our request due to an error in our request: ${failure.message}`,
      })
  }
  return copy
}

export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key)
    else result[key] = applyMergePatch(result[key], value)
  }
  return result
}
