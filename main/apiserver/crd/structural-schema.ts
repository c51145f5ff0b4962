// A structural schema at work: pruning of unknown fields, defaults, and validation with the words upstream uses.
import type { JSONSchemaProps } from '../../../common/api/generated/types.ts'
import { FieldError, invalidValue, notSupported, required, tooMany } from '../../../common/machinery/field-error.ts'
import { linearRegex } from '../../../common/machinery/linear-regex.ts'
import { isJsonObject, jsonEqual, type JsonObject, setOwn } from '../../../common/machinery/json.ts'
import { correlated } from './correlation.ts'
import { checkFormat } from './formats.ts'

/** JSONSchemaProps as clients write it; the generated type does not know its own extensions by name. */
export type Schema = Omit<
  JSONSchemaProps,
  'properties' | 'items' | 'additionalProperties' | 'allOf' | 'anyOf' | 'oneOf' | 'not' | 'enum'
> & {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: Schema | boolean
  readonly allOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly not?: Schema
  readonly enum?: readonly unknown[]
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-embedded-resource'?: boolean
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: string
}

const objectFields = new Set(['apiVersion', 'kind', 'metadata'])

/** Drops unknown fields in place; returns their paths ("spec.foo"). `isRoot`: type and metadata belong to every object. */
export function prune(value: unknown, schema: Schema, path = '', isRoot = true): string[] {
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined
      ? []
      : value.flatMap((item, index) => prune(item, items, `${path}[${String(index)}]`, false))
  }
  if (!isJsonObject(value)) return []
  const dropped: string[] = []
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true
  for (const name of Object.keys(value)) {
    const at = path === '' ? name : `${path}.${name}`
    if ((isRoot || schema['x-kubernetes-embedded-resource'] === true) && objectFields.has(name)) continue
    const known = own(schema.properties, name)
    const { additionalProperties } = schema
    if (known !== undefined) dropped.push(...prune(value[name], known, at, false))
    else if (typeof additionalProperties === 'object')
      dropped.push(...prune(value[name], additionalProperties, at, false))
    else if (additionalProperties !== true && !preserves) {
      Reflect.deleteProperty(value, name)
      dropped.push(at)
    }
  }
  return dropped
}

export function setDefaults(value: unknown, schema: Schema): void {
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) setDefaults(item, schema.items)
    return
  }
  if (!isJsonObject(value)) return
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const current = value[name]
    const { default: preset } = property as { default?: unknown }
    // A null where null is not allowed counts as absent when there is a default.
    if (preset !== undefined && (current === undefined || (current === null && property.nullable !== true)))
      setOwn(value, name, structuredClone(preset))
    if (value[name] !== undefined) setDefaults(value[name], property)
  }
  if (typeof schema.additionalProperties === 'object') {
    for (const [name, item] of Object.entries(value))
      if (own(schema.properties, name) === undefined) setDefaults(item, schema.additionalProperties)
  }
}

const own = (properties: Readonly<Record<string, Schema>> | undefined, name: string): Schema | undefined =>
  properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined

/** `old`: what stood in the same place before. What did not change is not judged again: a schema may have become stricter since. */
export function validate(value: unknown, schema: Schema, path: string, old?: unknown): FieldError[] {
  const errors: FieldError[] = []
  if (old !== undefined && jsonEqual(old, value)) return errors
  const wrong = (detail: string): void => {
    errors.push(invalidValue(path, value, `${path} in body ${detail}`))
  }
  if (value === null) {
    if (schema.nullable !== true && path !== '')
      errors.push(
        new FieldError(
          'FieldValueTypeInvalid',
          path,
          'null',
          `${path} in body must be of type ${schema.type ?? 'object'}: "null"`,
        ),
      )
    return errors
  }
  if (!hasType(value, schema)) {
    errors.push(
      new FieldError(
        'FieldValueTypeInvalid',
        path,
        typeName(value),
        `${path} in body must be of type ${expectedType(schema)}: ${JSON.stringify(typeName(value))}`,
      ),
    )
    return errors
  }
  if (schema.enum !== undefined && !schema.enum.some((allowed) => jsonEqual(allowed, value)))
    errors.push(
      notSupported(
        path,
        value,
        schema.enum.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))),
      ),
    )
  if (typeof value === 'string') checkString(value, schema, path, errors, wrong)
  if (typeof value === 'number') checkNumber(value, schema, wrong)
  if (Array.isArray(value)) checkArray(value, schema, { path, errors, old }, wrong)
  else if (isJsonObject(value)) checkObject(value, schema, { path, errors, old }, wrong)
  checkCombined(value, schema, path, errors, wrong)
  return errors
}

function expectedType(schema: Schema): string {
  return schema['x-kubernetes-int-or-string'] === true ? 'integer,string' : (schema.type ?? 'object')
}

