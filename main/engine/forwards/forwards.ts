// Opens a Service or pod port on the host's loopback: one TCP listener per forward; each connection becomes a stream on the node's
// control channel. A Service connection is made from a node to the cluster IP, so that it takes the road pods take.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { agentPaths } from '../../../common/channel/agent-api.ts'
import type { Pod, Service } from '../../../common/api/generated/types.ts'
import { labGroup } from '../../../common/api/lab/v1alpha1.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { pods, services, nodes as nodeResource } from '../../../common/client/resources.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { badRequest, conflict, notFound, serviceUnavailable } from '../../../common/machinery/status.ts'
import type { ConnectSubresource, HttpRequest, HttpResponse } from '../../apiserver/apiserver.ts'
import type { NodeConnections, NodeResponse } from '../../channel/node-connections.ts'
import { readJson, sendJson } from '../json-body.ts'

export interface ForwardTarget {
  kind: 'Service' | 'Pod'
  namespace: string
  name: string
  /** Port number; for a Service also its port's name. */
  port: number | string
  /** Wanted port on the host; any free one when absent. */
  localPort?: number
}

export interface Forward extends ForwardTarget {
  id: string
  url: string
  localPort: number
}

export class Forwards {
  readonly #open = new Map<string, { forward: Forward; server: Server; sockets: Set<Socket> }>()
  readonly #client: KubeClient
  readonly #nodes: NodeConnections
  readonly #logger: Logger

  constructor(options: { client: KubeClient; nodes: NodeConnections; logger: Logger }) {
    this.#client = options.client
    this.#nodes = options.nodes
    this.#logger = options.logger
  }

  list(): Forward[] {
    return [...this.#open.values()].map(({ forward }) => forward)
  }

  /** Opens the forward; the same target again gives the one that is open. */
  async open(target: ForwardTarget): Promise<Forward> {
    const id = `${target.kind.toLowerCase()}.${target.namespace}.${target.name}.${String(target.port)}`
    const present = this.#open.get(id)
    if (present && (target.localPort === undefined || target.localPort === present.forward.localPort))
      return present.forward
    if (present) this.close(id)
    await this.#resolve(target)
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      void this.#carry(socket, target)
    })
    server.listen(target.localPort ?? 0, '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      throw conflict(
        { group: labGroup, resource: 'forwards' },
        id,
        `port ${String(target.localPort)} of this computer is in use; choose another or leave it out`,
      )
    }
    const localPort = (server.address() as AddressInfo).port
    const forward: Forward = { ...target, id, localPort, url: `http://127.0.0.1:${String(localPort)}/` }
    this.#open.set(id, { forward, server, sockets })
    return forward
  }

  close(id: string): boolean {
    const entry = this.#open.get(id)
    if (!entry) return false
    this.#open.delete(id)
    entry.server.close()
    for (const socket of entry.sockets) socket.destroy()
    return true
  }

  closeAll(): void {
    for (const id of [...this.#open.keys()]) this.close(id)
  }

  async #resolve(target: ForwardTarget): Promise<{ connect: () => Promise<NodeResponse> }> {
    if (target.kind === 'Pod') {
      const pod: Pod = await this.#client.get(pods, target.name, target.namespace)
      const node = pod.spec?.nodeName
      if (node === undefined) throw badRequest(`pod "${target.name}" is not on a node yet`)
      const path = `${agentPaths.portForward}/${encodeURIComponent(target.namespace)}/${encodeURIComponent(target.name)}`
      return { connect: () => this.#nodes.request(node, { method: 'POST', path, query: { port: target.port } }) }
    }
    const service: Service = await this.#client.get(services, target.name, target.namespace)
    const port = (service.spec?.ports ?? []).find(
      (candidate) => candidate.port === Number(target.port) || candidate.name === target.port,
    )
    if (!port) throw badRequest(`service "${target.name}" has no port ${String(target.port)}`)
    const address = service.spec?.clusterIP
    if (address === undefined || address === '' || address === 'None')
      throw badRequest(`service "${target.name}" has no cluster IP: forward to one of its pods instead`)
    return {
      connect: async () => {
        const node = await this.#anyNode()
        return this.#nodes.request(node, {
          method: 'POST',
          path: agentPaths.dial,
          query: { host: address, port: port.port },
        })
      },
    }
  }

  async #anyNode(): Promise<string> {
    const { items } = await this.#client.list(nodeResource)
    const name = items.map((node) => node.metadata.name ?? '').find((candidate) => this.#nodes.isConnected(candidate))
    if (name === undefined) throw serviceUnavailable('no node is connected: start a machine first')
    return name
  }

  async #carry(socket: Socket, target: ForwardTarget): Promise<void> {
    socket.on('error', () => undefined)
    try {
      const { connect } = await this.#resolve(target)
      const { status, stream } = await connect()
      if (status !== 200) {
        stream.destroy()
        throw new Error(`the node answered ${String(status)}`)
      }
      await Promise.all([pipeline(socket, stream), pipeline(stream, socket)])
    } catch (error) {
      this.#logger.debug('forwarded connection ended', {
        target: `${target.kind}/${target.name}`,
        reason: error instanceof Error ? error.message : String(error),
      })
      socket.destroy()
    }
  }
}

function parseTarget(body: unknown): ForwardTarget {
  const target = body as Partial<ForwardTarget> | null
  if (target === null || typeof target !== 'object')
    throw badRequest('the body must be an object: {"kind":"Service","namespace":"default","name":"web","port":80}')
  if (target.kind !== 'Service' && target.kind !== 'Pod') throw badRequest('kind: must be "Service" or "Pod"')
  if (typeof target.name !== 'string' || target.name === '') throw badRequest('name: required')
  if (typeof target.port !== 'number' && typeof target.port !== 'string')
    throw badRequest('port: required, a number or a service port name')
  const { localPort } = target
  if (localPort !== undefined && (!Number.isInteger(localPort) || localPort < 1 || localPort > 65535))
    throw badRequest('localPort: must be between 1 and 65535')
  return {
    kind: target.kind,
    namespace: target.namespace ?? 'default',
    name: target.name,
    port: target.port,
    ...(localPort === undefined ? {} : { localPort }),
  }
}

/** The subresource labs/forwards: GET lists, POST opens {kind, namespace, name, port, localPort?}, POST ?close=ID closes. */
export function forwardsSubresource(current: () => Forwards): ConnectSubresource {
  return {
    group: labGroup,
    plural: 'labs',
    subresource: 'forwards',
    methods: ['GET', 'POST'],
    async onRequest(request, req: HttpRequest, res: HttpResponse) {
      const forwards = current()
      if (req.method === 'GET') {
        sendJson(res, 200, { items: forwards.list() })
        return
      }
      const closing = request.query.get('close')
      if (closing !== null) {
        if (!forwards.close(closing)) throw notFound({ group: labGroup, resource: 'forwards' }, closing)
        sendJson(res, 200, { closed: closing })
        return
      }
      sendJson(res, 201, await forwards.open(parseTarget(await readJson(req))))
    },
  }
}
