// A SPDY/3.1 session with containerd's streaming server: the protocol in which stdin can end while output goes on.
import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import { SpdySession } from '../../../common/streaming/spdy/index.ts'
import { newInflater } from './spdy-inflater.ts'

const upgradeTimeoutMs = 30_000

/** `protocol` as in X-Stream-Protocol-Version: "v4.channel.k8s.io" or "portforward.k8s.io". */
export function openCriSession(url: string, protocol: string): Promise<SpdySession> {
  return new Promise((resolve, reject) => {
    const upgrade = request(url, {
      method: 'POST',
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'SPDY/3.1',
        'x-stream-protocol-version': protocol,
        'content-length': '0',
      },
      signal: AbortSignal.timeout(upgradeTimeoutMs),
    })
    upgrade.on('upgrade', (_response, socket, head) => {
      if (head.length > 0) socket.unshift(head)
      // The deadline was for the upgrade; the stream may live for days.
      socket.removeAllListeners('error')
      socket.on('error', () => undefined)
      resolve(new SpdySession({ role: 'client', connection: byteConnection(socket), newInflater }))
    })
    upgrade.on('response', (response) => {
      response.resume()
      reject(new Error(`the container runtime refused the stream: HTTP ${String(response.statusCode)}`))
    })
    upgrade.on('error', reject)
    upgrade.end()
  })
}

function byteConnection(socket: Duplex): ConstructorParameters<typeof SpdySession>[0]['connection'] {
  return {
    incoming: socket as AsyncIterable<Uint8Array>,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) {
          reject(new Error('the connection to the container runtime ended'))
          return
        }
        socket.write(bytes, (error) => {
          if (error) reject(error)
          else resolve()
        })
      }),
    close: () => {
      socket.end()
      // Whoever does not answer the goodbye is cut off.
      setTimeout(() => socket.destroy(), 1000).unref()
    },
  }
}
