// The JSON form of an object as a message of application/vnd.kubernetes.protobuf. What is absent in JSON is absent here: decoders
// give such fields their zero value, as Kubernetes' own do.
import type { WireFacts, WireField, WireMessage } from './wire-facts.ts'
import type { WireWriter } from './wire-writer.ts'

type JsonObject = Readonly<Record<string, unknown>>
/** Writes one value with its tag. Values are never null or undefined. */
type WriteField = (writer: WireWriter, value: unknown) => void

interface MessagePlan {
  /** By JSON name. */
  readonly fields: Readonly<Record<string, WriteField>>
  /** Messages whose JSON fields stand among their holder's. */
  readonly inlined: readonly {
    readonly number: number
    readonly names: readonly string[]
    readonly plan: MessagePlan
  }[]
}

export class MessageEncoder {
  readonly #facts: WireFacts
  readonly #plans = new Map<string, MessagePlan>()

  constructor(facts: WireFacts) {
    this.#facts = facts
  }

  has(message: string): boolean {
    return Object.hasOwn(this.#facts.messages, message)
  }

  /** The fields of one message, without tag or length. `message`: "core/v1.Pod". */
  write(writer: WireWriter, message: string, object: JsonObject): void {
    writeMessage(writer, this.#plan(message), object)
  }

  #plan(name: string): MessagePlan {
    const known = this.#plans.get(name)
    if (known !== undefined) return known
    const message = this.#facts.messages[name]
    if (message === undefined) throw new RangeError(`unknown message ${name}`)
    const fields: Record<string, WriteField> = Object.create(null) as Record<string, WriteField>
    const inlined: { number: number; names: string[]; plan: MessagePlan }[] = []
    const plan: MessagePlan = { fields, inlined }
    // Known before its fields are: messages may hold themselves (JSONSchemaProps).
    this.#plans.set(name, plan)
    for (const [key, field] of Object.entries(message.fields)) {
      const number = Number(key)
      if (field.name === undefined) {
        const inner = field.type.slice(2)
        inlined.push({ number, names: this.#namesOf(inner), plan: this.#plan(inner) })
      } else fields[field.name] = this.#field(number, field)
    }
    return plan
  }

  /** All JSON names of a message, those of its own inlined messages too. */
  #namesOf(name: string): string[] {
    const fields = Object.values(this.#facts.messages[name]?.fields ?? {})
    return fields.flatMap((field) => (field.name === undefined ? this.#namesOf(field.type.slice(2)) : [field.name]))
  }

  #field(number: number, field: WireField): WriteField {
    const write = this.#value(number, field)
    if (field.map === true) {
      const writeValue = this.#value(2, field)
      return (writer, value) => {
        for (const [key, item] of Object.entries(value as JsonObject)) {
          const end = writer.length
          if (item !== null) writeValue(writer, item)
          writeText(writer, 1, key)
          closeMessage(writer, number, end)
        }
      }
    }
    if (field.repeated !== true) return write
    return (writer, value) => {
      const list = value as readonly unknown[]
      for (let index = list.length - 1; index >= 0; index -= 1) {
        const item = list[index]
        if (item !== null && item !== undefined) write(writer, item)
      }
    }
  }

  #value(number: number, { type }: WireField): WriteField {
    switch (type) {
      case 'string':
        return (writer, value) => {
          writeText(writer, number, typeof value === 'string' ? value : String(value))
        }
      case 'bool':
        return (writer, value) => {
          writer.varint(value === true ? 1 : 0)
          writer.tag(number, 0)
        }
      case 'int':
        return (writer, value) => {
          writer.integer(Math.trunc(Number(value)))
          writer.tag(number, 0)
        }
      case 'double':
        return (writer, value) => {
          writer.double(Number(value))
          writer.tag(number, 1)
        }
      case 'bytes':
        return (writer, value) => {
          writeBytes(writer, number, Buffer.from(String(value), 'base64'))
        }
      case 'time':
      case 'micro-time':
        return (writer, value) => {
          writeTime(writer, number, String(value))
        }
      case 'duration':
        return (writer, value) => {
          const end = writer.length
          writer.integer(goDurationNanos(String(value)))
          writer.tag(1, 0)
          closeMessage(writer, number, end)
        }
      case 'quantity':
        return (writer, value) => {
          const end = writer.length
          writeText(writer, 1, String(value))
          closeMessage(writer, number, end)
        }
      case 'int-or-string':
        return (writer, value) => {
          writeIntOrString(writer, number, value as number | string)
        }
      case 'raw':
        return (writer, value) => {
          const end = writer.length
          writeBytes(writer, 1, Buffer.from(JSON.stringify(value)))
          closeMessage(writer, number, end)
        }
      case 'schema-or-array':
      case 'schema-or-bool':
      case 'schema-or-strings':
        return (writer, value) => {
          this.#writeSchemaUnion(writer, number, type, value)
        }
      default:
        return this.#messageValue(number, type.slice(2))
    }
  }

  #messageValue(number: number, name: string): WriteField {
    const message: WireMessage | undefined = this.#facts.messages[name]
    if (message?.list === true) {
      const items = this.#field(1, { ...message.fields['1'], type: message.fields['1']?.type ?? 'string' })
      return (writer, value) => {
        const end = writer.length
        items(writer, value)
        closeMessage(writer, number, end)
      }
    }
    let plan: MessagePlan | undefined
    return (writer, value) => {
      plan ??= this.#plan(name)
      const end = writer.length
      writeMessage(writer, plan, value as JsonObject)
      closeMessage(writer, number, end)
    }
  }

  /** JSON: a schema, or (by type) a list of schemas, a boolean, a list of property names. */
  #writeSchemaUnion(writer: WireWriter, number: number, type: string, value: unknown): void {
    const schema = (at: number, item: unknown): void => {
      const end = writer.length
      this.write(writer, 'apiextensions/v1.JSONSchemaProps', item as JsonObject)
      closeMessage(writer, at, end)
    }
    const end = writer.length
    if (type === 'schema-or-bool') {
      if (typeof value !== 'boolean') schema(2, value)
      writer.varint(value === false ? 0 : 1)
      writer.tag(1, 0)
    } else if (!Array.isArray(value)) schema(1, value)
    else {
      for (const item of (value as unknown[]).toReversed()) {
        if (type === 'schema-or-array') schema(2, item)
        else writeText(writer, 2, String(item))
      }
    }
    closeMessage(writer, number, end)
  }
}

function writeMessage(writer: WireWriter, { fields, inlined }: MessagePlan, object: JsonObject): void {
  for (const name in object) {
    const value = object[name]
    if (value !== null && value !== undefined) fields[name]?.(writer, value)
  }
  for (const { number, names, plan } of inlined) {
    if (!names.some((name) => object[name] !== undefined)) continue
    const end = writer.length
    writeMessage(writer, plan, object)
    closeMessage(writer, number, end)
  }
}

/** Length and tag of what was written since the writer had `end` bytes. */
export function closeMessage(writer: WireWriter, number: number, end: number): void {
  writer.varint(writer.length - end)
  writer.tag(number, 2)
}

export function writeText(writer: WireWriter, number: number, value: string): void {
  const end = writer.length
  writer.text(value)
  closeMessage(writer, number, end)
}

export function writeBytes(writer: WireWriter, number: number, value: Uint8Array): void {
  writer.bytes(value)
  writer.varint(value.length)
  writer.tag(number, 2)
}

/** {seconds = 1, nanos = 2} */
function writeTime(writer: WireWriter, number: number, text: string): void {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) return
  const end = writer.length
  // "2026-01-01T00:00:00Z" has no fraction to look for.
  const nanos = text.length === 20 ? 0 : Number((/\.(\d{1,9})/.exec(text)?.[1] ?? '').padEnd(9, '0'))
  if (nanos !== 0) {
    writer.varint(nanos)
    writer.tag(2, 0)
  }
  writer.integer(Math.floor(ms / 1000))
  writer.tag(1, 0)
  closeMessage(writer, number, end)
}

/** {type = 1 (0 number, 1 text), intVal = 2, strVal = 3} */
function writeIntOrString(writer: WireWriter, number: number, value: number | string): void {
  const end = writer.length
  if (typeof value === 'string') {
    writeText(writer, 3, value)
    writer.varint(1)
  } else {
    writer.integer(value)
    writer.tag(2, 0)
    writer.varint(0)
  }
  writer.tag(1, 0)
  closeMessage(writer, number, end)
}

const unitNanos: Readonly<Record<string, number>> = { h: 3.6e12, m: 6e10, s: 1e9, ms: 1e6, us: 1e3, µs: 1e3, ns: 1 }

/** "1h2m3.5s" as Go writes durations. */
function goDurationNanos(text: string): number {
  let nanos = 0
  for (const [, count = '0', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|us|µs|ns|s)/g))
    nanos += Number(count) * (unitNanos[unit] ?? 0)
  return Math.round(text.startsWith('-') ? -nanos : nanos)
}
