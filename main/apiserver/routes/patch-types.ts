// The patch languages by content type, applied to the current state of an object.
import type { JsonObject } from '../../../common/machinery/json.ts'
import { applyJsonPatch } from '../../../common/machinery/patch/json-patch.ts'
import { applyMergePatch } from '../../../common/machinery/patch/merge-patch.ts'
import { applyStrategicMergePatch } from '../../../common/machinery/patch/strategic-merge-patch.ts'
import { cborApplyPatchType } from '../cbor/media-types.ts'
import type { Definitions } from '../../../common/machinery/schema/definitions.ts'
import { type StatusError, unsupportedMediaType } from '../../../common/machinery/status.ts'

export const jsonPatchType = 'application/json-patch+json'
export const mergePatchType = 'application/merge-patch+json'
export const strategicPatchType = 'application/strategic-merge-patch+json'
const applyPatchType = 'application/apply-patch+yaml'

export const isApplyPatch = (contentType: string): boolean =>
  contentType === applyPatchType || contentType === cborApplyPatchType

/** `schema`: where strategic merge finds its keys; undefined when the type is not known at compile time (custom resources). */
export function patcher(
  contentType: string,
  patch: unknown,
  schema: { readonly root: string; readonly definitions: Definitions } | undefined,
): (current: object) => unknown {
  switch (contentType) {
    case jsonPatchType:
      return (current) => applyJsonPatch(current as JsonObject, patch)
    case mergePatchType:
      return (current) => applyMergePatch(current as JsonObject, patch)
    case strategicPatchType:
      if (schema === undefined) break
      return (current) =>
        applyStrategicMergePatch({
          definitions: schema.definitions,
          definition: schema.root,
          document: current as JsonObject,
          patch,
        })
  }
  throw unknownPatch(schema !== undefined)
}

/** Before the body is read. Throws 415 for what is no patch. `strategic`: whether strategic merge is spoken here. */
export function requirePatchType(contentType: string, strategic: boolean): void {
  if (isApplyPatch(contentType)) return
  const spoken = [jsonPatchType, mergePatchType, ...(strategic ? [strategicPatchType] : [])]
  if (!spoken.includes(contentType)) throw unknownPatch(strategic)
}

function unknownPatch(strategic: boolean): StatusError {
  const accepted = [jsonPatchType, mergePatchType, ...(strategic ? [strategicPatchType] : []), applyPatchType]
  return unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )
}
