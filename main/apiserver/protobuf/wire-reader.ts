// Reads protobuf wire format. Everything that does not fit throws RangeError.
import { Buffer } from 'node:buffer'

export class WireReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** The next field's number and wire type; undefined at the end. */
  nextField(): { number: number; wire: number } | undefined {
    if (this.done) return undefined
    const tag = Number(this.#varint())
    const number = Math.floor(tag / 8)
    if (number === 0) throw new RangeError('field number 0')
    return { number, wire: tag % 8 }
  }

  /** A varint as a signed 64-bit integer, in number range. */
  integer(): number {
    return Number(BigInt.asIntN(64, this.#varint()))
  }

  double(): number {
    this.#need(8)
    const value = this.#view.getFloat64(this.#at, true)
    this.#at += 8
    return value
  }

  bytes(): Uint8Array {
    const length = Number(this.#varint())
    this.#need(length)
    const value = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return value
  }

  text(): string {
    const bytes = this.bytes()
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  }

  skip(wire: number): void {
    switch (wire) {
      case 0:
        this.#varint()
        return
      case 1:
        this.#need(8)
        this.#at += 8
        return
      case 2:
        this.bytes()
        return
      case 5:
        this.#need(4)
        this.#at += 4
        return
      default:
        throw new RangeError(`wire type ${String(wire)}`)
    }
  }

  #need(length: number): void {
    if (this.#at + length > this.#bytes.length) throw new RangeError('it ends in the middle of a field')
  }

  #varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      this.#need(1)
      const byte = this.#bytes[this.#at] ?? 0
      this.#at += 1
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new RangeError('a number longer than 64 bits')
  }
}
