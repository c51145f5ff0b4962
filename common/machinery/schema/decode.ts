// Decoding: a parsed JSON value checked against a definition and brought to the form in which it is stored. Unknown fields and
// nulls are dropped as Go's decoder drops them; the paths of unknown ones are collected; a wrong type ends it with upstream's words.
// Each definition is compiled once into closures, because this runs for every write.
import type { Field, TypeFact } from '../../api/facts.ts'
import type { JsonObject } from '../json.ts'
import { setOwn } from '../json.ts'
import { badRequest } from '../status.ts'
import type { Definitions } from './definitions.ts'
import { goTypeName, requireDefinition, shortName } from './definitions.ts'
import { describeJson, scalarDecoders, zeroScalars, UnreadableValueError, WrongTypeError } from './scalars.ts'
import { isAlwaysThere, zeroValue } from './zero-values.ts'

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

/** The value cannot be read as the definition; the message is the part upstream puts after "cannot be handled as a X: ". */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  /** Where a value has another type than its field: what it is in JSON's words, and the field's type as Go calls it. */
  readonly mismatch: { readonly found: string; readonly goType: string } | undefined

  constructor(message: string, options?: ErrorOptions & { readonly mismatch?: DecodeError['mismatch'] }) {
    super(message, options)
    this.mismatch = options?.mismatch
  }
}

export interface DecodeResult {
  /** A new object; scalars and `any` parts are shared with the input. */
  value: JsonObject
  /** `unknown field "spec.foo"` for each dropped field, at most 100. */
  unknown: string[]
}

export interface Decoder {
  /** Throws DecodeError. `name`: full definition name. `fill`: fields that Go's types always have get their zero value when absent. */
  decode(name: string, value: unknown, options?: { readonly fill?: boolean }): DecodeResult
}

/** Upstream stops reporting after so many. */
const maxReported = 100
/** Deeper input is refused rather than recursed into. */
const maxDepth = 500

type PathStep = { field: string } | { index: number } | { key: string }

interface Context {
  /** From the root to the value in hand; one array, pushed and popped. */
  path: PathStep[]
  /** Name of the innermost definition, which Go names in type errors. */
  struct: string
  unknown: string[]
  fill: boolean
}

type Decode = (value: unknown, context: Context) => unknown

