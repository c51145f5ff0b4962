// Terminals over the API: WebSocket with the subprotocol v5.channel.k8s.io, binary frames whose first byte is the channel.
import type { Status } from '../../common/machinery/status.ts'

const channelStdin = 0
const channelStdout = 1
const channelStderr = 2
const channelError = 3
const channelResize = 4

export interface TerminalStream {
  send(text: string): void
  resize(columns: number, rows: number): void
  close(): void
}

export interface TerminalStreamHandlers {
  onOpen(): void
  onOutput(bytes: Uint8Array): void
  /** `status` when the far side said how it ended; absent when the connection was lost. */
  onEnd(end: { status?: Status; lost: boolean; reason: string }): void
}

export type StreamQuery = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export function streamAddress(path: string, query: StreamQuery, origin: string): string {
  const url = new URL(path, origin)
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:'
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(one))
  }
  return url.toString()
}

export function openTerminalStream(path: string, query: StreamQuery, handlers: TerminalStreamHandlers): TerminalStream {
  const socket = new WebSocket(streamAddress(path, query, location.origin), ['v5.channel.k8s.io'])
  socket.binaryType = 'arraybuffer'
  const encoder = new TextEncoder()
  let opened = false
  let ended = false
  let status: Status | undefined

  const finish = (lost: boolean, reason: string): void => {
    if (ended) return
    ended = true
    handlers.onEnd({ status, lost, reason })
  }
  const frame = (channel: number, payload: Uint8Array): void => {
    if (socket.readyState !== WebSocket.OPEN) return
    const bytes = new Uint8Array(payload.length + 1)
    bytes[0] = channel
    bytes.set(payload, 1)
    socket.send(bytes)
  }

  socket.addEventListener('open', () => {
    opened = true
    handlers.onOpen()
  })
  socket.addEventListener('message', (event: MessageEvent<ArrayBuffer | string>) => {
    if (typeof event.data === 'string') return
    const bytes = new Uint8Array(event.data)
    const channel = bytes[0]
    const payload = bytes.subarray(1)
    if (channel === channelStdout || channel === channelStderr) {
      if (payload.length > 0) handlers.onOutput(payload)
    } else if (channel === channelError && payload.length > 0) {
      status = parseStatus(new TextDecoder().decode(payload))
    }
  })
  socket.addEventListener('close', (event) => {
    if (status !== undefined) finish(false, status.message ?? '')
    else if (event.code === 1000) finish(false, event.reason)
    else
      finish(
        true,
        event.reason !== '' ? event.reason : opened ? 'The connection was lost.' : 'The engine refused the connection.',
      )
  })

  return {
    send: (text) => {
      frame(channelStdin, encoder.encode(text))
    },
    resize: (columns, rows) => {
      frame(channelResize, encoder.encode(JSON.stringify({ Width: columns, Height: rows })))
    },
    close: () => {
      ended = true
      socket.close(1000)
    },
  }
}

function parseStatus(text: string): Status | undefined {
  try {
    return JSON.parse(text) as Status
  } catch {
    return { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: text } as Status
  }
}
