// A SPDY/3.1 session in either role over any byte connection, as Kubernetes uses it for exec, attach and port-forward.
//
// Flow control: the peers here (Go's spdystream) keep no windows, so a writer that waited for WINDOW_UPDATE would hang. We
// announce what was consumed for peers that do count, never wait ourselves, and let the connection's own back-pressure work:
// a stream whose reader is slow stops the session from reading on.
import { encodeFrame, FrameDecoder, rstStatus, type SpdyFrame, SpdyProtocolError } from './frames.ts'
import {
  decodeHeaders,
  encodeHeaders,
  type HeaderInflater,
  type NewHeaderInflater,
  type SpdyHeaders,
  StoredHeaderDeflater,
} from './header-block.ts'
import { spdyDictionary } from './dictionary.ts'
import { type SessionSide, SpdyStream } from './stream.ts'

/** A connection after the upgrade to SPDY/3.1. */
export interface ByteConnection {
  /** Resolves when more may be written; rejects when the connection is gone. */
  write(bytes: Uint8Array): Promise<void>
  /** Ends (or throws) when the peer is gone. */
  readonly incoming: AsyncIterable<Uint8Array>
  close(): void
}

export interface SpdySessionOptions {
  /** Clients open odd streams, servers even ones. */
  readonly role: 'client' | 'server'
  readonly connection: ByteConnection
  readonly newInflater: NewHeaderInflater
  /** A stream the peer opened; it must be accepted (reply) or refused (reset). */
  readonly onStream?: (stream: SpdyStream) => void
}

const maxStreams = 1000

export class SpdySession {
  /** Settles when the session has ended: undefined, or why it broke. Never rejects. */
  readonly ended: Promise<Error | undefined>
  readonly #options: SpdySessionOptions
  readonly #deflater = new StoredHeaderDeflater()
  readonly #inflater: HeaderInflater
  readonly #streams = new Map<number, SpdyStream>()
  readonly #side: SessionSide
  #nextId: number
  #nextPing: number
  #lastPeerId = 0
  #isEnded = false
  readonly #pings = new Map<number, () => void>()

  constructor(options: SpdySessionOptions) {
    this.#options = options
    this.#nextId = options.role === 'client' ? 1 : 2
    this.#nextPing = this.#nextId
    this.#inflater = options.newInflater(spdyDictionary)
    this.#side = {
      send: (frame) => this.#send(frame),
      headerBlock: (headers) => this.#deflater.deflate(encodeHeaders(headers)),
      forget: (id) => this.#streams.delete(id),
      // As a client we speak to container runtimes, which keep no windows and hang up right after their last word: a frame sent
      // then would reset the connection under output that is still to be read.
      announcesConsumed: options.role === 'server',
    }
    this.ended = this.#run()
  }

  /** Resolves at once: the peer's SYN_REPLY is awaited by `stream.accepted`. */
  openStream(headers: Iterable<readonly [string, string]>): SpdyStream {
    if (this.#isEnded) throw new SpdyProtocolError('the SPDY session has ended')
    const id = this.#nextId
    this.#nextId += 2
    const stream = new SpdyStream(id, new Map(headers), this.#side, false)
    this.#streams.set(id, stream)
    void this.#send({
      type: 'syn-stream',
      streamId: id,
      fin: false,
      unidirectional: false,
      priority: 0,
      headerBlock: this.#side.headerBlock(headers),
    }).catch(() => undefined)
    return stream
  }

  /** Resolves when the peer answered. */
  async ping(): Promise<void> {
    const id = this.#nextPing
    this.#nextPing += 2
    const answered = new Promise<void>((resolve) => {
      this.#pings.set(id, resolve)
    })
    await this.#send({ type: 'ping', id })
    await answered
  }

  /** Says goodbye and closes the connection; open streams end. */
  close(): void {
    if (this.#isEnded) return
    void this.#send({ type: 'goaway', lastStreamId: this.#lastPeerId, status: 0 }).catch(() => undefined)
    this.#finish(undefined)
  }

  #send(frame: Exclude<SpdyFrame, { type: 'ignored' }>): Promise<void> {
    return this.#options.connection.write(encodeFrame(frame))
  }

  async #run(): Promise<Error | undefined> {
    const decoder = new FrameDecoder()
    let problem: Error | undefined
    try {
      for await (const chunk of this.#options.connection.incoming) {
        for (const frame of decoder.push(chunk)) await this.#receive(frame)
      }
    } catch (error) {
      if (!this.#isEnded) problem = error instanceof Error ? error : new Error(String(error))
    }
    this.#finish(problem)
    return problem
  }

  #finish(problem: Error | undefined): void {
    if (this.#isEnded) return
    this.#isEnded = true
    for (const stream of [...this.#streams.values()]) stream.abort(problem)
    this.#streams.clear()
    for (const resolve of this.#pings.values()) resolve()
    this.#inflater.close()
    this.#options.connection.close()
  }

  async #receive(frame: SpdyFrame): Promise<void> {
    switch (frame.type) {
      case 'data': {
        const stream = this.#streams.get(frame.streamId)
        // Data may still be under way for a stream that was reset here.
        if (stream === undefined) return
        await stream.receive(frame.payload, frame.fin)
        return
      }
      case 'syn-stream': {
        const headers = await this.#headers(frame.headerBlock)
        this.#accept(frame.streamId, headers, frame.fin)
        return
      }
      case 'syn-reply': {
        const headers = await this.#headers(frame.headerBlock)
        this.#streams.get(frame.streamId)?.replied(headers, frame.fin)
        return
      }
      case 'headers': {
        await this.#headers(frame.headerBlock)
        if (frame.fin) await this.#streams.get(frame.streamId)?.receive(new Uint8Array(0), true)
        return
      }
      case 'rst-stream':
        this.#streams
          .get(frame.streamId)
          ?.abort(new SpdyProtocolError(`the peer reset the stream (status ${String(frame.status)})`))
        return
      case 'ping':
        this.#ping(frame.id)
        return
      case 'goaway':
      case 'window-update':
      case 'ignored':
    }
  }

  #accept(id: number, headers: SpdyHeaders, fin: boolean): void {
    const expectedParity = this.#options.role === 'server' ? 1 : 0
    if (id % 2 !== expectedParity || id <= this.#lastPeerId)
      throw new SpdyProtocolError(`SYN_STREAM with stream id ${String(id)}`)
    this.#lastPeerId = id
    const { onStream } = this.#options
    if (onStream === undefined || this.#streams.size >= maxStreams) {
      void this.#send({ type: 'rst-stream', streamId: id, status: rstStatus.refusedStream }).catch(() => undefined)
      return
    }
    const stream = new SpdyStream(id, headers, this.#side, true)
    this.#streams.set(id, stream)
    if (fin) void stream.receive(new Uint8Array(0), true)
    onStream(stream)
  }

  #ping(id: number): void {
    const own = id % 2 === (this.#options.role === 'client' ? 1 : 0)
    if (!own) void this.#send({ type: 'ping', id }).catch(() => undefined)
    else {
      this.#pings.get(id)?.()
      this.#pings.delete(id)
    }
  }

  async #headers(block: Uint8Array): Promise<Map<string, string>> {
    return decodeHeaders(await this.#inflater.inflate(block))
  }
}
