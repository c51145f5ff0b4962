// JSON Patch (RFC 6902) by copying only what changes: the document is never mutated and untouched parts are shared.
// Errors are those of the API server: 400 for a patch that is none, 413 for too many operations, 422 when it does not apply.
import { cloneJson, isJsonObject, jsonEqual, setOwn } from '../json.ts'
import type { JsonObject } from '../json.ts'
import { badRequest, requestTooLarge } from '../status.ts'
import { patchDoesNotApply } from './patch-error.ts'

const maxOperations = 10_000
/** What all copies of a patch may add together: copies of copies double. */
const maxCopiedCharacters = 3 * 1024 * 1024

type Container = JsonObject | unknown[]

/** Applies a parsed patch body. Throws StatusError. */
export function applyJsonPatch(document: JsonObject, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw badRequest(`json: cannot unmarshal ${kindOf(patch)} into Go value of type jsonpatch.Patch`)
  if (patch.length > maxOperations) {
    throw requestTooLarge(
      `The allowed maximum operations in a JSON patch is ${String(maxOperations)}, got ${String(patch.length)}`,
    )
  }
  const target = new PatchTarget(document)
  for (const operation of patch) {
    if (!isJsonObject(operation)) {
      throw badRequest(`json: cannot unmarshal ${kindOf(operation)} into Go value of type jsonpatch.Operation`)
    }
    applyOperation(target, operation)
  }
  return target.root
}

const kindOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value

function applyOperation(target: PatchTarget, operation: JsonObject): void {
  const { op } = operation
  const path = pointer(operation, 'path')
  switch (op) {
    case 'add':
      target.add(path, requireValue(operation))
      return
    case 'remove':
      target.remove(path)
      return
    case 'replace':
      target.replace(path, requireValue(operation))
      return
    case 'move': {
      const from = pointer(operation, 'from')
      const value = target.get(from)
      if (isInside(path, from)) throw patchDoesNotApply('a value cannot be moved into itself')
      target.remove(from)
      target.add(path, value)
      return
    }
    case 'copy': {
      const value = target.get(pointer(operation, 'from'))
      target.copied += JSON.stringify(value).length
      if (target.copied > maxCopiedCharacters) {
        throw patchDoesNotApply(
          `Unable to complete the copy, the accumulated size increase of copy is ${String(target.copied)}, exceeding the limit ${String(maxCopiedCharacters)}`,
        )
      }
      target.add(path, cloneJson(value))
      return
    }
    case 'test':
      if (!jsonEqual(target.find(path) ?? null, operation['value'] ?? null)) {
        throw patchDoesNotApply(`testing value ${String(operation['path'])} failed`)
      }
      return
    default:
      throw patchDoesNotApply(`Unexpected kind: ${String(op)}`)
  }
}

function requireValue(operation: JsonObject): unknown {
  if (!Object.hasOwn(operation, 'value')) throw patchDoesNotApply('missing value')
  return operation['value']
}

function pointer(operation: JsonObject, member: 'path' | 'from'): string[] {
  const text = operation[member]
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/'))) {
    throw patchDoesNotApply(`operation has no usable ${member}`)
  }
  return text
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

const isInside = (path: readonly string[], container: readonly string[]): boolean =>
  path.length > container.length && container.every((token, index) => path[index] === token)

/** The document in work: containers are copied the first time something inside them changes. */
class PatchTarget {
  root: unknown
  /** Characters of JSON that copies have added. */
  copied = 0
  readonly #owned = new Set<Container>()

  constructor(document: unknown) {
    this.root = document
  }

  /** The value at a path, or undefined. */
  find(path: readonly string[]): unknown {
    let value = this.root
    for (const token of path) {
      if (Array.isArray(value)) value = isIndex(token) ? value[Number(token)] : undefined
      else if (isJsonObject(value) && Object.hasOwn(value, token)) value = value[token]
      else return undefined
    }
    return value
  }

  get(path: readonly string[]): unknown {
    const value = this.find(path)
    if (value === undefined) throw missing(path)
    return value
  }

  add(path: readonly string[], value: unknown): void {
    if (path.length === 0) {
      this.root = value
      return
    }
    const { parent, last } = this.#parent(path)
    if (!Array.isArray(parent)) {
      setOwn(parent, last, value)
      return
    }
    const index = last === '-' ? parent.length : isIndex(last) ? Number(last) : -1
    if (index < 0 || index > parent.length) throw missing(path)
    parent.splice(index, 0, value)
  }

  remove(path: readonly string[]): void {
    this.get(path)
    if (path.length === 0) throw missing(path)
    const { parent, last } = this.#parent(path)
    if (Array.isArray(parent)) parent.splice(Number(last), 1)
    else Reflect.deleteProperty(parent, last)
  }

  replace(path: readonly string[], value: unknown): void {
    this.get(path)
    if (path.length === 0) {
      this.root = value
      return
    }
    const { parent, last } = this.#parent(path)
    if (Array.isArray(parent)) parent[Number(last)] = value
    else setOwn(parent, last, value)
  }

  /** The container a path ends in, writable. */
  #parent(path: readonly string[]): { parent: Container; last: string } {
    let parent = this.#writable(this.root, path)
    this.root = parent
    for (const token of path.slice(0, -1)) {
      let next: unknown
      if (Array.isArray(parent)) next = isIndex(token) ? parent[Number(token)] : undefined
      else next = Object.hasOwn(parent, token) ? parent[token] : undefined
      const copy = this.#writable(next, path)
      if (Array.isArray(parent)) parent[Number(token)] = copy
      else setOwn(parent, token, copy)
      parent = copy
    }
    return { parent, last: path[path.length - 1] as string }
  }

  #writable(value: unknown, path: readonly string[]): Container {
    if (!Array.isArray(value) && !isJsonObject(value)) throw missing(path)
    if (this.#owned.has(value)) return value
    const copy: Container = Array.isArray(value) ? [...(value as unknown[])] : { ...value }
    this.#owned.add(copy)
    return copy
  }
}

const isIndex = (token: string): boolean => /^(0|[1-9][0-9]{0,9})$/.test(token)

const missing = (path: readonly string[]): Error => patchDoesNotApply(`doc is missing path: /${path.join('/')}`)
