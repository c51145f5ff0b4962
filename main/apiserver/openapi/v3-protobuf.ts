// An OpenAPI v3 document as openapi.v3.Document, the protobuf form that client libraries ask for.
// Field numbers: OpenAPIv3.proto of google/gnostic-models. Nearly everything is a choice there between the thing itself (1) and a
// reference to it (2).
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

const reference: Write = object(() => ({ $ref: [1, text], summary: [2, text], description: [3, text] }), 0)
const orReference =
  (write: Write): Write =>
  (writer, number, value: Json) => {
    message(writer, number, () => {
      if (value['$ref'] === undefined) write(writer, 1, value as never)
      else reference(writer, 2, value as never)
    })
  }

/** Only scalars have a place there. */
const defaultValue: Write = (writer, number, value: unknown) => {
  message(writer, number, () => {
    if (typeof value === 'number') double(writer, 1, value)
    else if (typeof value === 'boolean') flag(writer, 2, value)
    else if (typeof value === 'string') text(writer, 3, value)
  })
}
const plainSchema: Write = object(() => schemaFields, 36)
const schema: Write = orReference(plainSchema)
const additionalProperties: Write = (writer, number, value: unknown) => {
  message(writer, number, () => {
    if (typeof value === 'boolean') flag(writer, 2, value)
    else schema(writer, 1, value as never)
  })
}
const externalDocs: Write = object(() => ({ description: [1, text], url: [2, text] }), 3)
const schemaFields: Fields = {
  nullable: [1, flag],
  readOnly: [3, flag],
  writeOnly: [4, flag],
  externalDocs: [6, externalDocs],
  example: [7, any],
  deprecated: [8, flag],
  title: [9, text],
  multipleOf: [10, double],
  maximum: [11, double],
  exclusiveMaximum: [12, flag],
  minimum: [13, double],
  exclusiveMinimum: [14, flag],
  maxLength: [15, count],
  minLength: [16, count],
  pattern: [17, text],
  maxItems: [18, count],
  minItems: [19, count],
  uniqueItems: [20, flag],
  maxProperties: [21, count],
  minProperties: [22, count],
  required: [23, each(text)],
  enum: [24, each(any)],
  type: [25, text],
  allOf: [26, each(schema)],
  oneOf: [27, each(schema)],
  anyOf: [28, each(schema)],
  not: [29, plainSchema],
  items: [30, listIn(schema)],
  properties: [31, namedIn(schema)],
  additionalProperties: [32, additionalProperties],
  default: [33, defaultValue],
  description: [34, text],
  format: [35, text],
}

const content: Write = namedIn(object(() => ({ schema: [1, schema], example: [2, any] }), 5))
const parameter: Write = orReference(
  object(
    () => ({
      name: [1, text],
      in: [2, text],
      description: [3, text],
      required: [4, flag],
      deprecated: [5, flag],
      allowEmptyValue: [6, flag],
      style: [7, text],
      explode: [8, flag],
      schema: [10, schema],
      content: [13, content],
    }),
    14,
  ),
)
const requestBody: Write = orReference(
  object(() => ({ description: [1, text], content: [2, content], required: [3, flag] }), 4),
)
const response: Write = orReference(object(() => ({ description: [1, text], content: [3, content] }), 5))
const responses: Write = (writer, number, { default: otherwise, ...byCode }: Json) => {
  message(writer, number, () => {
    named(response)(writer, 2, byCode as never)
    if (otherwise !== undefined) response(writer, 1, otherwise as never)
  })
}
const securityRequirement: Write = namedIn(listIn(text))
const operation: Write = object(
  () => ({
    tags: [1, each(text)],
    summary: [2, text],
    description: [3, text],
    externalDocs: [4, externalDocs],
    operationId: [5, text],
    parameters: [6, each(parameter)],
    requestBody: [7, requestBody],
    responses: [8, responses],
    deprecated: [10, flag],
    security: [11, each(securityRequirement)],
  }),
  13,
)
const pathItem: Write = object(
  () => ({
    summary: [2, text],
    description: [3, text],
    get: [4, operation],
    put: [5, operation],
    post: [6, operation],
    delete: [7, operation],
    options: [8, operation],
    head: [9, operation],
    patch: [10, operation],
    parameters: [13, each(parameter)],
  }),
  14,
)
const securityScheme: Write = orReference(
  object(() => ({ type: [1, text], description: [2, text], name: [3, text], in: [4, text], scheme: [5, text] }), 9),
)

const documentFields: Fields = {
  openapi: [1, text],
  info: [2, object(() => ({ title: [1, text], description: [2, text], version: [6, text] }), 7)],
  paths: [4, namedIn(pathItem)],
  components: [
    5,
    object(
      () => ({
        schemas: [1, namedIn(schema)],
        responses: [2, namedIn(response)],
        parameters: [3, namedIn(parameter)],
        requestBodies: [5, namedIn(requestBody)],
        securitySchemes: [7, namedIn(securityScheme)],
      }),
      10,
    ),
  ],
  security: [6, each(securityRequirement)],
}

export function encodeOpenApiV3(document: Json): Buffer {
  const writer = new WireWriter()
  writeFields(writer, documentFields, 9, document)
  return writer.take()
}
