// WebSocket upgrades for channel protocols (v5/v4.channel.k8s.io) and for SPDY tunnelled through WebSockets.
import { WebSocketServer, type WebSocket } from 'ws'
import { badRequest } from '../../../common/machinery/status.ts'
import { frameChannel } from '../../../common/channel/agent-api.ts'
import type { ByteConnection } from '../../../common/streaming/spdy/index.ts'
import type { ChannelStream } from '../apiserver.ts'
import type { Upgrade } from './upgrade.ts'

const maxMessageBytes = 4 << 20
/** Messages a client may be ahead of us before its socket is paused. */
const highWaterMark = 64
const bearerPrefix = 'base64url.bearer.authorization.k8s.io.'

const server = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false })
const chosen = new WeakMap<object, string>()
// The library takes only RFC tokens as subprotocols, and Kubernetes has one with a slash: the header is ours.
server.on('headers', (headers, req) => {
  const protocol = chosen.get(req)
  if (protocol !== undefined) headers.push(`Sec-WebSocket-Protocol: ${protocol}`)
})

/** Subprotocols the client offers, credentials left out. */
export function offeredProtocols(req: Upgrade['req']): string[] {
  return (req.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '' && !text.startsWith(bearerPrefix))
}

export const isWebSocket = (req: Upgrade['req']): boolean => (req.headers.upgrade ?? '').toLowerCase() === 'websocket'

/** Completes the handshake with `protocol` ("" for none). Rejects for a malformed handshake. */
export function acceptWebSocket({ req, socket, head }: Upgrade, protocol: string): Promise<WebSocket> {
  if (typeof req.headers['sec-websocket-key'] !== 'string')
    return Promise.reject(badRequest('the WebSocket handshake is malformed'))
  if (protocol !== '') chosen.set(req, protocol)
  delete req.headers['sec-websocket-protocol']
  return new Promise((resolve) => {
    server.handleUpgrade(req, socket, head, (webSocket) => {
      webSocket.on('error', () => undefined)
      resolve(webSocket)
    })
  })
}

/** Binary messages of a WebSocket from this call on, in order, with back-pressure towards the client. Ends when it is gone. */
export function messages(webSocket: WebSocket): AsyncGenerator<Buffer> {
  const queue: Buffer[] = []
  let closed = false
  let wake: (() => void) | undefined
  const notify = (): void => {
    wake?.()
    wake = undefined
  }
  webSocket.binaryType = 'nodebuffer'
  webSocket.on('message', (data: Buffer) => {
    queue.push(data)
    if (queue.length >= highWaterMark) webSocket.pause()
    notify()
  })
  webSocket.on('close', () => {
    closed = true
    notify()
  })
  // The listeners are there before anyone reads: a client speaks as soon as the connection is open.
  const read = async function* (): AsyncGenerator<Buffer> {
    for (;;) {
      const next = queue.shift()
      if (next !== undefined) {
        if (queue.length === 0 && webSocket.isPaused) webSocket.resume()
        yield next
      } else if (closed || webSocket.readyState === webSocket.CLOSED) return
      else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  }
  return read()
}

function send(webSocket: WebSocket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    webSocket.send(bytes, (error) => {
      if (error === undefined || error === null) resolve()
      else reject(error)
    })
  })
}

/** Channel protocols: the first byte of each message is the channel. */
export function webSocketChannels(webSocket: WebSocket): ChannelStream {
  const incoming = messages(webSocket)
  return {
    send: (channel, payload) => {
      // v4 knows no close signal from here; both versions end a channel by closing the connection.
      if (channel === frameChannel.close) return Promise.resolve()
      const message = Buffer.allocUnsafe(payload.length + 1)
      message[0] = channel
      message.set(payload, 1)
      return send(webSocket, message)
    },
    async *receive() {
      for await (const message of incoming) {
        const [channel] = message
        if (channel !== undefined) yield { channel, payload: message.subarray(1) }
      }
    },
    close: (code = 1000, reason = '') => {
      webSocket.close(code, reason.slice(0, 120))
    },
  }
}

/** A WebSocket whose messages are pieces of one byte stream. */
export function webSocketBytes(webSocket: WebSocket): ByteConnection {
  return {
    write: (bytes) => send(webSocket, bytes),
    incoming: messages(webSocket),
    close: () => {
      webSocket.close(1000)
    },
  }
}
