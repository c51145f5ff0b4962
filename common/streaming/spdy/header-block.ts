// Name/value header blocks: binary form and compression. Writing needs no compressor: a zlib stream may consist of stored blocks,
// and header blocks here are tens of bytes. Reading needs a real inflater, which the runtime supplies.
import { spdyDictionary } from './dictionary.ts'

export type SpdyHeaders = ReadonlyMap<string, string>

/** One zlib stream for the life of a session: each call inflates one header block, flushed by the sender. */
export interface HeaderInflater {
  /** Rejects when the data is broken or grows beyond `maxHeaderBlockBytes`. */
  inflate(bytes: Uint8Array): Promise<Uint8Array>
  close(): void
}

/** Makes an inflater for zlib data (RFC 1950) with this preset dictionary. */
export type NewHeaderInflater = (dictionary: Uint8Array) => HeaderInflater

export const maxHeaderBlockBytes = 64 * 1024
const maxStoredBlock = 0xffff
const maxHeaders = 256

/** Deflater with compression level 0: valid for every zlib reader, needs no library, keeps no state but "first". */
export class StoredHeaderDeflater {
  #first = true

  deflate(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const blocks = Math.max(1, Math.ceil(bytes.length / maxStoredBlock))
    const output = new Uint8Array((this.#first ? 6 : 0) + bytes.length + (blocks + 1) * 5)
    let offset = 0
    if (this.#first) {
      this.#first = false
      // CMF: deflate with a 32 KiB window; FLG: preset dictionary, check bits; then the dictionary's Adler-32.
      output.set([0x78, 0x20 + (31 - ((0x78 * 256 + 0x20) % 31))], 0)
      new DataView(output.buffer).setUint32(2, adler32(spdyDictionary))
      offset = 6
    }
    for (let start = 0; start === 0 || start < bytes.length; start += maxStoredBlock) {
      const block = bytes.subarray(start, start + maxStoredBlock)
      const length = block.length
      output.set([0, length & 0xff, length >> 8, ~length & 0xff, (~length >> 8) & 0xff], offset)
      output.set(block, offset + 5)
      offset += 5 + length
    }
    // An empty block is what a sync flush ends with: Go's reader gives data out only when it meets one.
    output.set([0, 0, 0, 0xff, 0xff], offset)
    return output
  }
}

export function adler32(bytes: Uint8Array): number {
  let a = 1
  let b = 0
  for (const byte of bytes) {
    a = (a + byte) % 65521
    b = (b + a) % 65521
  }
  return b * 65536 + a
}

export function encodeHeaders(headers: Iterable<readonly [string, string]>): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder()
  const parts: Uint8Array[] = []
  let count = 0
  for (const [name, value] of headers) {
    count += 1
    parts.push(encoder.encode(name.toLowerCase()), encoder.encode(value))
  }
  const block = new Uint8Array(4 + parts.reduce((sum, part) => sum + 4 + part.length, 0))
  const view = new DataView(block.buffer)
  view.setUint32(0, count)
  let offset = 4
  for (const part of parts) {
    view.setUint32(offset, part.length)
    block.set(part, offset + 4)
    offset += 4 + part.length
  }
  return block
}

/** Names come out in lower case. Throws RangeError for a malformed block. */
export function decodeHeaders(block: Uint8Array): Map<string, string> {
  const decoder = new TextDecoder()
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  let offset = 4
  const text = (): string => {
    const length = view.getUint32(offset)
    if (offset + 4 + length > block.length) throw new RangeError('SPDY header block is cut off')
    const value = decoder.decode(block.subarray(offset + 4, offset + 4 + length))
    offset += 4 + length
    return value
  }
  const count = view.getUint32(0)
  if (count > maxHeaders) throw new RangeError(`SPDY header block names ${String(count)} headers`)
  const headers = new Map<string, string>()
  for (let index = 0; index < count; index += 1) {
    const name = text()
    headers.set(name.toLowerCase(), text())
  }
  return headers
}
