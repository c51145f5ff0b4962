// Strategic merge patch: a merge patch that knows lists. Which lists merge, and by which key, comes from the definitions; the
// $-directives say the rest. Pure: neither document nor patch is changed. Source: apimachinery pkg/util/strategicpatch.
import type { Field, TypeFact } from '../../api/facts.ts'
import type { JsonObject } from '../json.ts'
import { getOwn, isJsonObject, jsonEqual, setOwn } from '../json.ts'
import type { Definitions } from '../schema/definitions.ts'
import { findDefinition } from '../schema/definitions.ts'
import { badRequest } from '../status.ts'
import { orderElements } from './element-order.ts'
import { patchDoesNotApply } from './patch-error.ts'

const directive = '$patch'
const retainKeys = '$retainKeys'
const setElementOrder = '$setElementOrder/'
const deleteFromPrimitiveList = '$deleteFromPrimitiveList/'

/** Applies a parsed patch body to an object of the named definition. Throws StatusError 400 or 422. */
export function applyStrategicMergePatch(options: {
  definitions: Definitions
  definition: string
  document: JsonObject
  patch: unknown
}): JsonObject {
  const { definitions, definition, document, patch } = options
  if (!isJsonObject(patch)) throw badRequest('invalid JSON document')
  return new StrategicMerge(definitions).mergeMap(document, patch, { ref: definition })
}

class StrategicMerge {
  readonly #definitions: Definitions

  constructor(definitions: Definitions) {
    this.#definitions = definitions
  }

  mergeMap(original: JsonObject, patch: JsonObject, type: TypeFact): JsonObject {
    const marker = getOwn(patch, directive)
    if (marker !== undefined) return this.#directedMap(original, patch, marker, type)
    const result = applyRetainKeys(original, patch)
    const done = new Set<string>([retainKeys])
    for (const key of Object.keys(patch)) {
      if (!key.startsWith(setElementOrder)) continue
      done.add(key)
      const name = key.slice(setElementOrder.length)
      if (this.#mergeOrdered(result, patch, name, patch[key], type)) done.add(name)
    }
    for (const key of Object.keys(patch)) {
      if (done.has(key)) continue
      if (key.startsWith(deleteFromPrimitiveList)) {
        deleteScalars(result, key.slice(deleteFromPrimitiveList.length), patch[key])
      } else {
        this.#mergeField(result, key, patch[key], type)
      }
    }
    return result
  }

  #directedMap(original: JsonObject, patch: JsonObject, marker: unknown, type: TypeFact): JsonObject {
    if (marker === 'delete') return {}
    const { [directive]: _, ...rest } = patch
    if (marker === 'replace') return rest
    if (marker === 'merge') return this.mergeMap(original, rest, type)
    throw badRequest(`unknown patch type: ${JSON.stringify(marker)} in map: ${JSON.stringify(patch)}`)
  }

  #mergeField(result: JsonObject, key: string, change: unknown, type: TypeFact): void {
    if (change === null || change === undefined) {
      Reflect.deleteProperty(result, key)
      return
    }
    const old = getOwn(result, key)
    if (isJsonObject(change)) {
      const field = this.#field(type, key)
      const replaces = strategyOf(field) === 'replace'
      const base = isJsonObject(old) && !replaces ? old : {}
      setOwn(result, key, this.mergeMap(base, change, field?.type ?? 'any'))
    } else if (Array.isArray(change)) {
      const field = this.#field(type, key)
      const merges = strategyOf(field) === 'merge'
      setOwn(
        result,
        key,
        merges ? this.#mergeList(Array.isArray(old) ? old : [], change, field as Field) : change.map(withoutDirectives),
      )
    } else {
      setOwn(result, key, change)
    }
  }

  /** A list with its own $setElementOrder: merged, then ordered as the directive says. False when there is nothing to order. */
  #mergeOrdered(result: JsonObject, patch: JsonObject, name: string, order: unknown, type: TypeFact): boolean {
    if (!Array.isArray(order)) throw badRequest('invalid patch format of setElementOrder list')
    const field = this.#field(type, name)
    if (field === undefined) throw badRequest(`unable to find api field in struct for the json field "${name}"`)
    const original = getOwn(result, name)
    const change = getOwn(patch, name)
    if (original !== undefined && !Array.isArray(original)) throw badRequest(`expected a list in field "${name}"`)
    if (change === null) return false
    if (change !== undefined && !Array.isArray(change)) throw badRequest(`expected a list in field "${name}"`)
    if (original === undefined && change === undefined) return false
    const mergeKey = field.patchMergeKey
    if (change !== undefined) checkOrderCovers(change, order, mergeKey)
    const merged =
      change === undefined
        ? (original as unknown[])
        : strategyOf(field) === 'merge'
          ? this.#mergeList((original ?? []) as unknown[], change, field)
          : change
    setOwn(result, name, orderElements({ merged, wanted: order, live: (original ?? []) as unknown[], mergeKey }))
    return true
  }

  #mergeList(original: readonly unknown[], patch: readonly unknown[], field: Field): unknown[] {
    const kinds = new Set([...original, ...patch].map(elementKind))
    if (kinds.has('list')) throw patchDoesNotApply('lists of lists are not supported')
    if (kinds.size > 1) throw badRequest('list element types are not identical')
    const mergeKey = field.patchMergeKey
    if (!kinds.has('map')) {
      const merged = distinct([...original, ...patch])
      return orderElements({ merged, wanted: patch, live: original, mergeKey: undefined })
    }
    if (mergeKey === undefined) throw badRequest('cannot merge lists without merge key')
    const itemType = typeof field.type === 'object' && 'array' in field.type ? field.type.array : 'any'
    const { base, changes } = applyListDirectives(original as JsonObject[], patch as JsonObject[], mergeKey)
    const merged = [...base]
    // The first of each key; found by text, because lists can be long.
    const places = new Map<string | undefined, number>()
    for (const [index, item] of base.entries()) {
      const key = keyText(getOwn(item, mergeKey))
      if (!places.has(key)) places.set(key, index)
    }
    for (const change of changes) {
      const key = keyText(requireMergeKey(change, mergeKey))
      const at = places.get(key)
      if (at === undefined) {
        places.set(key, merged.length)
        merged.push(this.mergeMap({}, change, itemType))
      } else {
        merged[at] = this.mergeMap(merged[at] as JsonObject, change, itemType)
      }
    }
    return orderElements({ merged, wanted: changes, live: original, mergeKey })
  }

  /** What the definitions say of a field of this type; undefined for free-form values. */
  #field(type: TypeFact, name: string): Field | undefined {
    if (typeof type === 'string' || 'array' in type) return undefined
    if ('map' in type) return { type: type.map }
    const definition = findDefinition(this.#definitions, type.ref)
    if (definition?.fields === undefined) return undefined
    // A field nobody knows is merged as free-form; decoding drops or refuses it afterwards.
    return Object.hasOwn(definition.fields, name) ? definition.fields[name] : undefined
  }
}