export function createDecoder(definitions: Definitions): Decoder {
  const compiled = new Map<string, Decode>()

  const decodeRef = (name: string): Decode => {
    let decode = compiled.get(name)
    if (decode === undefined) {
      // Definitions may contain themselves: register a forwarder before compiling the inside.
      let inner: Decode | undefined
      compiled.set(name, (value, context) => (inner ??= compileDefinition(name))(value, context))
      inner = compileDefinition(name)
      compiled.set(name, inner)
      decode = inner
    }
    return decode
  }

  const compileDefinition = (name: string): Decode => {
    const definition = requireDefinition(definitions, name)
    if (definition.is !== undefined) return compileType(definition.is)
    return compileStruct(shortName(name), goTypeName({ ref: name }), definition.fields ?? {})
  }

  const compileType = (type: TypeFact): Decode => {
    if (typeof type === 'string') return compileScalar(scalarDecoders[type], goTypeName(type))
    if ('ref' in type) {
      let decode: Decode | undefined
      return (value, context) => (decode ??= decodeRef(type.ref))(value, context)
    }
    return 'array' in type ? compileArray(type.array) : compileMap(type.map)
  }

  const compileStruct = (struct: string, goType: string, fields: Readonly<Record<string, Field>>): Decode => {
    const table = new Map<string, CompiledField>()
    const zeros: { name: string; zero: (context: Context) => unknown }[] = []
    for (const [name, field] of Object.entries(fields)) {
      if (isAlwaysThere(definitions, struct, name, field)) zeros.push({ name, zero: compileZero(field.type) })
      table.set(name, { step: { field: name }, decode: compileType(field.type), dropEmpty: isDroppedWhenEmpty(field) })
    }
    return (value, context) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(value, goType, context)
      if (context.path.length > maxDepth) throw new DecodeError('exceeded max depth')
      const outer = context.struct
      const result: JsonObject = {}
      for (const name of Object.keys(value)) {
        const field = table.get(name)
        if (field === undefined) {
          if (context.unknown.length < maxReported) context.unknown.push(`unknown field "${strictPath(context, name)}"`)
          continue
        }
        const given = (value as JsonObject)[name]
        // Callers in this process write undefined where JSON would have nothing.
        if (given === null || given === undefined) continue
        context.struct = struct
        context.path.push(field.step)
        const decoded = field.decode(given, context)
        context.path.pop()
        if (field.dropEmpty && isEmpty(decoded)) continue
        result[name] = decoded
      }
      if (context.fill) for (const { name, zero } of zeros) if (!(name in result)) result[name] = zero(context)
      context.struct = outer
      return result
    }
  }

  const compileZero = (type: TypeFact): ((context: Context) => unknown) => {
    if (typeof type === 'string') return () => zeroScalars[type]
    if ('array' in type) return () => []
    if ('map' in type) return () => ({})
    if (requireDefinition(definitions, type.ref).is !== undefined) return () => zeroValue(type, definitions)
    const decode = compileType(type)
    return (context) => decode({}, context)
  }

  /** A null inside a list or map. */
  const compileNull = (item: TypeFact): ((context: Context) => unknown) =>
    typeof item === 'object' && 'ref' in item ? compileZero(item) : () => zeroValue(item, definitions)

  const compileArray = (item: TypeFact): Decode => {
    const decodeItem = compileType(item)
    const zero = compileNull(item)
    const goType = goTypeName({ array: item })
    return (value, context) => {
      if (!Array.isArray(value)) throw wrongType(value, goType, context)
      const result: unknown[] = new Array<unknown>(value.length)
      for (let index = 0; index < value.length; index += 1) {
        const given: unknown = value[index]
        context.path.push({ index })
        result[index] = given === null ? zero(context) : decodeItem(given, context)
        context.path.pop()
      }
      return result
    }
  }

  const compileMap = (item: TypeFact): Decode => {
    const decodeItem = compileType(item)
    const zero = compileNull(item)
    const goType = goTypeName({ map: item })
    return (value, context) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(value, goType, context)
      const result: JsonObject = {}
      for (const key of Object.keys(value)) {
        const given = (value as JsonObject)[key]
        if (given === undefined) continue
        context.path.push({ key })
        const decoded = given === null ? zero(context) : decodeItem(given, context)
        context.path.pop()
        setOwn(result, key, decoded)
      }
      return result
    }
  }

  return {
    decode(name, value, { fill = false } = {}) {
      const context: Context = { path: [], struct: '', unknown: [], fill }
      const decode = decodeRef(name)
      return { value: decode(value, context) as JsonObject, unknown: context.unknown }
    },
  }
}

interface CompiledField {
  step: PathStep
  decode: Decode
  dropEmpty: boolean
}

/** Lists and maps that are empty are not written by Go (`omitempty`), unless the field is required. */
const isDroppedWhenEmpty = (field: Field): boolean =>
  field.required !== true && typeof field.type === 'object' && !('ref' in field.type)

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0
  for (const key in value as object) if (Object.hasOwn(value as object, key)) return false
  return true
}

function compileScalar(decode: (value: unknown) => unknown, goType: string): Decode {
  return (value, context) => {
    try {
      return decode(value)
    } catch (error) {
      if (error instanceof WrongTypeError) throw wrongType(value, goType, context, error.described)
      if (error instanceof UnreadableValueError) throw new DecodeError(error.message, { cause: error })
      throw error
    }
  }
}

