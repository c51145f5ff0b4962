// A TLS connection to what is behind a Service: dialled here when its address can be reached, by a node otherwise.
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { Duplex } from 'node:stream'
import { agentPaths } from '../../../common/channel/agent-api.ts'
import type { NodeConnections } from '../../channel/node-connections.ts'
import type { Registry } from '../registry/context.ts'
import { findServiceAddress, type ServicePort } from './service-address.ts'

const connectMs = 10_000

export async function dialService(to: {
  readonly registry: Registry
  readonly nodes: NodeConnections
  readonly service: ServicePort
  /** Whom to trust and who we are; the server must have a certificate for NAME.NAMESPACE.svc. */
  readonly tls: ConnectionOptions
  readonly signal: AbortSignal
}): Promise<Duplex> {
  const { registry, nodes, service, signal } = to
  const address = findServiceAddress(registry, service)
  const options: ConnectionOptions = { servername: `${service.name}.${service.namespace}.svc`, ...to.tls }
  if (address.node === undefined || !nodes.isConnected(address.node))
    return secured({ ...options, host: address.host, port: address.port }, signal)
  const { status, stream } = await nodes.request(address.node, {
    method: 'POST',
    path: agentPaths.dial,
    query: { host: address.host, port: address.port },
    signal,
  })
  if (status >= 300) {
    stream.destroy()
    throw new Error(`dial tcp ${address.host}:${String(address.port)}: connect: connection refused`)
  }
  return secured({ ...options, socket: stream }, signal)
}

function secured(options: ConnectionOptions, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ ...options, timeout: connectMs })
    const stop = (): void => {
      socket.destroy(new Error('context deadline exceeded'))
    }
    signal.addEventListener('abort', stop, { once: true })
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', stop)
      resolve(socket)
    })
    socket.once('timeout', () => {
      if (socket.connecting) stop()
    })
    socket.once('error', reject)
  })
}
