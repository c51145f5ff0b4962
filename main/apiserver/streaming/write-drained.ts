// Writing with back-pressure.
import type { Writable } from 'node:stream'

/** Resolves when more may be written; rejects when the stream is gone. */
export function writeDrained(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (stream.destroyed || !stream.writable) return Promise.reject(new Error('the stream is closed'))
  if (stream.write(bytes)) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      stream.off('drain', settle)
      stream.off('close', settle)
      if (stream.destroyed) reject(new Error('the stream is closed'))
      else resolve()
    }
    stream.on('drain', settle)
    stream.on('close', settle)
  })
}
