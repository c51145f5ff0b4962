// JSON Merge Patch (RFC 7386), pure: null removes, objects merge, everything else replaces.
import type { JsonObject } from '../json.ts'
import { isJsonObject, setOwn } from '../json.ts'
import { badRequest } from '../status.ts'

/** Applies a parsed patch body to an object; throws StatusError 400 when the patch is not an object. */
export function applyMergePatch(document: JsonObject, patch: unknown): JsonObject {
  if (!isJsonObject(patch)) throw badRequest('Invalid JSON Patch')
  return mergeObjects(document, patch)
}

function mergeObjects(target: JsonObject, patch: JsonObject): JsonObject {
  const result: JsonObject = { ...target }
  for (const key of Object.keys(patch)) {
    const change = patch[key]
    if (change === null) {
      Reflect.deleteProperty(result, key)
    } else if (isJsonObject(change)) {
      const old = Object.hasOwn(result, key) ? result[key] : undefined
      setOwn(result, key, mergeObjects(isJsonObject(old) ? old : {}, change))
    } else {
      setOwn(result, key, change)
    }
  }
  return result
}
