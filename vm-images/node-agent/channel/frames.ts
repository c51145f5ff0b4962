// The channel's framing (common/channel/agent-api.ts): 1 byte channel, 4 bytes big-endian length, payload.
import { maxFramePayload } from '../../../common/channel/agent-api.ts'

export interface Frame {
  channel: number
  payload: Buffer
}

const headerBytes = 5

/** One frame, or several when the payload is larger than a frame may be. */
export function encodeFrame(channel: number, payload: Uint8Array): Buffer {
  if (payload.length > maxFramePayload)
    return Buffer.concat([
      encodeFrame(channel, payload.subarray(0, maxFramePayload)),
      encodeFrame(channel, payload.subarray(maxFramePayload)),
    ])
  const frame = Buffer.allocUnsafe(headerBytes + payload.length)
  frame.writeUInt8(channel, 0)
  frame.writeUInt32BE(payload.length, 1)
  frame.set(payload, headerBytes)
  return frame
}

export class FrameDecoder {
  #buffered: Buffer = Buffer.alloc(0)

  /** Complete frames in `chunk` and what came before. Throws on a length no honest peer sends. */
  push(chunk: Buffer): Frame[] {
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk])
    const frames: Frame[] = []
    while (this.#buffered.length >= headerBytes) {
      const length = this.#buffered.readUInt32BE(1)
      if (length > maxFramePayload) throw new Error(`frame of ${String(length)} bytes is over the limit`)
      if (this.#buffered.length < headerBytes + length) break
      frames.push({
        channel: this.#buffered.readUInt8(0),
        payload: this.#buffered.subarray(headerBytes, headerBytes + length),
      })
      this.#buffered = this.#buffered.subarray(headerBytes + length)
    }
    return frames
  }
}
