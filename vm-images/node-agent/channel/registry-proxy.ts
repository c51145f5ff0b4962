// What containerd takes for the image registry: a plain HTTP listener on the guest's loopback that hands every request to the engine
// over the reverse connection, streaming both ways.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { ReverseConnection } from './reverse-connection.ts'

/** Headers of one hop that HTTP/2 forbids. */
const hopByHop = new Set(['connection', 'host', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'te'])

export function startRegistryProxy(reverse: ReverseConnection, port: number, logger: Logger): Promise<() => void> {
  const server = createServer((request, response) => {
    try {
      forward(reverse, request, response, logger)
    } catch (error) {
      refuse(response, 503, error)
    }
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      resolve(() => {
        server.close()
        server.closeAllConnections()
      })
    })
  })
}

function forward(reverse: ReverseConnection, request: IncomingMessage, response: ServerResponse, logger: Logger): void {
  const path = request.url ?? '/'
  if (!path.startsWith('/v2')) {
    refuse(response, 404, new Error('only the registry API is served here'))
    return
  }
  const method = request.method ?? 'GET'
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !hopByHop.has(name)))
  const stream = reverse.request({ ...headers, ':method': method, ':path': path }, { endStream: !hasBody })
  stream.on('response', (received: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
    const plain = Object.entries(received).filter(([name]) => !name.startsWith(':'))
    response.writeHead(received[':status'] ?? 502, Object.fromEntries(plain))
    copy(stream, response)
  })
  stream.on('error', (error: Error) => {
    logger.debug('registry answer cut off', { path, error: error.message })
    refuse(response, 502, error)
  })
  if (hasBody) request.pipe(stream)
  response.on('close', () => {
    stream.destroy()
  })
}

/** In pieces as large as have arrived: a write for every 16 KiB frame made the copying dear in an emulated machine. */
function copy(stream: ClientHttp2Stream, response: ServerResponse): void {
  const pump = (): void => {
    for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null) {
      if (response.write(chunk)) continue
      response.once('drain', pump)
      return
    }
  }
  stream.on('readable', pump)
  stream.on('end', () => {
    response.end()
  })
}

function refuse(response: ServerResponse, status: number, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const message = error instanceof Error ? error.message : String(error)
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ errors: [{ code: 'UNAVAILABLE', message: `the lab's registry: ${message}` }] }))
}
