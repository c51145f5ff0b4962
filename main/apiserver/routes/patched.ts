// What a patch made of an object, read as the object's type. A result that cannot be read, or not strictly, is the patch's fault: 422
// that shows the patch (strategic merge) or the whole result, as upstream answers.
import { invalidValue } from '../../../common/machinery/field-error.ts'
import { type JsonObject, isJsonObject } from '../../../common/machinery/json.ts'
import { DecodeError } from '../../../common/machinery/schema/decode.ts'
import { invalid, StatusError } from '../../../common/machinery/status.ts'
import { type CallBody } from './api-call.ts'
import { jsonPatchType, patcher, type PatchRequest, strategicPatchType, unknownMembers } from './patch-types.ts'

export interface Patch {
  /** Duplicate and unknown fields of the patch itself. */
  readonly problems: readonly string[]
  /** Patches `current` and gives the result to `decode`. Throws StatusError. */
  apply<T>(current: object, decode: (result: JsonObject) => T): T
}

export function newPatch(request: Omit<PatchRequest, 'patch'>, body: CallBody): Patch {
  const { contentType, fieldValidation } = request
  const patch = body.value
  const change = patcher({ ...request, patch })
  const isJsonPatch = contentType === jsonPatchType
  const problems =
    fieldValidation === 'Ignore'
      ? []
      : [...body.duplicates, ...(isJsonPatch ? unknownMembers(patch) : [])].map((problem) =>
          isJsonPatch ? `json patch ${problem}` : problem,
        )
  return {
    problems,
    apply(current, decode) {
      const result = change(current as JsonObject)
      try {
        return decode(result)
      } catch (error) {
        if (!(error instanceof StatusError) || !(error.cause instanceof DecodeError)) throw error
        const strategic = contentType === strategicPatchType
        throw invalid({ group: '', kind: '' }, '', [
          invalidValue(
            'patch',
            strategic ? goText(patch) : JSON.stringify(result),
            strategic ? conversionProblem(error.cause) : error.cause.message,
          ),
        ])
      }
    },
  }
}

/** Strategic merge converts values instead of parsing text, and says so in other words. */
function conversionProblem({ message, mismatch }: DecodeError): string {
  if (mismatch === undefined) return message
  const { goType } = mismatch
  const found = { object: 'map', array: 'slice', number: 'int64' }[mismatch.found] ?? mismatch.found
  if (goType.startsWith('map[')) return `cannot restore map from ${found}`
  if (goType.startsWith('[]')) return `cannot restore slice from ${found}`
  if (goType.includes('.')) return `cannot restore struct from: ${found}`
  return found === 'int64' && goType === 'string' ? 'cannot convert int64 to string' : `unrecognized type: ${goType}`
}

/** JSON as Go prints it with %+v: map[a:1 b:[x y]]. */
function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (isJsonObject(value))
    return `map[${Object.keys(value)
      .sort()
      .map((key) => `${key}:${goText(value[key])}`)
      .join(' ')}]`
  return typeof value === 'string' ? value : JSON.stringify(value)
}
