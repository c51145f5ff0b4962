// Request bodies in application/vnd.kubernetes.protobuf to the JSON form of the same object.
// Envelope: the four bytes "k8s\0", then runtime.Unknown {typeMeta = 1 {apiVersion = 1, kind = 2}, raw = 2}.
import { badRequest } from '../../../common/machinery/status.ts'
import { messageOf } from './message-names.ts'
import type { WireFacts, WireField, WireMessage } from './wire-facts.ts'
import { WireReader } from './wire-reader.ts'

const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00])
/** Deeper nesting is no Kubernetes object. */
const maxDepth = 100

type JsonObject = Record<string, unknown>

/** Throws StatusError 400 for anything that is not a whole, known object. */
export function decodeProtobuf(bytes: Uint8Array, facts: WireFacts): JsonObject {
  try {
    return decodeEnvelope(bytes, facts)
  } catch (error) {
    if (error instanceof RangeError) throw badRequest(`the body is not a Kubernetes protobuf object: ${error.message}`)
    throw error
  }
}

function decodeEnvelope(bytes: Uint8Array, facts: WireFacts): JsonObject {
  if (bytes.length < 4 || !magic.equals(bytes.subarray(0, 4)))
    throw badRequest('the body does not begin with the Kubernetes protobuf prefix')
  let apiVersion = ''
  let kind = ''
  let raw: Uint8Array = new Uint8Array()
  const envelope = new WireReader(bytes.subarray(4))
  for (let field = envelope.nextField(); field !== undefined; field = envelope.nextField()) {
    if (field.number === 2) raw = envelope.bytes()
    else if (field.number === 1) {
      const meta = new WireReader(envelope.bytes())
      for (let inner = meta.nextField(); inner !== undefined; inner = meta.nextField()) {
        if (inner.number === 1) apiVersion = meta.text()
        else if (inner.number === 2) kind = meta.text()
        else meta.skip(inner.wire)
      }
    } else envelope.skip(field.wire)
  }
  const name = messageOf(facts, apiVersion, kind)
  const message = name === undefined ? undefined : facts.messages[name]
  if (message === undefined)
    throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}" in protobuf form; send JSON`)
  return { apiVersion, kind, ...decodeMessage(raw, message, facts, 0) }
}

function decodeMessage(bytes: Uint8Array, message: WireMessage, facts: WireFacts, depth: number): JsonObject {
  if (depth > maxDepth) throw new RangeError(`nested more than ${String(maxDepth)} levels deep`)
  const object: JsonObject = {}
  const reader = new WireReader(bytes)
  for (let at = reader.nextField(); at !== undefined; at = reader.nextField()) {
    const field = message.fields[String(at.number)]
    if (field === undefined) {
      reader.skip(at.wire)
      continue
    }
    if (field.map) addEntry(object, field, reader.bytes(), facts, depth)
    else if (field.repeated) {
      const list = (object[field.name ?? ''] ??= []) as unknown[]
      // Scalars may come packed.
      if (at.wire === 2 && (field.type === 'int' || field.type === 'bool')) {
        const packed = new WireReader(reader.bytes())
        while (!packed.done) list.push(field.type === 'int' ? packed.integer() : packed.integer() !== 0)
      } else list.push(decodeValue(reader, field, facts, depth))
    } else {
      const value = decodeValue(reader, field, facts, depth)
      if (field.name === undefined) Object.assign(object, value)
      else if (value !== undefined && !(field.omitZero && isZero(value))) define(object, field.name, value)
    }
  }
  return object
}

const isZero = (value: unknown): boolean => value === '' || value === 0 || value === false

/** Own property whatever the name: "__proto__" is a key like any other. */
function define(object: JsonObject, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  else object[name] = value
}

function addEntry(object: JsonObject, field: WireField, bytes: Uint8Array, facts: WireFacts, depth: number): void {
  const map = (object[field.name ?? ''] ??= {}) as JsonObject
  const reader = new WireReader(bytes)
  let key = ''
  let value: unknown
  for (let at = reader.nextField(); at !== undefined; at = reader.nextField()) {
    if (at.number === 1) key = reader.text()
    else if (at.number === 2) value = decodeValue(reader, field, facts, depth)
    else reader.skip(at.wire)
  }
  define(map, key, value ?? (field.type === 'string' || field.type === 'bytes' ? '' : {}))
}