const keyText = (value: unknown): string | undefined => (value === undefined ? undefined : JSON.stringify(value))

/** The strategy for the value itself; retainKeys works through its own directive. */
const strategyOf = (field: Field | undefined): string | undefined =>
  field?.patchStrategy?.split(',').find((strategy) => strategy !== 'retainKeys')

function applyRetainKeys(original: JsonObject, patch: JsonObject): JsonObject {
  const keep = getOwn(patch, retainKeys)
  if (keep === undefined) return { ...original }
  if (!Array.isArray(keep)) throw badRequest('invalid patch format of retainKeys')
  const kept = new Set<unknown>(keep)
  for (const key of Object.keys(patch)) {
    const isDirective = key === retainKeys || key.startsWith(deleteFromPrimitiveList) || key.startsWith(setElementOrder)
    if (isDirective || patch[key] === null || kept.has(key)) continue
    throw patchDoesNotApply("patch content doesn't match retainKeys list")
  }
  const result: JsonObject = {}
  for (const key of Object.keys(original)) if (kept.has(key)) setOwn(result, key, original[key])
  return result
}

function deleteScalars(result: JsonObject, name: string, remove: unknown): void {
  if (!Array.isArray(remove) || name === '') throw badRequest('invalid patch format of primitive list')
  const old = getOwn(result, name)
  if (!Array.isArray(old)) return
  const gone = new Set<unknown>(remove)
  setOwn(
    result,
    name,
    old.filter((item) => !gone.has(item)),
  )
}

/** Takes `$patch: delete` and `$patch: replace` elements out of a patch list and does what they say. */
function applyListDirectives(
  original: readonly JsonObject[],
  patch: readonly JsonObject[],
  mergeKey: string,
): { base: readonly JsonObject[]; changes: readonly JsonObject[] } {
  const gone = new Set<string | undefined>()
  let replaces = false
  const changes: JsonObject[] = []
  for (const item of patch) {
    const marker = getOwn(item, directive)
    if (marker === undefined) {
      changes.push(item)
    } else if (marker === 'delete') {
      gone.add(keyText(requireMergeKey(item, mergeKey)))
    } else if (marker === 'replace') {
      replaces = true
    } else if (marker === 'merge') {
      throw badRequest('merging lists cannot yet be specified in the patch')
    } else {
      throw badRequest(`unknown patch type: ${JSON.stringify(marker)} in map: ${JSON.stringify(item)}`)
    }
  }
  const kept = gone.size === 0 ? original : original.filter((old) => !gone.has(keyText(getOwn(old, mergeKey))))
  return { base: replaces ? [] : kept, changes }
}

function requireMergeKey(item: JsonObject, mergeKey: string): unknown {
  const value = getOwn(item, mergeKey)
  if (value === undefined) {
    throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`)
  }
  return value
}

/** The patch list must be a subsequence of the wanted order, elements to delete left aside. */
function checkOrderCovers(patch: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): void {
  if (order.length === 0) return
  const keyOf = (item: unknown): unknown =>
    mergeKey === undefined ? item : isJsonObject(item) ? requireMergeKey(item, mergeKey) : item
  const items = patch.filter((item) => !isJsonObject(item) || getOwn(item, directive) === undefined)
  let at = 0
  for (const wanted of order) {
    if (at < items.length && jsonEqual(keyOf(items[at]), keyOf(wanted))) at += 1
  }
  if (at < items.length) {
    throw badRequest(
      `The order in patch list:\n${JSON.stringify(patch)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`,
    )
  }
}

/** A value taken over whole: directives and nulls inside it have nothing to act on. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives)
  if (!isJsonObject(value)) return value
  const result: JsonObject = {}
  for (const key of Object.keys(value)) {
    const isDirective =
      key === directive ||
      key === retainKeys ||
      key.startsWith(setElementOrder) ||
      key.startsWith(deleteFromPrimitiveList)
    if (!isDirective && value[key] !== null) setOwn(result, key, withoutDirectives(value[key]))
  }
  return result
}

const elementKind = (item: unknown): string => (Array.isArray(item) ? 'list' : isJsonObject(item) ? 'map' : typeof item)

const distinct = (items: readonly unknown[]): unknown[] => [...new Set(items)]
