// One socket of the switch: a listening endpoint that one machine's NIC connects to. A new connection replaces the old one, so
// that a machine plugged in again never waits for a dead socket to be noticed.
import { createServer, type Server, type Socket } from 'node:net'
import { type Endpoint, socketOptions } from '../vm/endpoint.ts'
import { FrameFormatError, FrameReader, lengthBytes } from './frame-stream.ts'
import type { PortCounters, PortStats } from './switch-messages.ts'

/** Then frames are dropped, as a real switch does; TCP in the guests adapts. Large enough for many full windows. */
export const maxQueueBytes = 4 * 1024 * 1024

/** A queued piece that uses less than this share of the chunk it was cut from is copied, so that it does not keep the chunk alive. */
const copyBelowShare = 0.25

export interface SwitchPortEvents {
  onFrame(buffer: Buffer, start: number, length: number): void
  /** After the last frame of a chunk. */
  onChunkEnd(): void
  onLink(up: boolean): void
}

export class SwitchPort {
  readonly id: number
  readonly #events: SwitchPortEvents
  readonly #server: Server
  readonly #counters: PortCounters = {
    rxFrames: 0,
    rxBytes: 0,
    txFrames: 0,
    txBytes: 0,
    droppedFrames: 0,
    formatErrors: 0,
  }
  #socket: Socket | undefined

  constructor(id: number, events: SwitchPortEvents) {
    this.id = id
    this.#events = events
    this.#server = createServer((socket) => {
      this.#accept(socket)
    })
  }

  listen(endpoint: Endpoint): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(socketOptions(endpoint), () => {
        this.#server.off('error', reject)
        this.#server.on('error', () => undefined)
        resolve()
      })
    })
  }

  close(): Promise<void> {
    this.#socket?.destroy()
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
  }

  stats(): PortStats {
    return { ...this.#counters, connected: this.#socket !== undefined, queuedBytes: this.#socket?.writableLength ?? 0 }
  }

  /** Queues `frames` whole frames with their lengths: buffer[start, end). Pieces of one chunk leave in one write (cork). */
  send(buffer: Buffer, start: number, end: number, frames: number): void {
    const socket = this.#socket
    if (socket === undefined) return
    if (socket.writableLength > maxQueueBytes) {
      this.#counters.droppedFrames += frames
      return
    }
    if (socket.writableCorked === 0) socket.cork()
    const piece = buffer.subarray(start, end)
    socket.write(piece.length < buffer.length * copyBelowShare ? Buffer.from(piece) : piece)
    this.#counters.txFrames += frames
    this.#counters.txBytes += end - start - frames * lengthBytes
  }

  flush(): void {
    this.#socket?.uncork()
  }

  #accept(socket: Socket): void {
    this.#socket?.destroy()
    const wasUp = this.#socket !== undefined
    this.#socket = socket
    socket.setNoDelay(true)
    const reader = new FrameReader()
    const onFrame = (buffer: Buffer, start: number, length: number): void => {
      this.#counters.rxFrames++
      this.#counters.rxBytes += length
      this.#events.onFrame(buffer, start, length)
    }
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk, onFrame)
      } catch (error) {
        if (!(error instanceof FrameFormatError)) throw error
        this.#counters.formatErrors++
        socket.destroy()
      }
      this.#events.onChunkEnd()
    })
    socket.on('error', () => undefined)
    socket.once('close', () => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      this.#events.onLink(false)
    })
    if (!wasUp) this.#events.onLink(true)
  }
}
