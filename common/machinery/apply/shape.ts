// How server-side apply sees a type: which parts are owned field by field, which as one piece, and how list items are told apart.
// Compiled from the definitions once per type. Source: structured-merge-diff schema, with the list and map types of the facts.
import type { Field, TypeFact } from '../../api/facts.ts'
import type { JsonObject } from '../json.ts'
import { getOwn, isJsonObject } from '../json.ts'
import type { Definitions } from '../schema/definitions.ts'
import { findDefinition } from '../schema/definitions.ts'

export type Shape =
  /** A single value, or something owned only as a whole. */
  | { kind: 'atom' }
  /** Free-form: objects are owned key by key, everything else as a whole. */
  | { kind: 'free' }
  | { kind: 'struct'; field: (name: string) => Child | undefined }
  | { kind: 'map'; item: () => Shape }
  | { kind: 'set' }
  | { kind: 'list'; keys: readonly string[]; defaults: Readonly<Record<string, unknown>>; item: () => Shape }

/** A named part of a value. */
export interface Child {
  readonly shape: Shape
  /** The type declares it, rather than the value having it as a key of a map. */
  readonly declared: boolean
  /** What it is called in a field set. */
  readonly element: string
}

const atom: Shape = { kind: 'atom' }
const free: Shape = { kind: 'free' }

/** Keys of list items that have a default, which the OpenAPI document does not tell. */
const keyDefaults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'io.k8s.api.core.v1.ContainerPort': { protocol: 'TCP' },
  'io.k8s.api.core.v1.ServicePort': { protocol: 'TCP' },
}

export class Shapes {
  readonly #definitions: Definitions
  readonly #byName = new Map<string, Shape>()

  constructor(definitions: Definitions) {
    this.#definitions = definitions
  }

  /** The shape of a definition by full name. */
  of(name: string): Shape {
    let shape = this.#byName.get(name)
    if (shape === undefined) {
      shape = this.#compile(name)
      this.#byName.set(name, shape)
    }
    return shape
  }

  #compile(name: string): Shape {
    const definition = findDefinition(this.#definitions, name)
    if (definition === undefined) return free
    if (definition.is !== undefined) return this.#ofType(definition.is)
    if (definition.mapType === 'atomic') return atom
    return this.#struct(definition.fields ?? {})
  }

  #struct(fields: Readonly<Record<string, Field>>): Shape {
    // Made once per field: every write walks its whole object by these.
    const children = new Map<string, Child>()
    return {
      kind: 'struct',
      field: (name) => {
        let child = children.get(name)
        if (child === undefined && Object.hasOwn(fields, name)) {
          child = { shape: this.#ofField(fields[name] as Field), declared: true, element: `f:${name}` }
          children.set(name, child)
        }
        return child
      },
    }
  }

  #ofField(field: Field): Shape {
    const { type } = field
    if (typeof type === 'object' && 'array' in type) return this.#list(field, type.array)
    if (field.mapType === 'atomic') return atom
    return this.#ofType(type)
  }

  #list(field: Field, item: TypeFact): Shape {
    if (field.listType === 'set') return { kind: 'set' }
    if (field.listType !== 'map') return atom
    const defaults = typeof item === 'object' && 'ref' in item ? (keyDefaults[item.ref] ?? {}) : {}
    return { kind: 'list', keys: [...(field.listMapKeys ?? [])].sort(), defaults, item: () => this.#ofType(item) }
  }

  #ofType(type: TypeFact): Shape {
    if (type === 'any') return free
    if (typeof type === 'string') return atom
    if ('ref' in type) return this.of(type.ref)
    if ('array' in type) return atom
    const item = type.map
    return { kind: 'map', item: () => this.#ofType(item) }
  }
}

/** How a value of a shape is walked: by named children, by list items, or not at all. */
export type Walk =
  | { kind: 'leaf' }
  | { kind: 'object'; value: JsonObject; child: (name: string) => Child }
  | { kind: 'items'; value: readonly unknown[]; element: (item: unknown) => string; shape: Shape }

const leaf: Walk = { kind: 'leaf' }

const undeclared = (name: string, shape: Shape): Child => ({ shape, declared: false, element: `f:${name}` })

export function walk(value: unknown, shape: Shape): Walk {
  switch (shape.kind) {
    case 'struct':
      if (!isJsonObject(value)) return leaf
      return {
        kind: 'object',
        value,
        child: (name) => shape.field(name) ?? undeclared(name, free),
      }
    case 'map':
    case 'free': {
      if (!isJsonObject(value)) return leaf
      const item = shape.kind === 'map' ? shape.item() : free
      return { kind: 'object', value, child: (name) => undeclared(name, item) }
    }
    case 'set':
      if (!Array.isArray(value)) return leaf
      return { kind: 'items', value, element: (item) => `v:${JSON.stringify(item)}`, shape: atom }
    case 'list':
      if (!Array.isArray(value)) return leaf
      return {
        kind: 'items',
        value,
        element: (item) => keyElement(item, shape.keys, shape.defaults),
        shape: shape.item(),
      }
    case 'atom':
      return leaf
  }
}

/** `k:{"containerPort":80,"protocol":"TCP"}`: the key fields of a list item, sorted by name. */
function keyElement(item: unknown, keys: readonly string[], defaults: Readonly<Record<string, unknown>>): string {
  const values: JsonObject = {}
  const object = isJsonObject(item) ? item : {}
  for (const key of keys) {
    const value = getOwn(object, key) ?? defaults[key]
    // Definitions exist whose key is optional and has no default (upstream leaves those out of the element, too).
    if (value !== undefined) values[key] = value
  }
  return `k:${JSON.stringify(values)}`
}
