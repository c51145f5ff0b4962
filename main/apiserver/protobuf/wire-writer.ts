// Writes protobuf wire format from the end of its buffer towards the beginning: a message's length is known when its tag is written,
// so nothing is measured twice or moved. What is written last stands first.
import { Buffer } from 'node:buffer'

const firstSize = 64 * 1024
/** A buffer that grew beyond this is given up after use, so that one large list does not stay in memory. */
const keepSize = 1 << 20

export class WireWriter {
  #buffer = Buffer.allocUnsafeSlow(firstSize)
  #at = firstSize

  /** Bytes written so far; the difference of two is the length of what was written between. */
  get length(): number {
    return this.#buffer.length - this.#at
  }

  /** A copy of what was written; the writer is empty again. */
  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(this.#at))
    if (this.#buffer.length > keepSize) this.#buffer = Buffer.allocUnsafeSlow(firstSize)
    this.#at = this.#buffer.length
    return bytes
  }

  /** Forgets everything: after an error in the middle of a message. */
  reset(): void {
    this.#at = this.#buffer.length
  }

  tag(number: number, wire: number): void {
    this.varint(number * 8 + wire)
  }

  /** A non-negative integer below 2^53. */
  varint(value: number): void {
    if (value < 0x80) {
      this.#need(1)
      this.#at -= 1
      this.#buffer[this.#at] = value
      return
    }
    let size = 1
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1
    this.#need(size)
    this.#at -= size
    let rest = value
    for (let index = this.#at; index < this.#at + size - 1; index += 1) {
      this.#buffer[index] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#buffer[this.#at + size - 1] = rest
  }

  /** A signed integer as int32 and int64 are written: negative ones take ten bytes. */
  integer(value: number): void {
    if (value >= 0) {
      this.varint(value)
      return
    }
    this.#need(10)
    this.#at -= 10
    let rest = BigInt.asUintN(64, BigInt(value))
    for (let index = 0; index < 9; index += 1) {
      this.#buffer[this.#at + index] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#buffer[this.#at + 9] = Number(rest)
  }

  double(value: number): void {
    this.#need(8)
    this.#at -= 8
    this.#buffer.writeDoubleLE(value, this.#at)
  }

  bytes(value: Uint8Array): void {
    this.#need(value.length)
    this.#at -= value.length
    this.#buffer.set(value, this.#at)
  }

  text(value: string): void {
    const { length } = value
    // Short ASCII, which is nearly everything, is copied here: a call out costs more than the loop.
    if (length <= 48) {
      this.#need(length)
      const at = this.#at - length
      let index = 0
      for (; index < length; index += 1) {
        const code = value.charCodeAt(index)
        if (code >= 0x80) break
        this.#buffer[at + index] = code
      }
      if (index === length) {
        this.#at = at
        return
      }
    }
    const size = Buffer.byteLength(value)
    this.#need(size)
    this.#at -= size
    this.#buffer.write(value, this.#at, size, 'utf8')
  }

  #need(size: number): void {
    if (this.#at >= size) return
    const used = this.#buffer.length - this.#at
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, used + size))
    grown.set(this.#buffer.subarray(this.#at), grown.length - used)
    this.#buffer = grown
    this.#at = grown.length - used
  }
}