function decodeValue(reader: WireReader, { type }: WireField, facts: WireFacts, depth: number): unknown {
  switch (type) {
    case 'string':
      return reader.text()
    case 'bool':
      return reader.integer() !== 0
    case 'int':
      return reader.integer()
    case 'double':
      return reader.double()
    case 'bytes':
      return Buffer.from(reader.bytes()).toString('base64')
    case 'time':
      return decodeTime(reader.bytes(), 0)
    case 'micro-time':
      return decodeTime(reader.bytes(), 6)
    case 'duration':
      return `${String(numberField(reader.bytes(), 1) / 1e9)}s`
    case 'quantity':
      return textField(reader.bytes(), 1)
    case 'int-or-string':
      return decodeIntOrString(reader.bytes())
    case 'raw': {
      const raw = bytesField(reader.bytes(), 1)
      return raw.length === 0 ? undefined : (JSON.parse(Buffer.from(raw).toString('utf8')) as unknown)
    }
    case 'schema-or-array':
    case 'schema-or-bool':
    case 'schema-or-strings':
      return decodeSchemaUnion(reader.bytes(), type, facts, depth)
    default: {
      const message = facts.messages[type.slice(2)]
      if (message === undefined) throw new RangeError(`unknown message ${type.slice(2)}`)
      const value = decodeMessage(reader.bytes(), message, facts, depth + 1)
      return message.list ? (value['items'] ?? []) : value
    }
  }
}

function numberField(bytes: Uint8Array, wanted: number): number {
  const reader = new WireReader(bytes)
  let value = 0
  for (let at = reader.nextField(); at !== undefined; at = reader.nextField()) {
    if (at.number === wanted) value = reader.integer()
    else reader.skip(at.wire)
  }
  return value
}

function bytesField(bytes: Uint8Array, wanted: number): Uint8Array {
  const reader = new WireReader(bytes)
  let value: Uint8Array = new Uint8Array()
  for (let at = reader.nextField(); at !== undefined; at = reader.nextField()) {
    if (at.number === wanted) value = reader.bytes()
    else reader.skip(at.wire)
  }
  return value
}

const textField = (bytes: Uint8Array, wanted: number): string => Buffer.from(bytesField(bytes, wanted)).toString('utf8')

/** {seconds = 1, nanos = 2}; an empty message is the zero time, which JSON leaves out. */
function decodeTime(bytes: Uint8Array, fractionDigits: 0 | 6): string | undefined {
  if (bytes.length === 0) return undefined
  const seconds = numberField(bytes, 1)
  const iso = new Date(seconds * 1000).toISOString().slice(0, 19)
  if (fractionDigits === 0) return `${iso}Z`
  return `${iso}.${String(Math.floor(numberField(bytes, 2) / 1000)).padStart(6, '0')}Z`
}

/** {type = 1 (0 number, 1 text), intVal = 2, strVal = 3} */
function decodeIntOrString(bytes: Uint8Array): number | string {
  return numberField(bytes, 1) === 0 ? numberField(bytes, 2) : textField(bytes, 3)
}

function decodeSchemaUnion(
  bytes: Uint8Array,
  type: 'schema-or-array' | 'schema-or-bool' | 'schema-or-strings',
  facts: WireFacts,
  depth: number,
): unknown {
  const schema = facts.messages['apiextensions/v1.JSONSchemaProps']
  if (schema === undefined) throw new RangeError('unknown message apiextensions/v1.JSONSchemaProps')
  const reader = new WireReader(bytes)
  let first: unknown
  const list: unknown[] = []
  let allows = false
  for (let at = reader.nextField(); at !== undefined; at = reader.nextField()) {
    const isSchema = type === 'schema-or-bool' ? at.number === 2 : at.number === 1
    if (isSchema) first = decodeMessage(reader.bytes(), schema, facts, depth + 1)
    else if (type === 'schema-or-bool') allows = reader.integer() !== 0
    else if (type === 'schema-or-array') list.push(decodeMessage(reader.bytes(), schema, facts, depth + 1))
    else list.push(reader.text())
  }
  return first ?? (type === 'schema-or-bool' ? allows : list)
}
