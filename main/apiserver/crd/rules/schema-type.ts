// The CEL type of what a structural schema describes. Fields without a type, or with a name no expression can write, are not there.
import { bool, type CelType, double, dyn, int, listOf, mapOf, string } from '../../cel/types.ts'
import type { Schema } from '../structural-schema.ts'

const keywords = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

/** How expressions call a property; undefined when they cannot. */
export function escapeName(name: string): string | undefined {
  if (keywords.has(name)) return `__${name}__`
  if (!/^[A-Za-z_][A-Za-z0-9_./-]*$/.test(name)) return undefined
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__')
}

const typeMeta = { apiVersion: { type: 'string' }, kind: { type: 'string' } } as const
const objectMeta = {
  type: 'object',
  properties: { name: { type: 'string' }, generateName: { type: 'string' } },
} as const

/** `isResource`: a whole object, whose type and name are always there. `name` tells object types apart. */
export function typeOfSchema(schema: Schema, isResource: boolean, name = 'selfType'): CelType | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return dyn
  switch (schema.type) {
    case 'boolean':
      return bool
    case 'integer':
      return int
    case 'number':
      return double
    case 'string':
      return stringType(schema.format)
    case 'array': {
      if (schema.items === undefined) return undefined
      const item = typeOfSchema(schema.items, schema.items['x-kubernetes-embedded-resource'] === true, `${name}.@idx`)
      return item === undefined ? undefined : listOf(item)
    }
    case 'object':
      return objectType(schema, isResource, name)
    default:
      return undefined
  }
}

function stringType(format: string | undefined): CelType {
  switch (format) {
    case 'byte':
      return { kind: 'bytes' }
    case 'date':
    case 'date-time':
      return { kind: 'timestamp' }
    case 'duration':
      return { kind: 'duration' }
    default:
      return string
  }
}

function objectType(schema: Schema, isResource: boolean, name: string): CelType | undefined {
  if (typeof schema.additionalProperties === 'object') {
    const { additionalProperties } = schema
    const embedded = additionalProperties['x-kubernetes-embedded-resource'] === true
    const value = typeOfSchema(additionalProperties, embedded, `${name}.@elem`)
    return value === undefined ? undefined : mapOf(string, value)
  }
  const properties = isResource
    ? { ...schema.properties, ...typeMeta, metadata: objectMeta }
    : (schema.properties ?? {})
  const fields = new Map<string, CelType>()
  const jsonNames = new Map<string, string>()
  for (const [property, of] of Object.entries<Schema>(properties)) {
    const escaped = escapeName(property)
    if (escaped === undefined) continue
    const type = typeOfSchema(of, of['x-kubernetes-embedded-resource'] === true, `${name}.${property}`)
    if (type === undefined) continue
    fields.set(escaped, type)
    if (escaped !== property) jsonNames.set(escaped, property)
  }
  return { kind: 'object', name, fields, jsonNames }
}
