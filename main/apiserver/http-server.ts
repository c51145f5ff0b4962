// Sockets: the TLS listener (HTTP/1.1 and HTTP/2 on one port) and connections that were made elsewhere.
import { createServer, type IncomingMessage } from 'node:http'
import { createSecureServer, createServer as createHttp2Server, type Http2SecureServer } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Duplex } from 'node:stream'
import type { ApiServerOptions, HttpRequest, HttpResponse } from './apiserver.ts'

export type OnRequest = (req: HttpRequest, res: HttpResponse) => void
export type OnUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Slow or silent clients lose their connection; a watch is not affected, its request is complete. */
const headersTimeoutMs = 20_000
const requestTimeoutMs = 300_000
const keepAliveTimeoutMs = 120_000
/**
 * Connections that have not sent one whole request yet; the oldest gives way to a new one. Each costs some 60 KB, and whoever opens
 * thousands and says nothing must not take the memory of those who do.
 */
const maxUnprovenConnections = 2_000
/**
 * Commands to run in containers and selectors travel in the path: the longest argument Linux takes (128 KiB) must fit, encoded. Over
 * HTTP/2, by which no commands come, nghttp2 ends at 64 KiB a field.
 */
const maxHeaderBytes = 256 * 1024
const http2Settings = { maxConcurrentStreams: 1000, initialWindowSize: 1 << 20, maxHeaderListSize: maxHeaderBytes }

const onlyHttp1 = ({ protocols }: { protocols: string[] }): string | undefined =>
  protocols.find((protocol) => protocol === 'http/1.1')

/** The first certificate for the name; the server's own when there is none. */
function certificateFor({ named = [], ...shared }: ApiServerOptions['tls']) {
  const contexts = named.map(({ names, cert, key }) => ({
    names: new Set(names.map((name) => name.toLowerCase())),
    context: createSecureContext({
      cert,
      key,
      ca: shared.clientCa,
      minVersion: shared.minVersion ?? 'TLSv1.2',
      ...(shared.cipherSuites === undefined ? {} : { ciphers: shared.cipherSuites.join(':') }),
    }),
  }))
  return (asked: string, answer: (error: Error | null, context?: SecureContext) => void): void => {
    const name = asked.toLowerCase()
    const wildcard = name.replace(/^[^.]+/, '*')
    answer(
      null,
      (contexts.find(({ names }) => names.has(name)) ?? contexts.find(({ names }) => names.has(wildcard)))?.context,
    )
  }
}

export class HttpServer {
  readonly #server: Http2SecureServer
  readonly #sockets = new Set<Socket | Duplex>()
  /** By the client's port, the oldest first. */
  readonly #unproven = new Map<number, Socket>()

  constructor(
    tls: ApiServerOptions['tls'],
    onRequest: OnRequest,
    onUpgrade: OnUpgrade,
    { maxUnproven = maxUnprovenConnections } = {},
  ) {
    this.#server = createSecureServer({
      allowHTTP1: true,
      cert: tls.cert,
      key: tls.key,
      ca: tls.clientCa,
      requestCert: true,
      // Whether a certificate was given and is good is the authenticator's question; tokens need none.
      rejectUnauthorized: false,
      minVersion: tls.minVersion ?? 'TLSv1.2',
      ...(tls.cipherSuites === undefined ? {} : { ciphers: tls.cipherSuites.join(':') }),
      settings:
        tls.maxStreams === undefined ? http2Settings : { ...http2Settings, maxConcurrentStreams: tls.maxStreams },
      ...(tls.http2 === false ? { ALPNCallback: onlyHttp1 } : {}),
      ...(tls.named === undefined ? {} : { SNICallback: certificateFor(tls) }),
      handshakeTimeout: 10_000,
      // A peer may not hold a session open for nothing but resets and settings.
      maxSessionInvalidFrames: 100,
    })
    const http1 = this.#server as unknown as {
      headersTimeout: number
      requestTimeout: number
      keepAliveTimeout: number
      maxHeaderSize: number
    }
    http1.maxHeaderSize = maxHeaderBytes
    http1.headersTimeout = headersTimeoutMs
    http1.requestTimeout = requestTimeoutMs
    http1.keepAliveTimeout = keepAliveTimeoutMs
    this.#server.on('request', (req, res) => {
      this.#prove(req)
      onRequest(req, res)
    })
    this.#server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#prove(req)
      onUpgrade(req, socket, head)
    })
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      const { remotePort = 0 } = socket
      this.#unproven.set(remotePort, socket)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        if (this.#unproven.get(remotePort) === socket) this.#unproven.delete(remotePort)
      })
      if (this.#unproven.size > maxUnproven) this.#unproven.values().next().value?.destroy()
    })
    // Broken handshakes and sessions are the clients' business; the sockets are closed by node.
    this.#server.on('tlsClientError', () => undefined)
    this.#server.on('sessionError', () => undefined)
    this.#server.on('clientError', (_error: Error, socket: Duplex) => {
      if (socket.writable) socket.end(badRequestResponse)
      else socket.destroy()
    })
  }

  #prove(req: HttpRequest): void {
    if (this.#unproven.size === 0) return
    const { remotePort } = req.socket
    if (remotePort !== undefined) this.#unproven.delete(remotePort)
  }

  listen({ host, port }: { host: string; port: number }): Promise<{ host: string; port: number }> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        this.#server.on('error', () => undefined)
        const address = this.#server.address() as AddressInfo
        resolve({ host: address.address, port: address.port })
      })
    })
  }

  /** Serves one foreign connection by the protocol its handshake agreed on. */
  adopt(socket: Duplex, onRequest: OnRequest, onUpgrade: OnUpgrade): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => undefined)
    if ((socket as { alpnProtocol?: string | false }).alpnProtocol === 'http/1.1') {
      const server = createServer({ maxHeaderSize: maxHeaderBytes, headersTimeout: headersTimeoutMs })
      server.on('request', onRequest)
      server.on('upgrade', onUpgrade)
      server.emit('connection', socket)
      return
    }
    const server = createHttp2Server({ settings: http2Settings })
    server.on('request', onRequest)
    server.on('sessionError', () => undefined)
    server.emit('connection', socket)
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#server.listening)
        this.#server.close(() => {
          resolve()
        })
      else resolve()
      for (const socket of this.#sockets) socket.destroy()
    })
  }
}

const badRequestBody = JSON.stringify({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: 'the request could not be read',
  reason: 'BadRequest',
  code: 400,
})
const badRequestResponse = `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${String(badRequestBody.length)}\r\nConnection: close\r\n\r\n${badRequestBody}`
