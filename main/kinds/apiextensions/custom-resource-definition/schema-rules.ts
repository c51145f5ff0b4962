// What the schema of a custom resource must be: structural, so that pruning, defaulting and apply can work on it.
import type { JSONSchemaProps } from '../../../../common/api/generated/types.ts'
import {
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  type FieldError,
} from '../../../../common/machinery/field-error.ts'
import { linearRegex } from '../../../../common/machinery/linear-regex.ts'
import { unsupported } from '../../validation/values.ts'

type Level = 'root' | 'item' | 'field'

const emptyType: Record<Level, string> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}
const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
/** Fields the root may have beside its type when status is a subresource. */
const rootFields = [
  'description',
  'type',
  'format',
  'title',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'multipleOf',
  'required',
  'items',
  'properties',
  'externalDocs',
  'example',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
]

const isSchema = (value: unknown): value is JSONSchemaProps =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function checkRootSchema(errors: FieldError[], path: string, schema: JSONSchemaProps, hasStatus: boolean): void {
  if (hasStatus) {
    const extra = Object.keys(schema).find((field) => !rootFields.includes(field))
    if (extra !== undefined) {
      const detail = `only [${rootFields.join(' ')}] fields are allowed at the root of the schema if the status subresource is enabled`
      errors.push(invalidValue(path, schema, detail))
    }
  }
  if (schema.nullable === true) errors.push(forbiddenField(`${path}.nullable`, 'nullable cannot be true at the root'))
  checkSchema(errors, path, schema, 'root')
}

