// An OpenAPI v2 document as openapi.v2.Document, the protobuf form that kubectl and client libraries ask for.
// Field numbers: OpenAPIv2.proto of google/gnostic-models.
import { WireWriter } from '../protobuf/wire-writer.ts'
import {
  any,
  count,
  double,
  each,
  type Fields,
  flag,
  type Json,
  listIn,
  message,
  named,
  namedIn,
  object,
  text,
  type Write,
  writeFields,
} from './document-fields.ts'

const schema: Write = object(() => schemaFields, 31)
const additionalProperties: Write = (writer, number, value: unknown) => {
  message(writer, number, () => {
    if (typeof value === 'boolean') flag(writer, 2, value)
    else schema(writer, 1, value as never)
  })
}
const schemaFields: Fields = {
  $ref: [1, text],
  format: [2, text],
  title: [3, text],
  description: [4, text],
  default: [5, any],
  multipleOf: [6, double],
  maximum: [7, double],
  exclusiveMaximum: [8, flag],
  minimum: [9, double],
  exclusiveMinimum: [10, flag],
  maxLength: [11, count],
  minLength: [12, count],
  pattern: [13, text],
  maxItems: [14, count],
  minItems: [15, count],
  uniqueItems: [16, flag],
  maxProperties: [17, count],
  minProperties: [18, count],
  required: [19, each(text)],
  enum: [20, each(any)],
  additionalProperties: [21, additionalProperties],
  type: [22, listIn(text)],
  items: [23, listIn(schema)],
  allOf: [24, each(schema)],
  properties: [25, namedIn(schema)],
  example: [30, any],
}

const bodyFields: Fields = {
  description: [1, text],
  name: [2, text],
  in: [3, text],
  required: [4, flag],
  schema: [5, schema],
}
const queryFields: Fields = {
  required: [1, flag],
  in: [2, text],
  description: [3, text],
  name: [4, text],
  type: [6, text],
  format: [7, text],
  uniqueItems: [20, flag],
}
const pathFields: Fields = {
  required: [1, flag],
  in: [2, text],
  description: [3, text],
  name: [4, text],
  type: [5, text],
  format: [6, text],
  uniqueItems: [19, flag],
}
const referenceFields: Fields = { $ref: [1, text], description: [2, text] }
const reference: Write = (writer, number, value: Json) => {
  message(writer, number, () => {
    for (const [name, [field, write]] of Object.entries(referenceFields))
      if (value[name] !== undefined) write(writer, field, value[name] as never)
  })
}

const parameter: Write = (writer, number, value: Json) => {
  message(writer, number, () => {
    if (value['in'] === 'body') object(() => bodyFields, 6)(writer, 1, value as never)
    else
      message(writer, 2, () => {
        if (value['in'] === 'query') object(() => queryFields, 23)(writer, 3, value as never)
        else object(() => pathFields, 22)(writer, 4, value as never)
      })
  })
}
const parameterOrReference: Write = (writer, number, value: Json) => {
  message(writer, number, () => {
    if (value['$ref'] === undefined) parameter(writer, 1, value as never)
    else reference(writer, 2, value as never)
  })
}

const schemaItem: Write = (writer, number, value: never) => {
  message(writer, number, () => {
    schema(writer, 1, value)
  })
}
const response: Write = object(() => ({ description: [1, text], schema: [2, schemaItem] }), 5)
const responseValue: Write = (writer, number, value: never) => {
  message(writer, number, () => {
    response(writer, 1, value)
  })
}
const securityRequirement: Write = namedIn((writer, number, value: never) => {
  listIn(text)(writer, number, value)
})
const operation: Write = object(
  () => ({
    tags: [1, each(text)],
    summary: [2, text],
    description: [3, text],
    operationId: [5, text],
    produces: [6, each(text)],
    consumes: [7, each(text)],
    parameters: [8, each(parameterOrReference)],
    responses: [9, namedIn(responseValue)],
    schemes: [10, each(text)],
    deprecated: [11, flag],
  }),
  13,
)
const pathItem: Write = object(
  () => ({
    get: [2, operation],
    put: [3, operation],
    post: [4, operation],
    delete: [5, operation],
    options: [6, operation],
    head: [7, operation],
    patch: [8, operation],
    parameters: [9, each(parameterOrReference)],
  }),
  10,
)
const paths: Write = (writer, number, value: never) => {
  message(writer, number, () => {
    named(pathItem)(writer, 2, value)
  })
}
const apiKey: Write = object(() => ({ type: [1, text], name: [2, text], in: [3, text], description: [4, text] }), 5)
const securityDefinition: Write = (writer, number, value: never) => {
  message(writer, number, () => {
    apiKey(writer, 2, value)
  })
}

const documentFields: Fields = {
  swagger: [1, text],
  info: [2, object(() => ({ title: [1, text], version: [2, text], description: [3, text] }), 7)],
  paths: [8, paths],
  definitions: [9, namedIn(schema)],
  parameters: [10, namedIn(parameter)],
  security: [12, each(securityRequirement)],
  securityDefinitions: [13, namedIn(securityDefinition)],
}

export function encodeOpenApiV2(document: Json): Buffer {
  const writer = new WireWriter()
  writeFields(writer, documentFields, 16, document)
  return writer.take()
}
