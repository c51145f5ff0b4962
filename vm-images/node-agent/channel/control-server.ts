// The agent's one open port: mutual TLS, only the engine's certificate is let in. The TLS server name says what the connection is for:
// requests to the agent, or (turned round) the agent's own road to the API server.
import {
  createServer as createHttp2Server,
  type Http2Server,
  type ServerHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { sniAgent, sniReverse } from '../../../common/channel/agent-api.ts'
import type { GuestConfig } from '../../../common/channel/guest-config.ts'
import type { Logger } from '../../../common/machinery/logger.ts'

export const engineCommonName = 'orrery-engine'

/** What may be under way to the agent (uploads by `kubectl cp`): round trips through user-mode networking take 30 ms. */
const windowBytes = 4 << 20

export interface ControlServerOptions {
  agent: GuestConfig['agent']
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void
  onReverse: (socket: TLSSocket) => void
  logger: Logger
}

export interface ControlServer {
  close(): void
}

export function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { agent, logger } = options
  // Plain HTTP/2 on sockets whose TLS is already done.
  const http: Http2Server = createHttp2Server({ settings: { initialWindowSize: windowBytes } })
  http.on('session', (session) => {
    session.setLocalWindowSize(windowBytes)
  })
  http.on('stream', options.onStream)
  http.on('sessionError', (error: Error) => {
    logger.debug('agent session error', { error: error.message })
  })
  const server = createTlsServer(
    {
      ca: agent.caCert,
      cert: agent.cert,
      key: agent.key,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
      noDelay: true,
    },
    (socket) => {
      socket.on('error', (error: Error) => {
        logger.debug('control connection error', { error: error.message })
      })
      const { subject } = socket.getPeerCertificate()
      if (subject.CN !== engineCommonName) {
        logger.warn('a client that is not the engine was refused', { commonName: subject.CN })
        socket.destroy()
      } else if (socket.servername === sniReverse) options.onReverse(socket)
      else if (socket.servername === sniAgent) http.emit('connection', socket)
      else socket.destroy()
    },
  )
  server.on('tlsClientError', (error: Error) => {
    logger.debug('TLS handshake failed', { error: error.message })
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(agent.port, '0.0.0.0', () => {
      server.off('error', reject)
      resolve({
        close: () => {
          server.close()
        },
      })
    })
  })
}
