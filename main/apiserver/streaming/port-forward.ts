// pods/portforward: TCP connections into a pod as pairs of SPDY streams (data and error), over SPDY itself or tunnelled through a
// WebSocket as newer kubectl does.
import { agentPaths } from '../../../common/channel/agent-api.ts'
import { badRequest, notFound } from '../../../common/machinery/status.ts'
import type { Pod } from '../../../common/api/generated/types.ts'
import { type ByteConnection, SpdySession, type SpdyStream } from '../../../common/streaming/spdy/index.ts'
import type { NodeConnections } from '../../channel/node-connections.ts'
import { readStored } from '../registry/context.ts'
import { toStatusError } from '../registry/store-errors.ts'
import type { Connect, ConnectCall } from './connect-table.ts'
import { newNodeInflater } from './node-inflater.ts'
import { requireSuccess } from './remote-command.ts'
import { acceptSpdy, isSpdy, negotiateStreamProtocol } from './spdy-upgrade.ts'
import type { Upgrade } from './upgrade.ts'
import { acceptWebSocket, isWebSocket, offeredProtocols, webSocketBytes } from './websocket.ts'
import { writeDrained } from './write-drained.ts'

const protocol = 'portforward.k8s.io'
const tunnelProtocol = `SPDY/3.1+${protocol}`
/** An error stream whose data stream does not follow is given up. */
const pairDeadlineMs = 30_000

export function portForward(nodes: NodeConnections): Connect {
  return {
    info: { name: 'portforward', group: '', version: 'v1', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
    serve: () => Promise.reject(badRequest('Upgrade request required')),
    upgrade: async (call, upgrade) => {
      const node = nodeOf(call)
      const connection = await connect(upgrade)
      await forward(connection, (port) => openPort(nodes, node, call, port))
    },
  }
}

async function connect(upgrade: Upgrade): Promise<ByteConnection> {
  const { req } = upgrade
  if (isSpdy(req)) return acceptSpdy(upgrade, negotiateStreamProtocol(req, [protocol]))
  if (isWebSocket(req)) {
    if (!offeredProtocols(req).includes(tunnelProtocol))
      throw badRequest(`unable to upgrade: the WebSocket subprotocol must be ${tunnelProtocol}`)
    return webSocketBytes(await acceptWebSocket(upgrade, tunnelProtocol))
  }
  throw badRequest(`unable to upgrade to ${JSON.stringify(req.headers.upgrade ?? '')}: SPDY/3.1 or websocket expected`)
}

function nodeOf({ registry, resource, info }: ConnectCall): string {
  const pod = readStored(registry, resource, info.namespace, info.name)?.object as Pod | undefined
  if (pod === undefined) throw notFound(resource.name, info.name)
  const node = pod.spec?.nodeName ?? ''
  if (node === '') throw badRequest(`pod ${info.name} does not have a host assigned`)
  return node
}

type PortStream = Awaited<ReturnType<NodeConnections['request']>>['stream']

async function openPort(
  nodes: NodeConnections,
  node: string,
  { info }: ConnectCall,
  port: number,
): Promise<PortStream> {
  const response = await nodes.request(node, {
    method: 'POST',
    path: `${agentPaths.portForward}/${encodeURIComponent(info.namespace)}/${encodeURIComponent(info.name)}`,
    query: { port },
  })
  await requireSuccess(response)
  return response.stream
}

/** Resolves when the client has gone. */
async function forward(connection: ByteConnection, open: (port: number) => Promise<PortStream>): Promise<void> {
  const waiting = new Map<string, SpdyStream>()
  const timers = new Set<NodeJS.Timeout>()
  const session = new SpdySession({
    role: 'server',
    connection,
    newInflater: newNodeInflater,
    onStream: (stream) => {
      const { headers } = stream
      const type = headers.get('streamtype')
      const port = Number(headers.get('port'))
      // Very old clients send no request id: their data stream directly follows its error stream.
      const requestId = headers.get('requestid') ?? String(type === 'error' ? stream.id : stream.id - 2)
      if ((type !== 'error' && type !== 'data') || !Number.isInteger(port) || port < 1 || port > 65535) {
        stream.reset()
        return
      }
      void stream.reply().catch(() => undefined)
      const other = waiting.get(requestId)
      if (other === undefined) {
        waiting.set(requestId, stream)
        const timer = setTimeout(() => {
          timers.delete(timer)
          if (waiting.get(requestId) === stream) {
            waiting.delete(requestId)
            stream.reset()
          }
        }, pairDeadlineMs)
        timers.add(timer)
        return
      }
      waiting.delete(requestId)
      void carry(port, type === 'data' ? stream : other, type === 'data' ? other : stream, open)
    },
  })
  await session.ended
  for (const timer of timers) clearTimeout(timer)
}

async function carry(
  port: number,
  data: SpdyStream,
  errors: SpdyStream,
  open: (port: number) => Promise<PortStream>,
): Promise<void> {
  let target: PortStream
  try {
    target = await open(port)
  } catch (error) {
    const { message } = toStatusError(error)
    await errors.write(new TextEncoder().encode(`${message}`)).catch(() => undefined)
    await Promise.allSettled([errors.end(), data.end()])
    return
  }
  // A reset shows in the loops below; as an event it has no listener of its own.
  target.on('error', () => undefined)
  const up = (async () => {
    for await (const chunk of data) await writeDrained(target, chunk)
    target.end()
  })().catch(() => {
    target.destroy()
  })
  const down = (async () => {
    for await (const chunk of target as AsyncIterable<Buffer>) await data.write(chunk)
    await data.end()
  })().catch(() => {
    data.reset()
  })
  await down
  await errors.end().catch(() => undefined)
  target.destroy()
  await up
}
