// The turned-round connection: the engine dialled, the agent is the HTTP/2 client. A new one replaces the old; while there is none,
// requests fail at once and their callers retry (pods keep running meanwhile).
import { connect, type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Logger } from '../../../common/machinery/logger.ts'

/** The standard 64 KiB per round trip of 30 ms through user-mode networking would hold image pulls to 2 MB/s. */
const windowBytes = 8 << 20
/** The engine pings every 20 s; a connection that carries nothing for this long has lost its engine without a goodbye. */
const silenceLimitMs = 75_000

export class ReverseConnection {
  #session: ClientHttp2Session | undefined
  readonly #listeners = new Set<() => void>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get session(): ClientHttp2Session | undefined {
    const session = this.#session
    return session === undefined || session.closed || session.destroyed ? undefined : session
  }

  /** Calls back each time a connection is established. */
  onConnected(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The live session, or the next one: whoever needs the API waits here while the engine is away. */
  whenConnected(): Promise<ClientHttp2Session> {
    const { session } = this
    if (session !== undefined) return Promise.resolve(session)
    return new Promise((resolve) => {
      const unsubscribe = this.onConnected(() => {
        if (this.session === undefined) return
        unsubscribe()
        resolve(this.session)
      })
    })
  }

  adopt(socket: TLSSocket): void {
    const old = this.#session
    const session = connect('http://api.orrery.internal', {
      createConnection: () => socket,
      settings: { initialWindowSize: windowBytes },
    })
    session.on('connect', () => {
      session.setLocalWindowSize(windowBytes)
    })
    session.on('error', (error: Error) => {
      this.#logger.debug('reverse session error', { error: error.message })
    })
    session.on('close', () => {
      if (this.#session !== session) return
      this.#session = undefined
      this.#logger.info('connection to the API server lost')
    })
    session.setTimeout(silenceLimitMs, () => {
      session.ping((error) => {
        if (error !== null) session.destroy()
      })
    })
    this.#session = session
    old?.destroy()
    this.#logger.info('connected to the API server')
    for (const listener of this.#listeners) listener()
  }

  /** Opens a stream, or throws when there is no connection. */
  request(headers: OutgoingHttpHeaders, options: { endStream: boolean; signal?: AbortSignal }): ClientHttp2Stream {
    const { session } = this
    if (session === undefined) throw new Error('not connected to the API server')
    return session.request(headers, options)
  }
}
