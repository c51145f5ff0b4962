// Answers in application/cbor, as apimachinery writes them: every item enclosed in the self-described tag, text as byte strings.
// Bytes stay the base64 text they are in JSON: readers take a byte string without a tag for that.
import { encode, type EncodeOptions, Token, Type } from 'cborg'
import type { EventType, StoredObject } from '../registry/stored-object.ts'

/** Head of tag 55799, by which CBOR is recognized. */
const selfDescribed = Buffer.from([0xd9, 0xd9, 0xf7])
const mapOf2 = 0xa2
const mapOf4 = 0xa4

const options: EncodeOptions = {
  typeEncoders: { string: (value: string) => new Token(Type.bytes, Buffer.from(value)) },
  mapSorter: () => 0,
  ignoreUndefinedProperties: true,
}

const item = (value: unknown): Uint8Array => encode(value, options)

export const encodeCbor = (value: unknown): Buffer => Buffer.concat([selfDescribed, item(value)])

/** A list in pieces: it is never whole in memory. */
export function* cborListPieces(
  list: { readonly kind: string; readonly apiVersion: string; readonly metadata: object },
  count: number,
  items: Iterable<object>,
): Generator<Buffer> {
  const head = Object.entries(list).flatMap(([name, value]) => [item(name), item(value)])
  yield Buffer.concat([selfDescribed, Buffer.of(mapOf4), ...head, item('items'), arrayHead(count)])
  for (const each of items) yield Buffer.from(item(each))
}

/** With the length in four bytes, whatever it is. */
function arrayHead(count: number): Buffer {
  const head = Buffer.of(0x9a, 0, 0, 0, 0)
  head.writeUInt32BE(count, 1)
  return head
}

export function cborEvent(type: string, object: object): Buffer {
  return Buffer.concat([selfDescribed, Buffer.of(mapOf2), ...eventHead(type), encodeCbor(object)])
}

const eventHead = (type: string): Uint8Array[] => [item('type'), item(type), item('object')]

let last: { readonly stored: StoredObject; readonly type: EventType; readonly bytes: Buffer } | undefined

/** The watchers of one event ask for the same bytes one after the other. */
export function cborStoredEvent(type: EventType, stored: StoredObject): Buffer {
  if (last?.stored !== stored || last.type !== type) last = { stored, type, bytes: cborEvent(type, stored.object) }
  return last.bytes
}
