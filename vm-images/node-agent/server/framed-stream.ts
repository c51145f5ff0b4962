// The agent's side of a framed duplex (exec, attach, shell): typed frames in, back-pressured frames out, one Status last.
import type { ServerHttp2Stream } from 'node:http2'
import { frameChannel } from '../../../common/channel/agent-api.ts'
import { ChannelFrameDecoder, channelFrames } from '../../../common/streaming/channel-frames.ts'

export interface FramedHandlers {
  /** A promise delays what follows: the client is not read from meanwhile. */
  onStdin(data: Uint8Array): Promise<void> | void
  onStdinEnd(): Promise<void> | void
  onResize(size: { width: number; height: number }): void
  /** The client is gone before the end. */
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
    this.#stream.respond({ ':status': 200, 'content-type': 'application/octet-stream' })
    this.#stream.on('close', () => {
      if (!this.#ended) handlers.onClose()
    })
    void this.#receive(handlers)
  }

  /** Resolves when the client takes more. */
  async send(channel: number, payload: Uint8Array): Promise<void> {
    for (const frame of channelFrames(channel, payload)) {
      if (this.#stream.destroyed || this.#ended) return
      if (!this.#stream.write(frame)) await drained(this.#stream)
    }
  }

  /** The last frame: how it ended. */
  finish(status: unknown): void {
    if (this.#ended || this.#stream.destroyed) return
    for (const frame of channelFrames(frameChannel.error, Buffer.from(JSON.stringify(status))))
      this.#stream.write(frame)
    this.#ended = true
    this.#stream.end()
  }

  async #receive(handlers: FramedHandlers): Promise<void> {
    const decoder = new ChannelFrameDecoder()
    try {
      for await (const chunk of this.#stream)
        for (const { channel, payload } of decoder.push(chunk as Buffer)) await dispatch(channel, payload, handlers)
      await handlers.onStdinEnd()
    } catch {
      // Frames that make no sense, or a client that went away in the middle of one.
      if (!this.#ended) this.#stream.destroy()
    }
  }
}

export function drained(stream: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}

async function dispatch(channel: number, payload: Uint8Array, handlers: FramedHandlers): Promise<void> {
  if (channel === frameChannel.stdin) await handlers.onStdin(payload)
  else if (channel === frameChannel.close && payload[0] === frameChannel.stdin) await handlers.onStdinEnd()
  else if (channel === frameChannel.resize) {
    const size = JSON.parse(Buffer.from(payload).toString('utf8')) as { Width?: number; Height?: number }
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
