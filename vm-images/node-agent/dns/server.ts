// The cluster's DNS server on this node: UDP and TCP on the DNS service's own address.
import { createSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import type { Logger } from '../../../common/machinery/logger.ts'
import type { ClusterNames } from './records.ts'
import { respond } from './respond.ts'

export interface DnsServerOptions {
  names: ClusterNames
  address: string
  port: number
  hasSynced: () => boolean
  logger: Logger
}

const idleMs = 10_000

export async function startDnsServer(options: DnsServerOptions): Promise<() => void> {
  const { names, address, port, hasSynced, logger } = options
  const answerTo = (query: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined => {
    try {
      return respond(names, query, transport, hasSynced())
    } catch (error) {
      logger.debug('a DNS query could not be answered', { error: String(error) })
      return undefined
    }
  }
  const udp = createSocket('udp4')
  udp.on('message', (query, peer) => {
    const message = answerTo(query, 'udp')
    if (message !== undefined) udp.send(message, peer.port, peer.address)
  })
  const tcp = createServer((socket) => {
    serveTcp(socket, (query) => answerTo(query, 'tcp'))
  })
  await Promise.all([
    new Promise<void>((resolve, reject) => {
      udp.once('error', reject)
      udp.bind(port, address, () => {
        udp.off('error', reject)
        udp.on('error', (error) => {
          logger.warn('DNS socket error', { error: error.message })
        })
        resolve()
      })
    }),
    new Promise<void>((resolve, reject) => {
      tcp.once('error', reject)
      tcp.listen(port, address, resolve)
    }),
  ])
  return () => {
    udp.close()
    tcp.close()
  }
}

/** Messages over TCP have a two-byte length before them (RFC 1035 4.2.2). */
function serveTcp(socket: Socket, answerTo: (query: Buffer) => Buffer | undefined): void {
  let buffered: Buffer = Buffer.alloc(0)
  socket.setTimeout(idleMs, () => socket.destroy())
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk])
    while (buffered.length >= 2) {
      const end = 2 + buffered.readUInt16BE(0)
      if (buffered.length < end) break
      const message = answerTo(buffered.subarray(2, end))
      buffered = buffered.subarray(end)
      if (message === undefined) {
        socket.destroy()
        return
      }
      const length = Buffer.alloc(2)
      length.writeUInt16BE(message.length, 0)
      socket.write(Buffer.concat([length, message]))
    }
  })
}
