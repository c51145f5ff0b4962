// kubernetes.default for pods: a listener on the service's own cluster address (held by a dummy interface of this node), each
// connection piped as raw bytes to the API server's TLS port through the reverse connection. TLS is the pod's and the server's.
import { createServer, type Server, type Socket } from 'node:net'
import { tunnelPath } from '../../../common/channel/agent-api.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { ReverseConnection } from './reverse-connection.ts'

export function startApiTunnel(
  reverse: ReverseConnection,
  address: { host: string; port: number },
  logger: Logger,
): Promise<Server> {
  // allowHalfOpen: TLS clients may end their side first and still read.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    tunnel(reverse, socket, logger)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(address.port, address.host, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

function tunnel(reverse: ReverseConnection, socket: Socket, logger: Logger): void {
  socket.on('error', () => undefined)
  try {
    const stream = reverse.request({ ':method': 'POST', ':path': tunnelPath }, { endStream: false })
    stream.on('error', (error: Error) => {
      logger.debug('API tunnel ended', { error: error.message })
      socket.destroy()
    })
    stream.on('response', (headers) => {
      if (headers[':status'] !== 200) socket.destroy()
    })
    stream.on('close', () => {
      socket.end()
    })
    socket.on('close', () => {
      stream.destroy()
    })
    socket.pipe(stream)
    stream.pipe(socket)
  } catch (error) {
    logger.debug('API tunnel refused', { error: error instanceof Error ? error.message : String(error) })
    socket.destroy()
  }
}
