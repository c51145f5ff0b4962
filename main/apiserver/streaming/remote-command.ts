// pods/exec and pods/attach: whatever the client speaks on one side, the node agent's frames on the other.
import type { Pod } from '../../../common/api/generated/types.ts'
import { agentPaths, frameChannel } from '../../../common/channel/agent-api.ts'
import { badRequest, notFound, StatusError } from '../../../common/machinery/status.ts'
import { ChannelFrameDecoder, channelFrames } from '../../../common/streaming/channel-frames.ts'
import type { NodeConnections, NodeResponse } from '../../channel/node-connections.ts'
import type { ChannelStream } from '../apiserver.ts'
import { readStored } from '../registry/context.ts'
import { booleanParameter } from '../routes/list-parameters.ts'
import type { Connect, ConnectCall } from './connect-table.ts'
import { toStatusError } from '../registry/store-errors.ts'
import { acceptSpdy, isSpdy, negotiateStreamProtocol } from './spdy-upgrade.ts'
import { remoteCommandProtocols, spdyChannels } from './spdy-channels.ts'
import type { Upgrade } from './upgrade.ts'
import { acceptWebSocket, isWebSocket, offeredProtocols, webSocketChannels } from './websocket.ts'
import { writeDrained } from './write-drained.ts'

/** In order of preference. */
export const channelProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'channel.k8s.io'] as const

export function remoteCommand(subresource: 'exec' | 'attach', nodes: NodeConnections): Connect {
  const kind = subresource === 'exec' ? 'PodExecOptions' : 'PodAttachOptions'
  return {
    info: { name: subresource, group: '', version: 'v1', kind, verbs: ['create', 'get'] },
    serve: () => Promise.reject(badRequest('Upgrade request required')),
    upgrade: (call, upgrade) => run(subresource, nodes, call, upgrade),
  }
}

async function run(
  subresource: 'exec' | 'attach',
  nodes: NodeConnections,
  call: ConnectCall,
  upgrade: Upgrade,
): Promise<void> {
  const { query } = call
  const { node, container } = locateContainer(call)
  const streams = {
    stdin: booleanParameter(query, 'stdin'),
    stdout: booleanParameter(query, 'stdout'),
    stderr: booleanParameter(query, 'stderr'),
    tty: booleanParameter(query, 'tty'),
  }
  if (!streams.stdin && !streams.stdout && !streams.stderr)
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr')
  if (subresource === 'exec' && query.getAll('command').length === 0)
    throw badRequest('you must specify at least 1 command')
  const path = subresource === 'exec' ? agentPaths.exec : agentPaths.attach
  const cancel = new AbortController()
  const response = await nodes.request(node, {
    method: 'POST',
    path: `${path}/${encodeURIComponent(call.info.namespace)}/${encodeURIComponent(call.info.name)}/${encodeURIComponent(container)}`,
    query: { ...(subresource === 'exec' ? { command: query.getAll('command') } : {}), ...streams },
    signal: cancel.signal,
  })
  await requireSuccess(response)
  let channels: ChannelStream
  try {
    channels = await openChannels(upgrade, streams)
  } catch (error) {
    response.stream.destroy()
    throw error
  }
  await joinChannels(channels, response, streams.stdin)
}

async function openChannels(upgrade: Upgrade, streams: Parameters<typeof spdyChannels>[1]): Promise<ChannelStream> {
  const { req } = upgrade
  if (isSpdy(req))
    return spdyChannels(acceptSpdy(upgrade, negotiateStreamProtocol(req, remoteCommandProtocols)), streams)
  if (isWebSocket(req)) return webSocketChannels(await acceptWebSocket(upgrade, chooseChannelProtocol(req)))
  throw badRequest(`unable to upgrade to ${JSON.stringify(req.headers.upgrade ?? '')}: SPDY/3.1 or websocket expected`)
}

export function chooseChannelProtocol(req: Upgrade['req']): string {
  const offered = offeredProtocols(req)
  if (offered.length === 0) return ''
  const found = channelProtocols.find((protocol) => offered.includes(protocol))
  if (found === undefined)
    throw badRequest(
      `none of the WebSocket subprotocols ${offered.join(', ')} is supported; use ${channelProtocols[0]}`,
    )
  return found
}

