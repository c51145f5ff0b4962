// The agent's side of a framed duplex (exec, attach, shell): typed frames in, back-pressured frames out, one Status last.
import type { ServerHttp2Stream } from 'node:http2'
import { frameChannel } from '../../../common/channel/agent-api.ts'
import { encodeFrame, FrameDecoder } from '../channel/frames.ts'

export interface FramedHandlers {
  onStdin(data: Buffer): void
  onStdinEnd(): void
  onResize(size: { width: number; height: number }): void
  /** The client is gone. */
  onClose(): void
}

export class FramedStream {
  readonly #stream: ServerHttp2Stream
  #ended = false

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream
  }

  /** Accepts the request: response headers go out, frames of the client go to the handlers. */
  start(handlers: FramedHandlers): void {
    const decoder = new FrameDecoder()
    this.#stream.respond({ ':status': 200, 'content-type': 'application/octet-stream' })
    this.#stream.on('data', (chunk: Buffer) => {
      try {
        for (const frame of decoder.push(chunk)) dispatch(frame.channel, frame.payload, handlers)
      } catch {
        this.#stream.destroy()
      }
    })
    this.#stream.on('end', () => {
      handlers.onStdinEnd()
    })
    this.#stream.on('close', () => {
      if (!this.#ended) handlers.onClose()
    })
  }

  /** Stop reading from the client until `resumeInput`: the process does not take its input as fast as it comes. */
  pauseInput(): void {
    this.#stream.pause()
  }

  resumeInput(): void {
    this.#stream.resume()
  }

  /** False: the client does not keep up; wait for `onDrain`. */
  send(channel: number, payload: Uint8Array): boolean {
    if (this.#stream.destroyed || this.#ended) return true
    return this.#stream.write(encodeFrame(channel, payload))
  }

  onDrain(callback: () => void): void {
    this.#stream.once('drain', callback)
  }

  /** The last frame: how it ended. */
  finish(status: unknown): void {
    if (this.#ended || this.#stream.destroyed) return
    this.#stream.write(encodeFrame(frameChannel.error, Buffer.from(JSON.stringify(status))))
    this.#ended = true
    this.#stream.end()
  }
}

function dispatch(channel: number, payload: Buffer, handlers: FramedHandlers): void {
  if (channel === frameChannel.stdin) handlers.onStdin(Buffer.from(payload))
  else if (channel === frameChannel.close && payload[0] === frameChannel.stdin) handlers.onStdinEnd()
  else if (channel === frameChannel.resize) {
    const size = JSON.parse(payload.toString('utf8')) as { Width?: number; Height?: number }
    if (Number.isInteger(size.Width) && Number.isInteger(size.Height))
      handlers.onResize({ width: size.Width ?? 80, height: size.Height ?? 24 })
  }
}

export const successStatus = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }

export const exitStatus = (code: number): unknown =>
  code === 0
    ? successStatus
    : {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: `command terminated with non-zero exit code: exit status ${String(code)}`,
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
      }

export const failureStatus = (message: string): unknown => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  reason: 'InternalError',
  message,
  code: 500,
})
