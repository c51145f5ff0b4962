// The Protocol Buffers encoding, as far as etcd's messages need it: varints, byte strings and nested messages. Fields with proto3's
// default value are not written; unknown fields are skipped. Source: https://protobuf.dev/programming-guides/encoding/

const varint = 0
const fixed64 = 1
const delimited = 2
const fixed32 = 5

export class WireWriter {
  readonly #parts: Buffer[] = []

  integer(field: number, value: number): this {
    if (value !== 0) this.#parts.push(encodeVarint(field * 8 + varint), encodeVarint(value))
    return this
  }

  flag(field: number, value: boolean): this {
    return this.integer(field, value ? 1 : 0)
  }

  bytes(field: number, value: Buffer): this {
    return value.length === 0 ? this : this.message(field, value)
  }

  /** Unlike bytes, an empty one is written: that a message is there says something. */
  message(field: number, value: Buffer): this {
    this.#parts.push(encodeVarint(field * 8 + delimited), encodeVarint(value.length), value)
    return this
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

/** Up to 2^53; the parts above 32 bits are reached by arithmetic, not by shifts. */
function encodeVarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}

/** Calls `onField` for each varint (as number) and each byte string (as a view) in order. Throws on truncated input. */
export function readFields(
  bytes: Buffer,
  onField: { integer?: (field: number, value: number) => void; bytes?: (field: number, value: Buffer) => void },
): void {
  let at = 0
  const next = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = bytes[at]
      if (byte === undefined) throw new Error('a protobuf message ends inside a field')
      at += 1
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = next()
    const field = Math.floor(tag / 8)
    switch (tag % 8) {
      case varint: {
        const value = next()
        onField.integer?.(field, value)
        break
      }
      case delimited: {
        const length = next()
        if (at + length > bytes.length) throw new Error('a protobuf message ends inside a field')
        onField.bytes?.(field, bytes.subarray(at, at + length))
        at += length
        break
      }
      case fixed64:
        at += 8
        break
      case fixed32:
        at += 4
        break
      default:
        throw new Error(`unknown protobuf wire type ${String(tag % 8)}`)
    }
  }
}