function hasType(value: unknown, schema: Schema): boolean {
  if (schema['x-kubernetes-int-or-string'] === true) return typeof value === 'string' || Number.isInteger(value)
  switch (schema.type) {
    case 'object':
      return isJsonObject(value)
    case 'array':
      return Array.isArray(value)
    case 'string':
      return typeof value === 'string'
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
      return Number.isInteger(value)
    case 'number':
      return typeof value === 'number'
    default:
      return true
  }
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return value === null ? 'null' : typeof value
}

type Wrong = (detail: string) => void

function checkString(value: string, schema: Schema, path: string, errors: FieldError[], wrong: Wrong): void {
  const { minLength, maxLength, pattern, format } = schema
  if (format !== undefined && !checkFormat(format, value)) wrong(`must be of type ${format}: ${JSON.stringify(value)}`)
  const length = Array.from(value).length
  if (maxLength !== undefined && length > maxLength)
    errors.push(new FieldError('FieldValueTooLong', path, '', `may not be more than ${String(maxLength)} bytes`))
  if (minLength !== undefined && length < minLength) wrong(`should be at least ${String(minLength)} chars long`)
  if (pattern !== undefined && !linearRegex(pattern).test(value)) wrong(`should match '${pattern}'`)
}

function checkNumber(value: number, schema: Schema, wrong: Wrong): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
  if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum))
    wrong(`should be greater than${exclusiveMinimum === true ? '' : ' or equal to'} ${String(minimum)}`)
  if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum))
    wrong(`should be less than${exclusiveMaximum === true ? '' : ' or equal to'} ${String(maximum)}`)
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf))
    wrong(`should be a multiple of ${String(multipleOf)}`)
}

interface Place {
  readonly path: string
  readonly errors: FieldError[]
  readonly old: unknown
}

function checkArray(value: readonly unknown[], schema: Schema, { path, errors, old }: Place, wrong: Wrong): void {
  const { minItems, maxItems, items } = schema
  if (maxItems !== undefined && value.length > maxItems) errors.push(tooMany(path, value.length, maxItems))
  if (minItems !== undefined && value.length < minItems) wrong(`should have at least ${String(minItems)} items`)
  const keyOf = listKey(schema)
  if (keyOf !== undefined) {
    const seen = new Set<string>()
    for (const [index, item] of value.entries()) {
      const key = keyOf(item)
      if (seen.has(key))
        errors.push(new FieldError('FieldValueDuplicate', `${path}[${String(index)}]`, JSON.parse(key), ''))
      seen.add(key)
    }
  }
  if (items === undefined) return
  const before = correlated(schema, old)
  for (const [index, item] of value.entries())
    errors.push(...validate(item, items, `${path}[${String(index)}]`, before(item)))
}

function listKey(schema: Schema): ((item: unknown) => string) | undefined {
  if (schema['x-kubernetes-list-type'] === 'set') return (item) => JSON.stringify(item)
  if (schema['x-kubernetes-list-type'] !== 'map') return undefined
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  return (item) =>
    JSON.stringify(Object.fromEntries(keys.map((key) => [key, isJsonObject(item) ? (item[key] ?? null) : null])))
}

function checkObject(value: JsonObject, schema: Schema, { path, errors, old }: Place, wrong: Wrong): void {
  const { minProperties, maxProperties } = schema
  const names = Object.keys(value)
  if (maxProperties !== undefined && names.length > maxProperties)
    errors.push(tooMany(path, names.length, maxProperties))
  if (minProperties !== undefined && names.length < minProperties)
    wrong(`should have at least ${String(minProperties)} properties`)
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`)
  for (const name of schema.required ?? []) if (!Object.hasOwn(value, name)) errors.push(required(at(name)))
  if (schema['x-kubernetes-embedded-resource'] === true)
    for (const name of ['apiVersion', 'kind'])
      if (typeof value[name] !== 'string' || value[name] === '') errors.push(required(at(name), 'must not be empty'))
  for (const name of names) {
    if (path === '' && objectFields.has(name)) continue
    const known =
      own(schema.properties, name) ??
      (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)
    const before = isJsonObject(old) && Object.hasOwn(old, name) ? old[name] : undefined
    if (known !== undefined) errors.push(...validate(value[name], known, at(name), before))
  }
}

function checkCombined(value: unknown, schema: Schema, path: string, errors: FieldError[], wrong: Wrong): void {
  for (const part of schema.allOf ?? []) errors.push(...validate(value, part, path))
  const fits = (part: Schema): boolean => validate(value, part, path).length === 0
  if (schema.anyOf !== undefined && !schema.anyOf.some(fits)) wrong('must validate at least one schema (anyOf)')
  if (schema.oneOf !== undefined && schema.oneOf.filter(fits).length !== 1)
    wrong('must validate one and only one schema (oneOf)')
  if (schema.not !== undefined && fits(schema.not)) wrong('must not validate the schema (not)')
}
