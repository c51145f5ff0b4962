// The framing of streams on the control channel (common/channel/agent-api.ts): 1 byte channel, 4 bytes big-endian length, payload.
import { maxFramePayload } from '../../../common/channel/agent-api.ts'

const headerBytes = 5

export function* encodeAgentFrames(channel: number, payload: Uint8Array): Generator<Buffer> {
  for (let start = 0; start === 0 || start < payload.length; start += maxFramePayload) {
    const piece = payload.subarray(start, start + maxFramePayload)
    const frame = Buffer.allocUnsafe(headerBytes + piece.length)
    frame.writeUInt8(channel, 0)
    frame.writeUInt32BE(piece.length, 1)
    frame.set(piece, headerBytes)
    yield frame
  }
}

/** Frames of a byte stream. Throws when the peer announces a longer frame than the protocol allows. */
export async function* readAgentFrames(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ channel: number; payload: Buffer }> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of stream) {
    rest =
      rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([rest, chunk])
    while (rest.length >= headerBytes) {
      const length = rest.readUInt32BE(1)
      if (length > maxFramePayload)
        throw new Error(
          `the agent announced a frame of ${String(length)} bytes, at most ${String(maxFramePayload)} are allowed`,
        )
      if (rest.length < headerBytes + length) break
      yield { channel: rest.readUInt8(0), payload: rest.subarray(headerBytes, headerBytes + length) }
      rest = rest.subarray(headerBytes + length)
    }
  }
}
