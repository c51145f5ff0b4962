// Framing of exec, attach and shell on the control channel (common/channel/agent-api.ts): channel, length, payload.
import { maxFramePayload } from '../channel/agent-api.ts'

export interface ChannelFrame {
  readonly channel: number
  readonly payload: Uint8Array
}

const headerBytes = 5

/** One frame; a longer payload must be cut by the caller (see channelFrames). */
export function encodeChannelFrame(channel: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(headerBytes + payload.length)
  bytes[0] = channel
  new DataView(bytes.buffer).setUint32(1, payload.length)
  bytes.set(payload, headerBytes)
  return bytes
}

/** As many frames as the payload needs; an empty payload is one empty frame. */
export function* channelFrames(channel: number, payload: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
  for (let start = 0; start === 0 || start < payload.length; start += maxFramePayload) {
    yield encodeChannelFrame(channel, payload.subarray(start, start + maxFramePayload))
  }
}

/** Cuts a byte stream into frames, however it arrives. */
export class ChannelFrameDecoder {
  #buffer: Uint8Array = new Uint8Array(0)

  /** Throws RangeError for a payload longer than the channel allows. */
  push(chunk: Uint8Array): ChannelFrame[] {
    let bytes = chunk
    if (this.#buffer.length > 0) {
      bytes = new Uint8Array(this.#buffer.length + chunk.length)
      bytes.set(this.#buffer)
      bytes.set(chunk, this.#buffer.length)
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const frames: ChannelFrame[] = []
    let offset = 0
    while (bytes.length - offset >= headerBytes) {
      const length = view.getUint32(offset + 1)
      if (length > maxFramePayload) throw new RangeError(`channel frame of ${String(length)} bytes`)
      if (bytes.length - offset - headerBytes < length) break
      frames.push({
        channel: view.getUint8(offset),
        payload: bytes.subarray(offset + headerBytes, offset + headerBytes + length),
      })
      offset += headerBytes + length
    }
    this.#buffer = offset === bytes.length ? new Uint8Array(0) : bytes.slice(offset)
    return frames
  }
}