function wrongType(value: unknown, goType: string, context: Context, described = describeJson(value)): DecodeError {
  const fields = context.path.flatMap((step) => ('field' in step ? [step.field] : []))
  const target =
    fields.length === 0 ? 'Go value of type ' : `Go struct field ${context.struct}.${fields.join('.')} of type `
  return new DecodeError(`json: cannot unmarshal ${described} into ${target}${goType}`, {
    mismatch: { found: describeJson(value), goType },
  })
}

/** "spec.containers[0].name": the path form of strict decoding errors. */
function strictPath(context: Context, last: string): string {
  let text = ''
  for (const step of context.path) {
    if ('index' in step) text += `[${String(step.index)}]`
    else text += `${text === '' ? '' : '.'}${'field' in step ? step.field : step.key}`
  }
  return text === '' ? last : `${text}.${last}`
}

export interface DecodeRequest {
  decoder: Decoder
  /** Full definition name. */
  definition: string
  value: unknown
  fieldValidation: FieldValidation
  /** For messages: what the body says it is. */
  version: string
  kind: string
  /** Duplicate fields found by `findDuplicateFields` in the text, when it was searched. */
  duplicates?: readonly string[]
  /** See Decoder. */
  fill?: boolean
}

/**
 * Decodes a request body as the fieldValidation parameter says: unknown and duplicate fields are dropped (Ignore), returned as
 * warnings (Warn) or refused (Strict). Throws StatusError 400 with upstream's message;
 * its cause is the DecodeError.
 */
export function decodeBody(request: DecodeRequest): { value: JsonObject; warnings: string[] } {
  const { decoder, definition, value, fieldValidation, version, kind, duplicates = [], fill = false } = request
  const refuse = (cause: DecodeError): Error => {
    const error = badRequest(
      `${kind} in version "${version}" cannot be handled as a ${shortName(definition)}: ${cause.message}`,
    )
    error.cause = cause
    return error
  }
  let result: DecodeResult
  try {
    result = decoder.decode(definition, value, { fill })
  } catch (error) {
    if (error instanceof DecodeError) throw refuse(error)
    throw error
  }
  if (fieldValidation === 'Ignore') return { value: result.value, warnings: [] }
  const problems = inOrderOf(value, [...duplicates, ...result.unknown]).slice(0, maxReported)
  if (fieldValidation === 'Strict' && problems.length > 0) throw refuse(new DecodeError(strictMessage(problems)))
  return { value: result.value, warnings: problems }
}

/** As a reader of the document meets them; duplicates and unknown fields are found apart. */
function inOrderOf(value: unknown, problems: readonly string[]): readonly string[] {
  if (problems.length < 2) return problems
  // One look at each object, however many problems it has: bodies may have a hundred thousand fields.
  const known = new Map<object, Map<string, number>>()
  const positions = (at: object): Map<string, number> => {
    let found = known.get(at)
    if (found === undefined) known.set(at, (found = new Map(Object.keys(at).map((name, index) => [name, index]))))
    return found
  }
  const places = new Map(
    problems.map((problem) => [problem, placeOf(value, problem.slice(problem.indexOf('"')), positions)]),
  )
  return [...problems].sort((a, b) => comparePlaces(places.get(a) ?? [], places.get(b) ?? []))
}

/** The position of each step of a path ('"spec.containers[0].name"') among its neighbours. */
function placeOf(value: unknown, path: string, positions: (at: object) => ReadonlyMap<string, number>): number[] {
  const place: number[] = []
  let at = value
  for (const step of path.match(/\[\d+\]|[^".[\]]+/g) ?? []) {
    if (typeof at !== 'object' || at === null) break
    const name = step.startsWith('[') ? step.slice(1, -1) : step
    place.push(positions(at).get(name) ?? -1)
    at = (at as JsonObject)[name]
  }
  return place
}

function comparePlaces(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((step, depth) => step !== b[depth])
  return index < 0 ? a.length - b.length : (a[index] ?? 0) - (b[index] ?? -1)
}

export const strictMessage = (problems: readonly string[]): string => `strict decoding error: ${problems.join(', ')}`