/** Carries frames both ways until the agent has said how the command ended, or the client is gone. */
export async function joinChannels(
  channels: ChannelStream,
  { stream }: NodeResponse,
  hasInput: boolean,
): Promise<void> {
  // A reset shows in the reading loop below; as an event it has no listener of its own.
  stream.on('error', () => undefined)
  const input = (async () => {
    for await (const { channel, payload } of channels.receive()) {
      if (channel === frameChannel.stdin && !hasInput) continue
      for (const frame of channelFrames(channel, payload)) await writeDrained(stream, frame)
    }
  })()
  // The client is gone: what runs for it on the node is ended by the reset.
  void input.then(
    () => {
      stream.destroy()
    },
    () => {
      stream.destroy()
    },
  )
  let status: Uint8Array | undefined
  try {
    const decoder = new ChannelFrameDecoder()
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      for (const { channel, payload } of decoder.push(chunk)) {
        if (channel === frameChannel.error) status = payload
        await channels.send(channel, payload)
      }
    }
  } catch (error) {
    if (status === undefined) {
      const failure = toStatusError(error).status
      await channels.send(frameChannel.error, new TextEncoder().encode(JSON.stringify(failure))).catch(() => undefined)
    }
  } finally {
    channels.close()
  }
}

/** Turns an agent's error answer into its Status. */
export async function requireSuccess(response: NodeResponse): Promise<void> {
  if (response.status < 300) return
  const chunks: Buffer[] = []
  response.stream.end()
  for await (const chunk of response.stream as AsyncIterable<Buffer>) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  let message = text.trim()
  try {
    const status = JSON.parse(text) as { message?: string; reason?: string }
    throw new StatusError({
      code: response.status,
      reason: status.reason ?? 'InternalError',
      message: status.message ?? message,
    })
  } catch (error) {
    if (error instanceof StatusError) throw error
    message ||= 'the node answered without a reason'
  }
  throw new StatusError({
    code: response.status,
    reason: response.status === 404 ? 'NotFound' : response.status < 500 ? 'BadRequest' : 'InternalError',
    message,
  })
}

export interface Located {
  readonly pod: Pod
  readonly node: string
  readonly container: string
}

const defaultContainerAnnotation = 'kubectl.kubernetes.io/default-container'

/** The container a request means and the node it is on; throws as upstream for wrong names and pods without a node. */
/** As `findContainer`, of a pod that has been given a node. */
export function locateContainer(call: ConnectCall): Located {
  const located = findContainer(call)
  if (located.node === '') throw badRequest(`pod ${call.info.name} does not have a host assigned`)
  return located
}

/** The container a call is about; `node` is empty before the pod is scheduled. */
export function findContainer({ registry, resource, info, query }: ConnectCall): Located {
  const stored = readStored(registry, resource, info.namespace, info.name)
  if (stored === undefined) throw notFound(resource.name, info.name)
  const pod = stored.object as Pod
  const { spec, metadata } = pod
  const names = [
    ...(spec?.containers ?? []),
    ...(spec?.initContainers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ].map(({ name }) => name)
  const asked = query.get('container') ?? ''
  const container = asked === '' ? onlyContainer(pod, metadata?.annotations?.[defaultContainerAnnotation]) : asked
  if (!names.includes(container)) throw badRequest(`container ${container} is not valid for pod ${info.name}`)
  return { pod, node: spec?.nodeName ?? '', container }
}

function onlyContainer({ spec, metadata }: Pod, preferred: string | undefined): string {
  const containers = spec?.containers ?? []
  if (preferred !== undefined && containers.some(({ name }) => name === preferred)) return preferred
  const [first] = containers
  if (first !== undefined && containers.length === 1) return first.name
  const listed = `[${containers.map(({ name }) => name).join(' ')}]`
  const init = (spec?.initContainers ?? []).map(({ name }) => name)
  throw badRequest(
    `a container name must be specified for pod ${metadata?.name ?? ''}, choose one of: ${listed}${init.length === 0 ? '' : ` or one of the init containers: [${init.join(' ')}]`}`,
  )
}
