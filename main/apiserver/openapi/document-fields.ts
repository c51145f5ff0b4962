// How the protobuf forms of OpenAPI documents are written. In gnostic's messages, names and values of a map are messages, in the
// document's order; alternatives ("oneof") are messages of their own around what was chosen.
import { stringify as stringifyYaml } from 'yaml'
import { closeMessage, writeText } from '../protobuf/encode.ts'
import type { WireWriter } from '../protobuf/wire-writer.ts'

export type Json = Readonly<Record<string, unknown>>
export type Write = (writer: WireWriter, number: number, value: never) => void
export type Fields = Readonly<Record<string, readonly [number, Write]>>

export const text = (writer: WireWriter, number: number, value: string): void => {
  writeText(writer, number, value)
}
export const flag = (writer: WireWriter, number: number, value: boolean): void => {
  writer.varint(value ? 1 : 0)
  writer.tag(number, 0)
}
export const count = (writer: WireWriter, number: number, value: number): void => {
  writer.integer(value)
  writer.tag(number, 0)
}
export const double = (writer: WireWriter, number: number, value: number): void => {
  writer.double(value)
  writer.tag(number, 1)
}
export const message = (writer: WireWriter, number: number, write: () => void): void => {
  const end = writer.length
  write()
  closeMessage(writer, number, end)
}
const knownYaml = new Map<string, string>()
const maxKnownYaml = 2000

/** The same few values stand at thousands of places. */
function yamlOf(value: unknown): string {
  const json = JSON.stringify(value)
  let yaml = knownYaml.get(json)
  if (yaml === undefined) {
    if (knownYaml.size >= maxKnownYaml) knownYaml.clear()
    knownYaml.set(json, (yaml = stringifyYaml(value)))
  }
  return yaml
}

/** Any value, as YAML. */
export const any: Write = (writer, number, value: unknown) => {
  message(writer, number, () => {
    writeText(writer, 2, yamlOf(value))
  })
}
export const each =
  (write: Write): Write =>
  (writer, number, values: readonly never[]) => {
    for (const value of values.toReversed()) write(writer, number, value)
  }
/** {repeated number {name = 1, value = 2}} without a message around it. */
export const named =
  (write: Write): Write =>
  (writer, number, values: Readonly<Record<string, never>>) => {
    for (const [name, value] of Object.entries(values).toReversed())
      message(writer, number, () => {
        write(writer, 2, value)
        writeText(writer, 1, name)
      })
  }
/** The same as the only field of a message. */
export const namedIn =
  (write: Write): Write =>
  (writer, number, values: never) => {
    message(writer, number, () => {
      named(write)(writer, 1, values)
    })
  }
export const listIn =
  (write: Write): Write =>
  (writer, number, value: unknown) => {
    const values = (Array.isArray(value) ? value : [value]) as never[]
    message(writer, number, () => {
      each(write)(writer, 1, values as never)
    })
  }

/** Fields by their numbers; everything that begins with "x-" as vendor extensions. */
export const object =
  (fields: () => Fields, extension: number): Write =>
  (writer, number, value: Json) => {
    message(writer, number, () => {
      writeFields(writer, fields(), extension, value)
    })
  }

export function writeFields(writer: WireWriter, fields: Fields, extension: number, value: Json): void {
  const extensions = Object.entries(value).filter(([name]) => name.startsWith('x-'))
  named(any)(writer, extension, Object.fromEntries(extensions) as never)
  for (const [name, item] of Object.entries(value)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (field !== undefined && item !== undefined && item !== null) field[1](writer, field[0], item as never)
  }
}
