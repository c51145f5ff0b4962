// One bidirectional SPDY stream. Reading is an async iteration; each direction ends by itself.
import { rstStatus, type SpdyFrame, SpdyProtocolError } from './frames.ts'
import type { SpdyHeaders } from './header-block.ts'

/** What a stream needs of its session. */
export interface SessionSide {
  send(frame: Exclude<SpdyFrame, { type: 'ignored' }>): Promise<void>
  headerBlock(headers: Iterable<readonly [string, string]>): Uint8Array
  forget(id: number): void
  /** Whether the peer is told what was consumed (WINDOW_UPDATE). */
  readonly announcesConsumed: boolean
}

/** Unread bytes of one stream before the whole session waits for its reader. */
const highWaterMark = 1 << 20
/** Frames are kept small, so that streams share the connection. */
const maxDataPayload = 64 * 1024

export class SpdyStream {
  readonly id: number
  /** Names in lower case. */
  readonly headers: SpdyHeaders
  /** Own streams: resolves with the peer's reply headers, rejects when it refused. Peer's streams: resolved. */
  readonly accepted: Promise<SpdyHeaders>
  readonly #side: SessionSide
  readonly #chunks: Uint8Array[] = []
  #buffered = 0
  #remoteEnded = false
  #localEnded = false
  #problem: Error | undefined
  #aborted = false
  #wakeReader: (() => void) | undefined
  #wakeSession: (() => void) | undefined
  #accept: (headers: SpdyHeaders) => void = () => undefined
  #refuse: (error: Error) => void = () => undefined

  constructor(id: number, headers: SpdyHeaders, side: SessionSide, fromPeer: boolean) {
    this.id = id
    this.headers = headers
    this.#side = side
    this.accepted = fromPeer
      ? Promise.resolve(headers)
      : new Promise((resolve, reject) => {
          this.#accept = resolve
          this.#refuse = reject
        })
    this.accepted.catch(() => undefined)
  }

  /** Accepts a stream the peer opened. */
  async reply(headers: Iterable<readonly [string, string]> = []): Promise<void> {
    await this.#side.send({
      type: 'syn-reply',
      streamId: this.id,
      fin: false,
      headerBlock: this.#side.headerBlock(headers),
    })
  }

  /** Resolves when more may be written; rejects when the stream or the connection is gone. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; start += maxDataPayload) {
      if (this.#aborted || this.#localEnded) throw this.#problem ?? new SpdyProtocolError('the SPDY stream has ended')
      await this.#side.send({
        type: 'data',
        streamId: this.id,
        fin: false,
        payload: bytes.subarray(start, start + maxDataPayload),
      })
    }
  }

  /** Half-close: nothing more will be written. Idempotent. */
  async end(): Promise<void> {
    if (this.#localEnded || this.#aborted) return
    this.#localEnded = true
    await this.#side.send({ type: 'data', streamId: this.id, fin: true, payload: new Uint8Array(0) })
    this.#forgetWhenDone()
  }

  /** Ends both directions at once. Idempotent. */
  reset(status: number = rstStatus.cancel): void {
    if (this.#aborted) return
    void this.#side.send({ type: 'rst-stream', streamId: this.id, status }).catch(() => undefined)
    this.abort(undefined)
  }

  /** What the peer writes; ends with its half-close, throws when the stream was reset or the connection broke. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk !== undefined) {
        this.#buffered -= chunk.length
        if (this.#buffered < highWaterMark) {
          this.#wakeSession?.()
          this.#wakeSession = undefined
        }
        if (chunk.length > 0 && !this.#aborted && this.#side.announcesConsumed) {
          void this.#side.send({ type: 'window-update', streamId: this.id, delta: chunk.length }).catch(() => undefined)
        }
        yield chunk
      } else if (this.#problem !== undefined) throw this.#problem
      else if (this.#remoteEnded || this.#aborted) return
      else {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve
        })
      }
    }
  }

  /** Session only: data arrived. Resolves when the reader has room again. */
  async receive(payload: Uint8Array, fin: boolean): Promise<void> {
    if (this.#aborted) return
    if (payload.length > 0) {
      this.#chunks.push(payload)
      this.#buffered += payload.length
    }
    if (fin) {
      this.#remoteEnded = true
      this.#forgetWhenDone()
    }
    this.#notify()
    if (this.#buffered >= highWaterMark) {
      await new Promise<void>((resolve) => {
        this.#wakeSession = resolve
      })
    }
  }

  /** Session only: the peer answered our SYN_STREAM. */
  replied(headers: SpdyHeaders, fin: boolean): void {
    this.#accept(headers)
    if (fin) void this.receive(new Uint8Array(0), true)
  }

  /** Session only: the stream is over, with a reason when it broke. */
  abort(problem: Error | undefined): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#problem = this.#remoteEnded ? undefined : problem
    this.#refuse(problem ?? new SpdyProtocolError('the SPDY session has ended'))
    this.#side.forget(this.id)
    this.#notify()
    this.#wakeSession?.()
  }

  #notify(): void {
    this.#wakeReader?.()
    this.#wakeReader = undefined
  }

  #forgetWhenDone(): void {
    if (this.#localEnded && this.#remoteEnded) this.#side.forget(this.id)
  }
}
