// The Node road to the API: one HTTP/2 session, many streams, made anew when it breaks. The command dials the API server; the node
// agent speaks on the connection that the engine opened to it (it gives `connect`). Imports only common and node:*.
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  IncomingHttpStatusHeader,
  OutgoingHttpHeaders,
} from 'node:http2'
import { constants } from 'node:http2'
import type { KubeObject, WatchEvent } from '../../common/machinery/meta.ts'
import type { ApiRequest, Transport } from '../../common/client/transport.ts'
import { ConnectionError } from '../../common/client/transport.ts'
import type { EncodedRequest } from '../../common/client/wire.ts'
import { LineSplitter, decodeBody, decodeFailure, decodeWatchLine, encodeRequest } from '../../common/client/wire.ts'

export interface Http2TransportOptions {
  /** Makes a session (it may still be connecting). Called again when the last one has ended. May reject: becomes a ConnectionError. */
  connect(): ClientHttp2Session | Promise<ClientHttp2Session>
  /** Value of the Authorization header, for example "Bearer …". */
  authorization?: string | (() => string)
  /** A request without an answer for this long fails (watches: only until they are accepted). Default 60 s. */
  timeoutMs?: number
}

export interface Http2Transport extends Transport {
  /** Sends a request and hands over the open stream (streams of logs and the like). Rejects like `request` unless the status is 2xx. */
  open(request: ApiRequest): Promise<{ headers: IncomingHttpHeaders; stream: ClientHttp2Stream }>
  close(): void
}

export function createHttp2Transport(options: Http2TransportOptions): Http2Transport {
  const sessions = new SessionHolder(options)

  async function open(
    encoded: EncodedRequest,
    signal: AbortSignal | undefined,
  ): Promise<{ headers: IncomingHttpHeaders & IncomingHttpStatusHeader; stream: ClientHttp2Stream }> {
    signal?.throwIfAborted()
    const session = await sessions.current()
    signal?.throwIfAborted()
    const { authorization } = options
    const headers: OutgoingHttpHeaders = { ...encoded.headers, ':method': encoded.method, ':path': encoded.target }
    if (authorization !== undefined)
      headers['authorization'] = typeof authorization === 'string' ? authorization : authorization()
    let stream: ClientHttp2Stream
    try {
      stream = session.request(headers, { endStream: encoded.body === undefined })
    } catch (error) {
      sessions.drop(session)
      throw lost(error)
    }
    if (encoded.body !== undefined) stream.end(encoded.body)
    const answer = await firstHeaders(stream, signal, options.timeoutMs ?? 60_000)
    const code = answer[':status'] ?? 0
    if (code >= 200 && code < 300) return { headers: answer, stream }
    throw decodeFailure(code, await readAll(stream, signal))
  }

  return {
    async request<T>(request: ApiRequest): Promise<T> {
      const { headers, stream } = await open(encodeRequest(request), request.signal)
      return decodeBody<T>(headers['content-type'] ?? '', await readAll(stream, request.signal))
    },

    async *watch<T extends KubeObject>(request: ApiRequest): AsyncGenerator<WatchEvent<T>> {
      const { signal } = request
      const { stream } = await open(encodeRequest(request, { watch: true }), signal)
      request.onOpen?.()
      const lines = new LineSplitter()
      const onAbort = (): void => {
        stream.close(constants.NGHTTP2_CANCEL)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      try {
        for await (const chunk of stream) {
          for (const line of lines.push(chunk as Uint8Array)) yield decodeWatchLine<T>(line)
        }
        signal?.throwIfAborted()
        if (stream.rstCode !== constants.NGHTTP2_NO_ERROR)
          throw new ConnectionError(`the event stream was reset (code ${String(stream.rstCode)})`)
      } catch (error) {
        signal?.throwIfAborted()
        throw isStreamError(error) ? lost(error) : error
      } finally {
        signal?.removeEventListener('abort', onAbort)
        stream.close(constants.NGHTTP2_CANCEL)
      }
    },

    open: (request) => open(encodeRequest(request), request.signal),
    close() {
      sessions.close()
    },
  }
}

/** Keeps one live session; concurrent callers share the attempt to make it. */
class SessionHolder {
  readonly #connect: Http2TransportOptions['connect']
  #session: ClientHttp2Session | undefined
  #connecting: Promise<ClientHttp2Session> | undefined
  #closed = false

  constructor(options: Http2TransportOptions) {
    this.#connect = () => options.connect()
  }

  current(): Promise<ClientHttp2Session> {
    if (this.#closed) return Promise.reject(new ConnectionError('the connection was closed by its owner'))
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed)
      return Promise.resolve(this.#session)
    this.#connecting ??= this.#make().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #make(): Promise<ClientHttp2Session> {
    let session: ClientHttp2Session
    try {
      session = await this.#connect()
    } catch (error) {
      throw lost(error)
    }
    // Streams report their own failures; without a listener the session's error would end the process.
    session.on('error', () => undefined)
    session.once('goaway', () => {
      this.drop(session)
    })
    session.once('close', () => {
      this.drop(session)
    })
    if (this.#closed) session.close()
    this.#session = session
    return session
  }

  drop(session: ClientHttp2Session): void {
    if (this.#session === session) this.#session = undefined
  }

  close(): void {
    this.#closed = true
    this.#session?.destroy()
    this.#session = undefined
  }
}

function firstHeaders(
  stream: ClientHttp2Stream,
  signal: AbortSignal | undefined,
  timeoutMs: number,
): Promise<IncomingHttpHeaders & IncomingHttpStatusHeader> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      finish()
      stream.close(constants.NGHTTP2_CANCEL)
      reject(new ConnectionError(`the API server did not answer within ${String(timeoutMs / 1000)} s`))
    }, timeoutMs)
    timer.unref()
    const finish = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      stream.off('response', onResponse)
      stream.off('close', onClose)
    }
    const onAbort = (): void => {
      finish()
      stream.close(constants.NGHTTP2_CANCEL)
      reject(signal?.reason instanceof Error ? signal.reason : new Error(String(signal?.reason)))
    }
    const onResponse = (headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void => {
      finish()
      resolve(headers)
    }
    const onClose = (): void => {
      finish()
      reject(new ConnectionError('the connection to the API server was lost before it answered'))
    }
    stream.once('response', onResponse)
    stream.once('close', onClose)
    // Kept for the stream's whole life: a late reset must not become an uncaught error. The first one decides.
    stream.on('error', (error) => {
      finish()
      reject(lost(error))
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

async function readAll(stream: ClientHttp2Stream, signal: AbortSignal | undefined): Promise<string> {
  const onAbort = (): void => {
    stream.close(constants.NGHTTP2_CANCEL)
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  const chunks: Buffer[] = []
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer)
  } catch (error) {
    signal?.throwIfAborted()
    throw lost(error)
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
  signal?.throwIfAborted()
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR)
    throw new ConnectionError(`the answer was cut off (code ${String(stream.rstCode)})`)
  return Buffer.concat(chunks).toString('utf8')
}

const isStreamError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'

function lost(cause: unknown): ConnectionError {
  if (cause instanceof ConnectionError) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ConnectionError(`the API server could not be reached: ${why}`, { cause })
}
