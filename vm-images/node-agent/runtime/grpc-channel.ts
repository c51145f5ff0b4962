// gRPC over one HTTP/2 session on a unix socket: all that CRI needs (unary calls and one server stream). Written on node:http2 because
// a full gRPC library costs the agent start time and memory that matter in a small emulated machine.
// Protocol: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2'
import { connect as connectSocket } from 'node:net'
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf'

/** grpc-status codes the agent tells apart. */
export const grpcCode = {
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  notFound: 5,
  unavailable: 14,
  unimplemented: 12,
} as const

export class GrpcError extends Error {
  override readonly name = 'GrpcError'
  readonly code: number
  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export interface CallOptions {
  /** Default two minutes. */
  timeoutMs?: number
  signal?: AbortSignal
}

const defaultTimeoutMs = 120_000

export class GrpcChannel {
  readonly #socketPath: string
  #session: ClientHttp2Session | undefined

  constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  /** Rejects with GrpcError; code `unavailable` when the server could not be reached. The next call dials again. */
  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const stream = this.#open(`/${method.parent.typeName}/${method.name}`, options.signal)
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs
    const timer = setTimeout(() => {
      stream.destroy(
        new GrpcError(grpcCode.deadlineExceeded, `${method.name} did not answer within ${String(timeoutMs)} ms`),
      )
    }, timeoutMs)
    try {
      stream.end(frame(toBinary(method.input, create(method.input, request))))
      let answer: MessageShape<O> | undefined
      for await (const payload of messages(stream)) answer = fromBinary(method.output, payload)
      if (answer === undefined) throw new GrpcError(grpcCode.unknown, `${method.name} answered without a message`)
      return answer
    } catch (error) {
      throw asGrpcError(error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Yields messages until the server ends the stream or the signal aborts. */
  async *serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    signal: AbortSignal,
  ): AsyncGenerator<MessageShape<O>> {
    const stream = this.#open(`/${method.parent.typeName}/${method.name}`, signal)
    stream.end(frame(toBinary(method.input, create(method.input, request))))
    try {
      for await (const payload of messages(stream)) yield fromBinary(method.output, payload)
    } catch (error) {
      throw asGrpcError(error)
    } finally {
      stream.close(constants.NGHTTP2_CANCEL)
    }
  }

  close(): void {
    this.#session?.destroy()
    this.#session = undefined
  }

  #open(path: string, signal: AbortSignal | undefined): ClientHttp2Stream {
    let session = this.#session
    if (session === undefined || session.closed || session.destroyed) {
      session = connect('http://localhost', { createConnection: () => connectSocket(this.#socketPath) })
      // Errors reach the callers through their streams.
      session.on('error', () => undefined)
      session.unref()
      this.#session = session
    }
    return session.request(
      { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
      { endStream: false, ...(signal === undefined ? {} : { signal }) },
    )
  }
}

function frame(payload: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(payload.length + 5)
  framed.writeUInt8(0, 0)
  framed.writeUInt32BE(payload.length, 1)
  framed.set(payload, 5)
  return framed
}

/** Length-prefixed messages of the response; throws the status that the trailers carry when it is not OK. */
async function* messages(stream: ClientHttp2Stream): AsyncGenerator<Uint8Array> {
  let headers: IncomingHttpHeaders = {}
  stream.on('response', (received) => {
    headers = { ...headers, ...received }
  })
  stream.on('trailers', (received: IncomingHttpHeaders) => {
    headers = { ...headers, ...received }
  })
  let buffered: Buffer = Buffer.alloc(0)
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk])
    while (buffered.length >= 5) {
      const end = 5 + buffered.readUInt32BE(1)
      if (buffered.length < end) break
      yield buffered.subarray(5, end)
      buffered = buffered.subarray(end)
    }
  }
  const status = headers['grpc-status']
  if (status === undefined) throw new GrpcError(grpcCode.unavailable, 'the container runtime ended the connection')
  if (status !== '0')
    throw new GrpcError(Number(status), decodeURIComponent(String(headers['grpc-message'] ?? 'unknown error')))
}

function asGrpcError(error: unknown): Error {
  if (error instanceof GrpcError) return error
  if (!(error instanceof Error)) return new GrpcError(grpcCode.unknown, String(error))
  if (error.name === 'AbortError') return new GrpcError(grpcCode.cancelled, 'cancelled', { cause: error })
  return new GrpcError(grpcCode.unavailable, `the container runtime cannot be reached: ${error.message}`, {
    cause: error,
  })
}
