// SPDY/3.1 upgrades of an HTTP/1.1 connection.
import { StatusError } from '../../../common/machinery/status.ts'
import type { ByteConnection } from '../../../common/streaming/spdy/index.ts'
import type { Upgrade } from './upgrade.ts'

export const isSpdy = (req: Upgrade['req']): boolean => (req.headers.upgrade ?? '').toLowerCase() === 'spdy/3.1'

/** The first protocol of ours that the client offers; throws 403 as upstream when there is none. */
export function negotiateStreamProtocol(req: Upgrade['req'], supported: readonly string[]): string {
  const header = req.headers['x-stream-protocol-version'] ?? ''
  const offered = (Array.isArray(header) ? header : header.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '')
  const found = supported.find((protocol) => offered.includes(protocol))
  if (found !== undefined) return found
  throw new StatusError({
    code: 403,
    reason: 'Forbidden',
    message: `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${supported.join(' ')}]`,
  })
}

/** Sends the 101 and hands over the connection's bytes. */
export function acceptSpdy({ socket, head }: Upgrade, protocol: string): ByteConnection {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  )
  if (head.length > 0) socket.unshift(head)
  return {
    write: (bytes) => {
      if (!socket.writable) return Promise.reject(new Error('the connection is closed'))
      if (socket.write(bytes)) return Promise.resolve()
      return new Promise((resolve, reject) => {
        const done = (): void => {
          socket.off('drain', done)
          socket.off('close', closed)
          resolve()
        }
        const closed = (): void => {
          socket.off('drain', done)
          reject(new Error('the connection is closed'))
        }
        socket.once('drain', done)
        socket.once('close', closed)
      })
    },
    incoming: socket as AsyncIterable<Uint8Array>,
    close: () => {
      socket.end()
    },
  }
}