function checkSchema(errors: FieldError[], path: string, schema: JSONSchemaProps, level: Level): void {
  checkType(errors, path, schema, level)
  checkForbidden(errors, path, schema)
  checkKubernetesExtensions(errors, path, schema)
  const { items, properties = {}, additionalProperties } = schema
  if (schema.type === 'array' && items === undefined) errors.push(required(`${path}.items`, 'must be specified'))
  if (isSchema(items)) checkSchema(errors, `${path}.items`, items, 'item')
  else if (Array.isArray(items))
    errors.push(forbiddenField(`${path}.items`, 'items must be a schema object and not an array'))
  for (const [name, property] of Object.entries(properties)) {
    const at = `${path}.properties[${name}]`
    const isMetadata = (level === 'root' || schema['x-kubernetes-embedded-resource'] === true) && name === 'metadata'
    if (isMetadata) checkMetadata(errors, at, property, level)
    else checkSchema(errors, at, property, 'field')
  }
  if (isSchema(additionalProperties)) checkSchema(errors, `${path}.additionalProperties`, additionalProperties, 'field')
  if (additionalProperties !== undefined) {
    if (level === 'root') errors.push(forbiddenField(`${path}.additionalProperties`, 'must not be used at the root'))
    if (Object.keys(properties).length > 0 && additionalProperties !== true) {
      errors.push(
        forbiddenField(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
      )
    }
  }
  for (const field of ['allOf', 'anyOf', 'oneOf'] as const) {
    if (field === 'anyOf' && schema['x-kubernetes-int-or-string'] === true) continue
    schema[field]?.forEach((nested, index) => {
      checkValueRules(
        errors,
        `${path}.${field}[${String(index)}]`,
        nested,
        schema['x-kubernetes-int-or-string'] === true,
      )
    })
  }
  if (schema.not !== undefined) checkValueRules(errors, `${path}.not`, schema.not, false)
}

function checkType(errors: FieldError[], path: string, schema: JSONSchemaProps, level: Level): void {
  const { type = '' } = schema
  const at = `${path}.type`
  if (type !== '' && !types.includes(type)) errors.push(notSupported(at, type, types))
  if (schema['x-kubernetes-embedded-resource'] === true) {
    const detail = 'must be object if x-kubernetes-embedded-resource is true'
    if (type === '') errors.push(required(at, detail))
    else if (type !== 'object') errors.push(invalidValue(at, type, detail))
    if (schema.properties === undefined && schema['x-kubernetes-preserve-unknown-fields'] !== true) {
      const why =
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
      errors.push(required(`${path}.properties`, why))
    }
  } else if (
    type === '' &&
    schema['x-kubernetes-int-or-string'] !== true &&
    schema['x-kubernetes-preserve-unknown-fields'] !== true
  ) {
    errors.push(required(at, emptyType[level]))
  }
  if (level === 'root' && type !== '' && type !== 'object')
    errors.push(invalidValue(at, type, 'must be object at the root'))
}

function checkForbidden(errors: FieldError[], path: string, schema: JSONSchemaProps): void {
  const unsupportedFields = [
    '$ref',
    'definitions',
    'dependencies',
    'id',
    'patternProperties',
    'additionalItems',
  ] as const
  for (const field of unsupportedFields) {
    if (schema[field] !== undefined) errors.push(forbiddenField(`${path}.${field}`, `${field} is not supported`))
  }
  if (schema.uniqueItems === true) {
    errors.push(
      forbiddenField(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    )
  }
  if (schema.pattern !== undefined) {
    try {
      linearRegex(schema.pattern)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      errors.push(
        invalidValue(`${path}.pattern`, schema.pattern, `must be a valid regular expression, but isn't: ${why}`),
      )
    }
  }
}

function checkKubernetesExtensions(errors: FieldError[], path: string, schema: JSONSchemaProps): void {
  const { type = '' } = schema
  const [mapType, listType, keys] = [
    schema['x-kubernetes-map-type'],
    schema['x-kubernetes-list-type'],
    schema['x-kubernetes-list-map-keys'] ?? [],
  ]
  const needsType = (wanted: string, field: string): void => {
    const detail = `must be ${wanted} if ${field} is specified`
    if (type === '') errors.push(required(`${path}.type`, detail))
    else if (type !== wanted) errors.push(invalidValue(`${path}.type`, type, detail))
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    errors.push(invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'))
  }
  if (schema['x-kubernetes-int-or-string'] === true && schema['x-kubernetes-preserve-unknown-fields'] === true) {
    errors.push(
      invalidValue(
        `${path}.x-kubernetes-preserve-unknown-fields`,
        true,
        'must be false if x-kubernetes-int-or-string is true',
      ),
    )
  }
  if (mapType !== undefined) {
    needsType('object', 'x-kubernetes-map-type')
    if (mapType !== 'atomic' && mapType !== 'granular') {
      errors.push(unsupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']))
    }
  }
  if (listType !== undefined) {
    needsType('array', 'x-kubernetes-list-type')
    if (listType !== 'atomic' && listType !== 'set' && listType !== 'map') {
      errors.push(unsupported(`${path}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']))
    }
  }
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty'
    if (listType === undefined) errors.push(required(`${path}.x-kubernetes-list-type`, detail))
    else errors.push(invalidValue(`${path}.x-kubernetes-list-type`, listType, detail))
  }
  if (listType !== 'map') return
  if (keys.length === 0)
    errors.push(required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'))
  if (!isSchema(schema.items)) return
  const item = schema.items
  if (item.type !== 'object')
    errors.push(
      invalidValue(
        `${path}.items.type`,
        item.type ?? '',
        "must be object if parent array's x-kubernetes-list-type is map",
      ),
    )
  keys.forEach((key) => {
    const property = item.properties?.[key]
    const at = `${path}.items.properties[${key}]`
    if (property === undefined) {
      errors.push(
        invalidValue(`${path}.x-kubernetes-list-map-keys`, keys, 'entries must all be names of item properties'),
      )
    } else if (property.type === 'array' || property.type === 'object') {
      errors.push(
        invalidValue(
          `${at}.type`,
          property.type,
          "must be a scalar type if parent array's x-kubernetes-list-type is map",
        ),
      )
    } else if (!(item.required ?? []).includes(key) && property.default === undefined) {
      const detail =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
      errors.push(required(`${at}.default`, detail))
    }
  })
}

/** Names and generated names may be restricted, nothing else: the rest of metadata is not the schema's to say. */
function checkMetadata(errors: FieldError[], path: string, schema: JSONSchemaProps, level: Level): void {
  if (schema.type !== 'object') errors.push(invalidValue(`${path}.type`, schema.type ?? '', 'must be object'))
  if (level !== 'root') return
  const others = Object.keys(schema.properties ?? {}).filter((name) => name !== 'name' && name !== 'generateName')
  const fields = Object.keys(schema).filter(
    (field) => field !== 'type' && field !== 'properties' && field !== 'description',
  )
  if (others.length > 0 || fields.length > 0) {
    const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
    errors.push(forbiddenField(path, detail))
  }
}

/** Under allOf, anyOf, oneOf and not stand rules for values, not types. */
function checkValueRules(errors: FieldError[], path: string, schema: JSONSchemaProps, intOrString: boolean): void {
  if (schema.type !== undefined && !intOrString)
    errors.push(forbiddenField(`${path}.type`, 'must be empty to be structural'))
  const undefinedFields = ['additionalProperties', 'default', 'x-kubernetes-list-type'] as const
  for (const field of undefinedFields) {
    if (schema[field] !== undefined)
      errors.push(forbiddenField(`${path}.${field}`, 'must be undefined to be structural'))
  }
  for (const field of ['title', 'description'] as const) {
    if (schema[field] !== undefined) errors.push(forbiddenField(`${path}.${field}`, 'must be empty to be structural'))
  }
  for (const field of [
    'nullable',
    'x-kubernetes-preserve-unknown-fields',
    'x-kubernetes-embedded-resource',
    'x-kubernetes-int-or-string',
  ] as const) {
    if (schema[field] === true) errors.push(forbiddenField(`${path}.${field}`, 'must be false to be structural'))
  }
  if (schema.properties?.metadata !== undefined) {
    errors.push(forbiddenField(`${path}.properties[metadata]`, 'must not be specified in a nested context'))
  }
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    checkValueRules(errors, `${path}.properties[${name}]`, property, false)
  if (isSchema(schema.items)) checkValueRules(errors, `${path}.items`, schema.items, false)
  for (const field of ['allOf', 'anyOf', 'oneOf'] as const) {
    schema[field]?.forEach((nested, index) => {
      checkValueRules(errors, `${path}.${field}[${String(index)}]`, nested, intOrString)
    })
  }
  if (schema.not !== undefined) checkValueRules(errors, `${path}.not`, schema.not, false)
}
