// Schemas of custom resources as OpenAPI documents publish them.
import type { JsonSchema, SchemaDialect } from './schemas.ts'

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.'

/** `standard`: the described apiVersion and kind every object has. */
export function customSchema(schema: JsonSchema, standard: JsonSchema, dialect: SchemaDialect): JsonSchema {
  const published = dialect.wrapRefs ? schema : withoutUnions(schema)
  const properties = (published['properties'] ?? {}) as JsonSchema
  const objectMeta = { $ref: `${dialect.refPrefix}${meta}ObjectMeta` }
  return {
    ...published,
    properties: {
      ...properties,
      ...standard,
      metadata: {
        description:
          "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
        ...(dialect.wrapRefs ? { allOf: [objectMeta] } : objectMeta),
      },
    },
  }
}

/** v2 knows neither unions nor null: what says so is left out, and a value that may be null has no type there. */
function withoutUnions(schema: JsonSchema): JsonSchema {
  const { oneOf: _1, anyOf: _2, allOf: _3, not: _4, nullable, type, ...rest } = schema
  const result: JsonSchema = { ...rest, ...(type === undefined || nullable === true ? {} : { type }) }
  for (const [key, value] of Object.entries(result)) {
    if (key === 'properties' && isSchema(value))
      result[key] = Object.fromEntries(
        Object.entries(value).map(([name, property]) => [
          name,
          isSchema(property) ? withoutUnions(property) : property,
        ]),
      )
    else if ((key === 'items' || key === 'additionalProperties') && isSchema(value)) result[key] = withoutUnions(value)
  }
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
