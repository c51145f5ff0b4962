// Paths of OpenAPI v2 in the form of v3: parameters with schemas, bodies and answers by media type.
import type { PathItem, Paths } from './operations.ts'
import type { Parameter, Parameters } from './parameters.ts'

type Json = Record<string, unknown>

export function pathsToV3(paths: Paths, parameters: Parameters): Paths {
  return Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, pathItem(item, parameters)]))
}

function pathItem(item: PathItem, parameters: Parameters): PathItem {
  return Object.fromEntries(
    Object.entries(item).map(([key, value]): [string, unknown] =>
      key === 'parameters'
        ? [key, (value as Parameter[]).map((parameter) => withSchema(parameters.resolve(parameter)))]
        : [key, operation(value as Json, parameters)],
    ),
  )
}

function operation(v2: Json, parameters: Parameters): Json {
  const { consumes, produces, schemes: _, parameters: given = [], responses, ...rest } = v2
  const all = (given as Parameter[]).map((parameter) => parameters.resolve(parameter))
  const body = all.find((parameter) => parameter['in'] === 'body')
  const others = all.filter((parameter) => parameter !== body)
  const content = (types: unknown, schema: unknown): Json =>
    Object.fromEntries((types as string[]).map((type) => [type, { schema: reference(schema) }]))
  return {
    ...rest,
    ...(others.length === 0 ? {} : { parameters: others.map(withSchema) }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: content(consumes, body['schema']),
            ...(body['required'] === true ? { required: true } : {}),
          },
        }),
    responses: Object.fromEntries(
      Object.entries(responses as Json).map(([code, response]) => {
        const { description, schema } = response as Json
        return [code, { description, ...(schema === undefined ? {} : { content: content(produces, schema) }) }]
      }),
    ),
  }
}

const withSchema = ({ type, uniqueItems, ...rest }: Parameter): Parameter => ({
  ...rest,
  schema: { type, uniqueItems },
})

function reference(schema: unknown): unknown {
  const { $ref } = schema as Json
  return typeof $ref === 'string' ? { $ref: $ref.replace('#/definitions/', '#/components/schemas/') } : schema
}
