// Schemas of custom resources as OpenAPI documents publish them.
import type { JsonSchema, SchemaDialect } from './schemas.ts'

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.'

const preserves = 'x-kubernetes-preserve-unknown-fields'

/** `standard`: the described apiVersion and kind every object has. */
export function customSchema(schema: JsonSchema, standard: JsonSchema, dialect: SchemaDialect): JsonSchema {
  // Clients of v2 take the properties that are named for all there are.
  if (!dialect.wrapRefs && schema[preserves] === true) return { type: 'object' }
  const objectMeta = { $ref: `${dialect.refPrefix}${meta}ObjectMeta` }
  const metadata = {
    description:
      "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
    ...(dialect.wrapRefs ? { allOf: [objectMeta] } : objectMeta),
  }
  const own = { ...standard, metadata }
  const published = withEmbedded(dialect.wrapRefs ? schema : forV2(schema), own)
  return { ...published, properties: { ...propertiesOf(published), ...own } }
}

const propertiesOf = (schema: JsonSchema): JsonSchema => (schema['properties'] ?? {}) as JsonSchema

/**
 * v2 knows neither unions nor null: what says so is left out. Its clients stumble over types and properties of values that may be null
 * or hold unknown fields, and over arrays without items.
 */
function forV2(schema: JsonSchema): JsonSchema {
  const { oneOf: _1, anyOf: _2, allOf: _3, not: _4, nullable, type, items, properties, required, ...rest } = schema
  const untyped = nullable === true || schema[preserves] === true
  const nullables = Object.entries(propertiesOf(schema)).flatMap(([name, property]) =>
    isSchema(property) && property['nullable'] === true ? [name] : [],
  )
  const needed = Array.isArray(required) ? required.filter((name) => !nullables.includes(String(name))) : []
  const result: JsonSchema = { ...rest, ...(needed.length === 0 ? {} : { required: needed }) }
  const keepsType = !(nullable === true || (untyped && (type === 'object' || type === 'array')))
  if (type !== undefined && keepsType && (type !== 'array' || isSchema(items))) result['type'] = type
  if (!untyped && isSchema(items)) result['items'] = items
  if (!untyped && isSchema(properties)) result['properties'] = properties
  return eachChild(result, forV2)
}

/** Objects within objects have a type and metadata too. */
function withEmbedded(schema: JsonSchema, own: JsonSchema): JsonSchema {
  const result = eachChild(schema, (child) => withEmbedded(child, own))
  // No type: unknown fields are preserved, see above.
  if (schema['x-kubernetes-embedded-resource'] !== true || schema['type'] === undefined) return result
  const required = (schema['required'] ?? []) as readonly unknown[]
  return {
    ...result,
    properties: { ...propertiesOf(result), ...own },
    required: [...required, ...['kind', 'apiVersion'].filter((name) => !required.includes(name))],
  }
}

function eachChild(schema: JsonSchema, change: (child: JsonSchema) => JsonSchema): JsonSchema {
  const result = { ...schema }
  for (const key of ['items', 'additionalProperties']) {
    const child = schema[key]
    if (isSchema(child)) result[key] = change(child)
  }
  const { properties } = schema
  if (isSchema(properties))
    result['properties'] = Object.fromEntries(
      Object.entries(properties).map(([name, child]) => [name, isSchema(child) ? change(child) : child]),
    )
  return result
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function listSchema(
  item: string,
  type: string,
  gvk: object,
  dialect: SchemaDialect,
  standard: JsonSchema,
): JsonSchema {
  const reference = (name: string): JsonSchema => ({ $ref: `${dialect.refPrefix}${name}` })
  const listMeta = reference(`${meta}ListMeta`)
  return {
    description: `${type}List is a list of ${type}`,
    type: 'object',
    required: ['items'],
    properties: {
      ...standard,
      items: {
        description: `List of ${type}s.`,
        type: 'array',
        items: dialect.wrapRefs ? { allOf: [reference(item)], default: {} } : reference(item),
      },
      metadata: {
        description:
          'Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
        ...(dialect.wrapRefs ? { allOf: [listMeta] } : listMeta),
      },
    },
    'x-kubernetes-group-version-kind': [gvk],
  }
}
