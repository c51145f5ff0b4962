// containerd's streaming server over WebSocket (v4.channel.k8s.io): channel 0 stdin, 1 stdout, 2 stderr, 3 error Status, 4 resize.
import { WebSocket } from 'ws'

export interface CriStreamHandlers {
  /** Returns false when the receiver does not keep up; the stream pauses until `resume`. */
  onData(channel: number, payload: Buffer): boolean
  onError(error: Error): void
  onEnd(): void
}

export interface CriStream {
  send(channel: number, payload: Uint8Array): void
  pause(): void
  resume(): void
  close(): void
}

export function openCriWebSocket(url: string, handlers: CriStreamHandlers): Promise<CriStream> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), 'v4.channel.k8s.io', { perMessageDeflate: false })
  socket.binaryType = 'nodebuffer'
  return new Promise((resolve, reject) => {
    let open = false
    socket.on('open', () => {
      open = true
      resolve({
        send: (channel, payload) => {
          if (socket.readyState === WebSocket.OPEN) socket.send(Buffer.concat([Buffer.from([channel]), payload]))
        },
        pause: () => {
          socket.pause()
        },
        resume: () => {
          socket.resume()
        },
        close: () => {
          socket.close()
        },
      })
    })
    socket.on('message', (data: Buffer) => {
      if (data.length > 0 && !handlers.onData(data[0] ?? 0, data.subarray(1))) socket.pause()
    })
    socket.on('error', (error) => {
      if (open) handlers.onError(error)
      else reject(error)
    })
    socket.on('close', () => {
      handlers.onEnd()
    })
  })
}
