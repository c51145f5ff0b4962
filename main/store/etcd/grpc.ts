// gRPC to one of several servers over one HTTP/2 session: unary calls and streams of messages already encoded. A session that is lost
// is replaced on the next call, by whichever server answers first in the order given.
// Protocol: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
import { once } from 'node:events'
import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'

export const grpcCode = { outOfRange: 11, unavailable: 14 } as const

export class GrpcError extends Error {
  override readonly name = 'GrpcError'
  readonly code: number
  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export interface TlsFiles {
  /** PEM texts. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

const connectTimeoutMs = 5_000
const callTimeoutMs = 30_000
const pingIntervalMs = 20_000

export class GrpcClient {
  readonly #servers: readonly string[]
  readonly #tls: TlsFiles
  #session: Promise<ClientHttp2Session> | undefined
  #closed = false

  /** `servers`: URLs, "http://127.0.0.1:2379". */
  constructor(servers: readonly string[], tls: TlsFiles) {
    this.#servers = servers
    this.#tls = tls
  }

  /** Rejects with GrpcError: `unavailable` when no server could be reached, or the connection broke before the answer. */
  async call(path: string, request: Buffer): Promise<Buffer> {
    const signal = AbortSignal.timeout(callTimeoutMs)
    for await (const message of this.stream(path, request, { signal })) return message
    throw new GrpcError(grpcCode.unavailable, `${path} answered without a message`)
  }

  /**
   * Sends one message and yields what the server answers, until it ends or `signal` aborts (which throws). `keepOpen`: this side
   * could say more, which a watch takes as being wanted still.
   */
  async *stream(
    path: string,
    request: Buffer,
    { signal, keepOpen = false }: { signal: AbortSignal; keepOpen?: boolean },
  ): AsyncGenerator<Buffer, undefined> {
    const session = await this.#connected()
    const stream = session.request(
      { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
      { endStream: false, signal },
    )
    // Whoever reads the messages sees the error; between two of them nobody is listening.
    stream.on('error', () => undefined)
    if (keepOpen) stream.write(frame(request))
    else stream.end(frame(request))
    try {
      yield* messagesOf(stream)
    } catch (error) {
      throw error instanceof GrpcError ? error : new GrpcError(grpcCode.unavailable, String(error), { cause: error })
    } finally {
      stream.close(constants.NGHTTP2_CANCEL)
    }
    return undefined
  }

  close(): void {
    this.#closed = true
    void this.#session?.then(
      (session) => {
        session.destroy()
      },
      () => undefined,
    )
  }

  #connected(): Promise<ClientHttp2Session> {
    if (this.#closed) return Promise.reject(new GrpcError(grpcCode.unavailable, 'the client is closed'))
    this.#session ??= this.#connect().catch((error: unknown) => {
      this.#session = undefined
      throw error
    })
    return this.#session
  }

  async #connect(): Promise<ClientHttp2Session> {
    const failures: string[] = []
    for (const server of this.#servers) {
      const session = connect(server, { ...this.#tls, settings: { initialWindowSize: 1 << 20 } })
      try {
        await once(session, 'connect', { signal: AbortSignal.timeout(connectTimeoutMs) })
      } catch (error) {
        session.destroy()
        failures.push(`${server}: ${error instanceof Error ? error.message : String(error)}`)
        continue
      }
      session.setLocalWindowSize(16 << 20)
      // A peer that vanished without a word is noticed, even by a watch that is silent for hours.
      const pings = setInterval(() => {
        const overdue = setTimeout(() => {
          session.destroy()
        }, connectTimeoutMs)
        session.ping(() => {
          clearTimeout(overdue)
        })
      }, pingIntervalMs)
      session.on('error', () => undefined)
      session.on('close', () => {
        clearInterval(pings)
        this.#session = undefined
      })
      return session
    }
    throw new GrpcError(grpcCode.unavailable, `no etcd server can be reached (${failures.join('; ')})`)
  }
}

function frame(payload: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(payload.length, 1)
  return Buffer.concat([head, payload])
}

/** Length-prefixed messages of the response; throws the status that the trailers carry when it is not OK. */
async function* messagesOf(stream: ClientHttp2Stream): AsyncGenerator<Buffer> {
  let headers: IncomingHttpHeaders = {}
  const add = (received: IncomingHttpHeaders): void => {
    headers = { ...headers, ...received }
  }
  stream.on('response', add)
  stream.on('trailers', add)
  let pieces: Buffer[] = []
  let size = 0
  let wanted = 5
  for await (const piece of stream as AsyncIterable<Buffer>) {
    pieces.push(piece)
    size += piece.length
    // Pieces of a large message are joined once, when it is whole.
    if (size < wanted) continue
    let buffered = pieces.length === 1 ? piece : Buffer.concat(pieces)
    for (wanted = 5; buffered.length >= 5; buffered = buffered.subarray(wanted), wanted = 5) {
      wanted = 5 + buffered.readUInt32BE(1)
      if (buffered.length < wanted) break
      yield buffered.subarray(5, wanted)
    }
    pieces = [buffered]
    size = buffered.length
  }
  const status = headers['grpc-status']
  if (status === undefined) throw new GrpcError(grpcCode.unavailable, 'the server ended the connection')
  if (status !== '0')
    throw new GrpcError(Number(status), decodeURIComponent(String(headers['grpc-message'] ?? 'unknown error')))
}
