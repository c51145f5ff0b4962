// QEMU's stream netdev wire format: each Ethernet frame after its length as 4 bytes big-endian.

/** QEMU's NET_BUFSIZE: larger frames do not exist, a larger length means that the peer does not speak this format. */
export const maxFrameBytes = 4096 + 65_536
export const lengthBytes = 4

export class FrameFormatError extends Error {
  override readonly name = 'FrameFormatError'
}

/** Cuts a byte stream into frames. Calls back per chunk with a buffer and the extent of each whole frame in it (without length). */
export class FrameReader {
  #rest: Buffer | undefined

  /** `onFrame(buffer, start, length)`: the frame is buffer[start, start + length), its length field right before it. */
  push(chunk: Buffer, onFrame: (buffer: Buffer, start: number, length: number) => void): void {
    const buffer = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (buffer.length - at >= lengthBytes) {
      const length = buffer.readUInt32BE(at)
      if (length > maxFrameBytes)
        throw new FrameFormatError(
          `frame of ${String(length)} bytes announced, at most ${String(maxFrameBytes)} can be`,
        )
      if (buffer.length - at - lengthBytes < length) break
      onFrame(buffer, at + lengthBytes, length)
      at += lengthBytes + length
    }
    this.#rest = at === buffer.length ? undefined : buffer.subarray(at)
  }
}
