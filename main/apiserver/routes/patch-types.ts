// The patch languages by content type, applied to the current state of an object.
import { isJsonObject, type JsonObject } from '../../../common/machinery/json.ts'
import { applyJsonPatch } from '../../../common/machinery/patch/json-patch.ts'
import { applyMergePatch } from '../../../common/machinery/patch/merge-patch.ts'
import { applyStrategicMergePatch } from '../../../common/machinery/patch/strategic-merge-patch.ts'
import type { FieldValidation } from '../../../common/machinery/schema/decode.ts'
import type { Definitions } from '../../../common/machinery/schema/definitions.ts'
import { describeJson } from '../../../common/machinery/schema/scalars.ts'
import { badRequest, type StatusError, unsupportedMediaType } from '../../../common/machinery/status.ts'
import { cborApplyPatchType } from '../cbor/media-types.ts'

export const jsonPatchType = 'application/json-patch+json'
export const mergePatchType = 'application/merge-patch+json'
export const strategicPatchType = 'application/strategic-merge-patch+json'
const applyPatchType = 'application/apply-patch+yaml'

export const isApplyPatch = (contentType: string): boolean =>
  contentType === applyPatchType || contentType === cborApplyPatchType

export interface PatchRequest {
  readonly contentType: string
  /** The parsed body. */
  readonly patch: unknown
  readonly fieldValidation: FieldValidation
  /** Where strategic merge finds its keys; undefined when the type is not known at compile time (custom resources). */
  readonly schema: { readonly root: string; readonly definitions: Definitions } | undefined
}

/** The patched document of a current one; throws StatusError when the body is no patch or does not apply. */
export function patcher({
  contentType,
  patch,
  fieldValidation,
  schema,
}: PatchRequest): (current: JsonObject) => JsonObject {
  switch (contentType) {
    case jsonPatchType:
      return (current) => {
        if (fieldValidation !== 'Ignore') requireOperations(patch)
        return applyJsonPatch(current, patch) as JsonObject
      }
    case mergePatchType:
      return (current) => {
        if (fieldValidation !== 'Ignore') requireMap(patch, 'error decoding patch: ')
        return applyMergePatch(current, patch)
      }
    case strategicPatchType:
      if (schema === undefined) break
      return (current) => {
        requireMap(patch)
        const { root: definition, definitions } = schema
        const result = applyStrategicMergePatch({ definitions, definition, document: current, patch })
        // The result is read into the type that it had: what the patch says of its type is not asked.
        return { ...result, apiVersion: current['apiVersion'], kind: current['kind'] }
      }
  }
  throw unknownPatch(schema !== undefined)
}

function requireMap(patch: unknown, prefix = ''): void {
  if (typeof patch !== 'object' || Array.isArray(patch))
    throw badRequest(
      `${prefix}json: cannot unmarshal ${describeJson(patch)} into Go value of type map[string]interface {}`,
    )
}

const operationMembers = ['op', 'path', 'from'] as const

function requireOperations(patch: unknown): void {
  const refuse = (value: unknown, target: string): StatusError =>
    badRequest(`error decoding patch: json: cannot unmarshal ${describeJson(value)} into Go ${target}`)
  if (!Array.isArray(patch)) throw refuse(patch, 'value of type []handlers.jsonPatchOp')
  for (const operation of patch as readonly unknown[]) {
    if (typeof operation !== 'object' || operation === null || Array.isArray(operation))
      throw refuse(operation, 'value of type handlers.jsonPatchOp')
    for (const member of operationMembers) {
      const value = (operation as Record<string, unknown>)[member]
      if (value !== undefined && value !== null && typeof value !== 'string')
        throw refuse(value, `struct field jsonPatchOp.${member} of type string`)
    }
  }
}

/** Members of JSON patch operations that mean nothing, as warnings name them. */
export function unknownMembers(patch: unknown): string[] {
  if (!Array.isArray(patch)) return []
  return (patch as readonly unknown[]).flatMap((operation, index) =>
    Object.keys(isJsonObject(operation) ? operation : {}).flatMap((member) =>
      ['op', 'path', 'from', 'value'].includes(member) ? [] : [`unknown field "[${String(index)}].${member}"`],
    ),
  )
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
