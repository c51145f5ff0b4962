// The engine's end of one machine's control channel: keeps two mutually authenticated TLS connections to the agent's forwarded
// port, one on which the engine asks (HTTP/2 client) and one turned round on which the agent asks (the engine serves).
// Connects with short back-off while the guest boots; a lost connection is noticed by the socket's end or by missed pings.
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { agentPaths, sniAgent, sniReverse, type AgentStatus } from '../../common/channel/agent-api.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import { serviceUnavailable } from '../../common/machinery/status.ts'
import type { KeyPair } from '../pki/certificates.ts'
import { requestOverSession } from './session-request.ts'
import type { NodeRequest, NodeResponse } from './node-connections.ts'

/** First retry after this long; doubles to the maximum. A booting guest is found within half a second of its agent listening. */
const retryMinMs = 250
const retryMaxMs = 2_000
/** TLS and a first answer under emulation on a loaded host took up to 6 s; slirp accepts before the guest listens, so silence is normal. */
const handshakeTimeoutMs = 20_000
/** A guest whose engine-side socket is open but which answers nothing for two pings is treated as gone. */
const pingEveryMs = 20_000

export interface NodeChannelOptions {
  machine: string
  port: number
  credentials: { ca: string; client: KeyPair }
  /** Serves the agent's requests on the turned-round connection. */
  serve: (socket: Duplex) => void
  onConnected: (status: AgentStatus) => void
  onDisconnected: (reason: string) => void
  logger: Logger
  clock: Clock
}

type State =
  | { at: 'connecting'; problem: string }
  | { at: 'connected'; session: ClientHttp2Session; reverse: TLSSocket }
  | { at: 'closed' }

export class NodeChannel {
  #state: State = { at: 'connecting', problem: 'the agent has not answered yet' }
  #retryMs = retryMinMs
  #cancelTimer: () => void = () => undefined
  readonly #options: NodeChannelOptions
  readonly #stopped = new AbortController()

  constructor(options: NodeChannelOptions) {
    this.#options = options
    void this.#connect()
  }

  get connected(): boolean {
    return this.#state.at === 'connected'
  }

  async request(request: NodeRequest): Promise<NodeResponse> {
    if (this.#state.at !== 'connected') {
      const why = this.#state.at === 'connecting' ? this.#state.problem : 'the machine is stopped'
      throw serviceUnavailable(`node "${this.#options.machine}" is not connected: ${why}`)
    }
    return requestOverSession(this.#state.session, request)
  }

  close(): void {
    this.#stopped.abort()
    this.#cancelTimer()
    this.#drop('closed')
    this.#state = { at: 'closed' }
  }

  #retry(problem: string): void {
    if (this.#state.at === 'closed') return
    this.#state = { at: 'connecting', problem }
    this.#cancelTimer = this.#options.clock.after(this.#retryMs, () => void this.#connect())
    this.#retryMs = Math.min(this.#retryMs * 2, retryMaxMs)
  }

  async #dial(serverName: string): Promise<TLSSocket> {
    const { credentials, machine, port } = this.#options
    const socket = connectTls({
      host: '127.0.0.1',
      port,
      servername: serverName,
      ca: credentials.ca,
      cert: credentials.client.cert,
      key: credentials.client.key,
      ALPNProtocols: ['h2'],
      // The agent's certificate names its machine; the server name only chooses the role of the connection.
      checkServerIdentity: (_host, cert) =>
        cert.subject.CN === `system:node:${machine}`
          ? undefined
          : new Error(`another machine answered: ${String(cert.subject.CN)}`),
    })
    socket.setNoDelay(true)
    const deadline = AbortSignal.any([AbortSignal.timeout(handshakeTimeoutMs), this.#stopped.signal])
    try {
      await once(socket, 'secureConnect', { signal: deadline })
    } catch (error) {
      socket.destroy()
      throw error
    }
    // From here on errors are seen by whoever uses the socket; an unhandled one must not end the engine.
    socket.on('error', () => undefined)
    return socket
  }

  async #connect(): Promise<void> {
    const { logger, machine, onConnected, serve } = this.#options
    let socket: TLSSocket | undefined
    let reverse: TLSSocket | undefined
    try {
      socket = await this.#dial(sniAgent)
      const established = socket
      const session = connectHttp2(`http://${sniAgent}`, { createConnection: () => established })
      session.on('error', (error: Error) => {
        logger.debug('channel session error', { machine, error: error.message })
      })
      const status = await this.#status(session)
      reverse = await this.#dial(sniReverse)
      if (this.#stopped.signal.aborted) throw new Error('closed')
      this.#state = { at: 'connected', session, reverse }
      this.#retryMs = retryMinMs
      session.on('close', () => {
        this.#lost(session, 'the connection to the agent ended')
      })
      reverse.on('close', () => {
        this.#lost(session, "the agent's connection to the API ended")
      })
      serve(reverse)
      this.#schedulePing(session)
      logger.info('node connected', { machine, agent: status.version })
      onConnected(status)
    } catch (error) {
      socket?.destroy()
      reverse?.destroy()
      this.#retry(describe(error))
    }
  }

  async #status(session: ClientHttp2Session): Promise<AgentStatus> {
    const response = await requestOverSession(session, {
      method: 'GET',
      path: agentPaths.status,
      signal: AbortSignal.any([AbortSignal.timeout(handshakeTimeoutMs), this.#stopped.signal]),
    })
    const chunks: Buffer[] = []
    for await (const chunk of response.stream) chunks.push(chunk as Buffer)
    if (response.status !== 200) throw new Error(`the agent answered ${String(response.status)}`)
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as AgentStatus
  }

  #schedulePing(session: ClientHttp2Session): void {
    this.#cancelTimer = this.#options.clock.after(pingEveryMs, () => {
      if (session.destroyed) return
      let answered = false
      session.ping(() => {
        answered = true
      })
      this.#cancelTimer = this.#options.clock.after(pingEveryMs, () => {
        if (answered) this.#schedulePing(session)
        else this.#lost(session, `the agent did not answer for ${String((2 * pingEveryMs) / 1000)} s`)
      })
    })
  }

  #lost(session: ClientHttp2Session, reason: string): void {
    if (this.#state.at !== 'connected' || this.#state.session !== session) return
    this.#cancelTimer()
    this.#drop(reason)
    this.#retry(reason)
  }

  #drop(reason: string): void {
    if (this.#state.at !== 'connected') return
    const { session, reverse } = this.#state
    this.#state = { at: 'connecting', problem: reason }
    session.destroy()
    reverse.destroy()
    this.#options.logger.info('node disconnected', { machine: this.#options.machine, reason })
    this.#options.onDisconnected(reason)
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'the agent has not answered yet'
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'nothing listens on the machine’s forwarded port'
  if (code === 'ECONNRESET') return 'the agent is not up yet'
  return error.message
}
