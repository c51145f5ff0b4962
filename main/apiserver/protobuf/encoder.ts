// Objects, lists and watch events as application/vnd.kubernetes.protobuf. One stored object is encoded once per revision, whoever asks.
// An answer is the four bytes "k8s\0" and runtime.Unknown {typeMeta = 1 {apiVersion = 1, kind = 2}, raw = 2, contentEncoding = 3,
// contentType = 4}; a watch stream is frames of a four-byte length and WatchEvent {type = 1, object = 2 {raw = 1: such an answer}}.
import type { StoredObject } from '../registry/stored-object.ts'
import { closeMessage, MessageEncoder, writeBytes, writeText } from './encode.ts'
import { wireFacts } from './load-facts.ts'
import { messageOf } from './message-names.ts'
import { WireWriter } from './wire-writer.ts'

export const protobufMediaType = 'application/vnd.kubernetes.protobuf'

export interface TypeMeta {
  readonly apiVersion: string
  readonly kind: string
}

const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00])
/** contentEncoding and contentType, which are empty. */
const noEncoding = Buffer.from([0x1a, 0x00, 0x22, 0x00])

export class ProtobufEncoder {
  readonly #messages = new MessageEncoder(wireFacts())
  readonly #writer = new WireWriter()
  readonly #stored = new WeakMap<StoredObject, Buffer>()
  readonly #metadata = new WeakMap<StoredObject, Buffer>()
  readonly #frames = new WeakMap<StoredObject, Map<string, Buffer>>()

  /** Whether objects of a kind have a protobuf form at all (custom resources have none). */
  has({ apiVersion, kind }: TypeMeta): boolean {
    return messageOf(wireFacts(), apiVersion, kind) !== undefined
  }

  /** Any object that says what it is. */
  object(object: TypeMeta & Readonly<Record<string, unknown>>): Buffer {
    return this.#envelope(object, () => {
      this.#messages.write(this.#writer, requireMessage(object), object)
    })
  }

  stored(type: TypeMeta, object: StoredObject): Buffer {
    const raw = this.#rawOf(type, object)
    return this.#envelope(type, () => {
      this.#writer.bytes(raw)
    })
  }

  /** `type` is the items'. */
  list(type: TypeMeta, metadata: object, items: readonly StoredObject[]): Iterable<Buffer> {
    return this.#listOf({ ...type, kind: `${type.kind}List` }, metadata, items, (item) => this.#rawOf(type, item))
  }

  partial(version: string, object: StoredObject): Buffer {
    const raw = this.#rawMetadata(object)
    return this.#envelope(partialType(version), () => {
      this.#writer.bytes(raw)
    })
  }

  partialList(version: string, metadata: object, items: readonly StoredObject[]): Iterable<Buffer> {
    const type = { ...partialType(version), kind: 'PartialObjectMetadataList' }
    return this.#listOf(type, metadata, items, (item) => this.#rawMetadata(item))
  }

  /** One frame of a watch stream; the same Buffer for every watcher. */
  storedFrame(event: string, type: TypeMeta, object: StoredObject): Buffer {
    let frames = this.#frames.get(object)
    if (frames === undefined) this.#frames.set(object, (frames = new Map<string, Buffer>()))
    let frame = frames.get(event)
    if (frame === undefined) frames.set(event, (frame = this.frame(event, this.stored(type, object))))
    return frame
  }

  frame(event: string, object: Buffer): Buffer {
    return this.#write((writer) => {
      const end = writer.length
      writeBytes(writer, 1, object)
      closeMessage(writer, 2, end)
      writeText(writer, 1, event)
      const { length } = writer
      writer.bytes(Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length))
    })
  }

  #rawOf(type: TypeMeta, object: StoredObject): Buffer {
    let raw = this.#stored.get(object)
    if (raw === undefined) {
      const message = requireMessage(type)
      raw = this.#write((writer) => {
        // A list of everything must not leave everything parsed in memory.
        const parsed = object.parsed ?? object.copy()
        this.#messages.write(writer, message, parsed as unknown as Record<string, unknown>)
      })
      this.#stored.set(object, raw)
    }
    return raw
  }

  #rawMetadata(object: StoredObject): Buffer {
    let raw = this.#metadata.get(object)
    if (raw === undefined) {
      const { metadata } = object.parsed ?? object.copy()
      raw = this.#write((writer) => {
        this.#messages.write(writer, 'meta/v1.PartialObjectMetadata', { metadata })
      })
      this.#metadata.set(object, raw)
    }
    return raw
  }

  /** In pieces: what a list weighs is known before it is put together, so it never is. */
  *#listOf(
    type: TypeMeta,
    metadata: object,
    items: readonly StoredObject[],
    rawOf: (item: StoredObject) => Buffer,
  ): Generator<Buffer> {
    const raws = items.map(rawOf)
    const meta = this.#write((writer) => {
      const end = writer.length
      this.#messages.write(writer, 'meta/v1.ListMeta', metadata as Record<string, unknown>)
      closeMessage(writer, 1, end)
    })
    const heads = raws.map(({ length }) => fieldHead(2, length))
    const weight = raws.reduce((sum, raw, index) => sum + (heads[index]?.length ?? 0) + raw.length, meta.length)
    yield this.#write((writer) => {
      writer.bytes(meta)
      writer.bytes(fieldHead(2, weight))
      writeTypeMeta(writer, type)
      writer.bytes(magic)
    })
    for (const [index, raw] of raws.entries()) {
      yield heads[index] ?? Buffer.alloc(0)
      yield raw
    }
    yield noEncoding
  }

  #envelope(type: TypeMeta, writeRaw: () => void): Buffer {
    return this.#write((writer) => {
      writer.bytes(noEncoding)
      const end = writer.length
      writeRaw()
      closeMessage(writer, 2, end)
      writeTypeMeta(writer, type)
      writer.bytes(magic)
    })
  }

  #write(write: (writer: WireWriter) => void): Buffer {
    try {
      write(this.#writer)
      return this.#writer.take()
    } finally {
      this.#writer.reset()
    }
  }
}

function writeTypeMeta(writer: WireWriter, { apiVersion, kind }: TypeMeta): void {
  const end = writer.length
  writeText(writer, 2, kind)
  writeText(writer, 1, apiVersion)
  closeMessage(writer, 1, end)
}

/** Tag and length of bytes that follow. */
function fieldHead(number: number, length: number): Buffer {
  const bytes = [number * 8 + 2]
  let rest = length
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return Buffer.from([...bytes, rest])
}

const partialType = (version: string): TypeMeta => ({
  apiVersion: `meta.k8s.io/${version}`,
  kind: 'PartialObjectMetadata',
})

function requireMessage({ apiVersion, kind }: TypeMeta): string {
  const message = messageOf(wireFacts(), apiVersion, kind)
  if (message === undefined) throw new RangeError(`${apiVersion} ${kind} has no protobuf form`)
  return message
}

let encoder: ProtobufEncoder | undefined

/** Made when the first client asks for protobuf: the table of field numbers costs memory. */
export function protobufEncoder(): ProtobufEncoder {
  encoder ??= new ProtobufEncoder()
  return encoder
}
