// Definitions (facts, own groups) as OpenAPI schemas.
import type { Definition, Field, TypeFact } from '../../../common/api/facts.ts'
import type { Definitions } from '../../../common/machinery/schema/definitions.ts'

export type JsonSchema = Record<string, unknown>

/** "v3" wraps references in allOf, so that attributes can stand beside them; "v2" puts them bare. */
export interface SchemaDialect {
  readonly refPrefix: string
  readonly wrapRefs: boolean
}

export const v3Dialect: SchemaDialect = { refPrefix: '#/components/schemas/', wrapRefs: true }
export const v2Dialect: SchemaDialect = { refPrefix: '#/definitions/', wrapRefs: false }

const scalars: Readonly<Record<string, JsonSchema>> = {
  string: { type: 'string' },
  bytes: { type: 'string', format: 'byte' },
  time: { type: 'string', format: 'date-time' },
  'micro-time': { type: 'string', format: 'date-time' },
  boolean: { type: 'boolean' },
  number: { type: 'number', format: 'double' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  any: {},
}

function typeSchema(type: TypeFact, dialect: SchemaDialect): JsonSchema {
  if (typeof type === 'string') {
    if (type === 'quantity')
      return dialect.wrapRefs ? { oneOf: [{ type: 'string' }, { type: 'number' }] } : { type: 'string' }
    if (type === 'int-or-string')
      return dialect.wrapRefs
        ? { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] }
        : { type: 'string', format: 'int-or-string' }
    return { ...scalars[type] }
  }
  if ('ref' in type) return { $ref: `${dialect.refPrefix}${type.ref}` }
  if ('array' in type) return { type: 'array', items: itemSchema(type.array, dialect) }
  return { type: 'object', additionalProperties: itemSchema(type.map, dialect) }
}

function itemSchema(type: TypeFact, dialect: SchemaDialect): JsonSchema {
  const schema = typeSchema(type, dialect)
  return '$ref' in schema && dialect.wrapRefs ? { allOf: [schema], default: {} } : schema
}

function fieldSchema(field: Field, dialect: SchemaDialect, description: string | undefined): JsonSchema {
  const bare = typeSchema(field.type, dialect)
  const schema: JsonSchema = description === undefined ? {} : { description }
  Object.assign(schema, '$ref' in bare && dialect.wrapRefs ? { allOf: [bare] } : bare)
  if (field.default !== undefined) schema['default'] = field.default
  if (field.listType !== undefined) schema['x-kubernetes-list-type'] = field.listType
  if (field.listMapKeys !== undefined) schema['x-kubernetes-list-map-keys'] = field.listMapKeys
  if (field.mapType !== undefined) schema['x-kubernetes-map-type'] = field.mapType
  if (field.patchMergeKey !== undefined) schema['x-kubernetes-patch-merge-key'] = field.patchMergeKey
  if (field.patchStrategy !== undefined) schema['x-kubernetes-patch-strategy'] = field.patchStrategy
  return schema
}

/** What a definition and its fields are for, in words. */
export interface DefinitionTexts {
  readonly text: string
  field(name: string): string | undefined
}

export function definitionSchema(definition: Definition, dialect: SchemaDialect, texts?: DefinitionTexts): JsonSchema {
  const description = texts === undefined || texts.text === '' ? {} : { description: texts.text }
  if (definition.is !== undefined) return { ...description, ...typeSchema(definition.is, dialect) }
  const fields = Object.entries(definition.fields ?? {})
  const required = fields.filter(([, field]) => field.required === true).map(([name]) => name)
  return {
    ...description,
    type: 'object',
    ...(fields.length === 0
      ? {}
      : {
          properties: Object.fromEntries(
            fields.map(([name, field]) => [name, fieldSchema(field, dialect, texts?.field(name))]),
          ),
        }),
    ...(required.length === 0 ? {} : { required }),
    ...(definition.mapType === undefined ? {} : { 'x-kubernetes-map-type': definition.mapType }),
  }
}

/** A definition and everything it refers to, into `found`. */
export function collectDefinitions(name: string, definitions: Definitions, found: Map<string, Definition>): void {
  if (found.has(name)) return
  const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined
  if (definition === undefined) return
  found.set(name, definition)
  const visit = (type: TypeFact): void => {
    if (typeof type === 'string') return
    if ('ref' in type) collectDefinitions(type.ref, definitions, found)
    else visit('array' in type ? type.array : type.map)
  }
  if (definition.is !== undefined) visit(definition.is)
  for (const field of Object.values(definition.fields ?? {})) visit(field.type)
}
