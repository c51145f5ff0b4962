// pods/proxy, services/proxy and nodes/proxy: plain HTTP carried to a pod (dialled from a node) or to the node's own agent.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { EndpointSlice, Pod, Service } from '../../../common/api/generated/types.ts'
import { agentPaths } from '../../../common/channel/agent-api.ts'
import { badRequest, internalError, notFound, serviceUnavailable } from '../../../common/machinery/status.ts'
import type { NodeConnections } from '../../channel/node-connections.ts'
import { maxBodyBytes, readBody } from '../chain/body.ts'
import { endWith, writeHead } from '../chain/respond.ts'
import { lookup, lookupAll, readStored } from '../registry/context.ts'
import type { Connect, ConnectCall, HttpConnectCall } from './connect-table.ts'
import { writeDrained } from './write-drained.ts'

const verbs = ['create', 'delete', 'get', 'patch', 'update']

interface Target {
  readonly node: string
  readonly host: string
  readonly port: number
}

export function podProxy(nodes: NodeConnections): Connect {
  return proxy('PodProxyOptions', nodes, (call, name, port) => {
    const pod = readStored(call.registry, call.resource, call.info.namespace, name)?.object as Pod | undefined
    if (pod === undefined) throw notFound(call.resource.name, name)
    return podTarget(pod, port === '' ? firstPort(pod) : portOf(pod, port))
  })
}

export function serviceProxy(nodes: NodeConnections): Connect {
  return proxy('ServiceProxyOptions', nodes, (call, name, port) => {
    const service = readStored(call.registry, call.resource, call.info.namespace, name)?.object as Service | undefined
    if (service === undefined) throw notFound(call.resource.name, name)
    return serviceTarget(call, service, name, port)
  })
}

/** The node agent's own API (stats, logs), read only. */
export function nodeProxy(nodes: NodeConnections): Connect {
  return {
    info: { name: 'proxy', group: '', version: 'v1', kind: 'NodeProxyOptions', verbs: ['get'] },
    async serve(call) {
      const { info, query, req, res } = call
      if (req.method !== 'GET' && req.method !== 'HEAD') throw badRequest('only GET is carried to nodes')
      if (readStored(call.registry, call.resource, '', info.name) === undefined)
        throw notFound(call.resource.name, info.name)
      const cancel = new AbortController()
      res.on('close', () => {
        cancel.abort()
      })
      const response = await nodes.request(info.name, {
        method: 'GET',
        path: info.rest === '' ? '/' : info.rest,
        query: Object.fromEntries(query.entries()),
        signal: cancel.signal,
      })
      await carryBody(response.stream, response.status, response.headers, call)
    },
  }
}

function proxy(
  kind: string,
  nodes: NodeConnections,
  find: (call: ConnectCall, name: string, port: string) => Target,
): Connect {
  return {
    info: { name: 'proxy', group: '', version: 'v1', kind, verbs },
    async serve(call) {
      const { scheme, name, port } = splitName(call.info.name)
      if (scheme === 'https') throw badRequest('proxying to https ports is not supported')
      const target = find(call, name, port)
      const response = await nodes.request(target.node, {
        method: 'POST',
        path: agentPaths.dial,
        query: { host: target.host, port: target.port },
      })
      if (response.status >= 300) {
        response.stream.destroy()
        throw serviceUnavailable(`error trying to reach ${target.host}:${String(target.port)}: dial failed`)
      }
      await exchange(response.stream, call, target)
    },
  }
}

/** "name", "name:port" or "scheme:name:port". */
function splitName(text: string): { scheme: string; name: string; port: string } {
  const parts = text.split(':')
  const [first = '', second = '', third = ''] = parts
  if (parts.length === 3) return { scheme: first, name: second, port: third }
  return { scheme: '', name: first, port: second }
}

async function exchange(socket: Duplex, call: HttpConnectCall, target: Target): Promise<void> {
  const { req, info, query } = call
  const body = req.method === 'GET' || req.method === 'HEAD' ? undefined : await readBody(req, maxBodyBytes)
  const search = query.toString()
  const outgoing = httpRequest({
    createConnection: () => socket,
    method: req.method ?? 'GET',
    path: `${info.rest === '' ? '/' : info.rest}${search === '' ? '' : `?${search}`}`,
    headers: {
      ...forwardedHeaders(req.headers),
      host: `${target.host}:${String(target.port)}`,
      connection: 'close',
      ...(body === undefined ? {} : { 'content-length': body.length }),
    },
    setHost: false,
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve)
    outgoing.on('error', reject)
  })
  call.res.on('close', () => {
    socket.destroy()
  })
  outgoing.end(body)
  let response: IncomingMessage
  try {
    response = await answered
  } catch (error) {
    throw serviceUnavailable(
      `error trying to reach ${target.host}:${String(target.port)}: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  await carryBody(response, response.statusCode ?? 502, response.headers, call)
}

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
])
/** Credentials for this API are not the pod's business. */
const credentials = new Set(['authorization', 'cookie'])

function forwardedHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !name.startsWith(':') && !hopByHop.has(name) && !credentials.has(name))
      kept[name] = value
  }
  return kept
}

async function carryBody(
  body: AsyncIterable<Buffer> & { destroy(): unknown },
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  { res }: HttpConnectCall,
): Promise<void> {
  const kept: Record<string, string | string[]> = {}
  // A page from a pod must not act in this server's name: no cookies from it, and no scripts run in our origin.
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !name.startsWith(':') && !hopByHop.has(name) && name !== 'set-cookie') kept[name] = value
  kept['content-security-policy'] = 'sandbox'
  writeHead(res, status, kept)
  try {
    for await (const chunk of body) await writeDrained(res, chunk)
    endWith(res, '')
  } catch {
    body.destroy()
    res.destroy()
  }
}

function podTarget({ metadata, spec, status }: Pod, port: number): Target {
  const node = spec?.nodeName ?? ''
  const host = status?.podIP ?? ''
  if (node === '' || host === '')
    throw serviceUnavailable(`pod ${JSON.stringify(metadata?.name ?? '')} is not running: address not allowed`)
  return { node, host, port }
}

function firstPort({ spec }: Pod): number {
  return (spec?.containers ?? []).flatMap(({ ports = [] }) => ports)[0]?.containerPort ?? 80
}

function portOf(pod: Pod, text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  const named = (pod.spec?.containers ?? []).flatMap(({ ports = [] }) => ports).find(({ name }) => name === text)
  if (named === undefined) throw badRequest(`pod has no port named ${JSON.stringify(text)}`)
  return named.containerPort
}

function serviceTarget(call: ConnectCall, service: Service, name: string, port: string): Target {
  const ports = service.spec?.ports ?? []
  const chosen =
    port === '' ? ports[0] : ports.find((candidate) => candidate.name === port || String(candidate.port) === port)
  if (chosen === undefined)
    throw serviceUnavailable(`no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`)
  for (const stored of lookupAll(call.registry, 'discovery.k8s.io', 'endpointslices', call.info.namespace)) {
    const slice = stored.object as EndpointSlice
    if (slice.metadata?.labels?.['kubernetes.io/service-name'] !== name) continue
    const slicePort = (slice.ports ?? []).find((candidate) => (candidate.name ?? '') === (chosen.name ?? ''))?.port
    const endpoint = (slice.endpoints ?? []).find(({ conditions }) => conditions?.ready !== false)
    const [host] = endpoint?.addresses ?? []
    if (slicePort === undefined || endpoint === undefined || host === undefined) continue
    const node = endpoint.nodeName ?? podNode(call, endpoint.targetRef?.name)
    if (node !== undefined) return { node, host, port: slicePort }
  }
  throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`)
}

function podNode({ registry, info }: ConnectCall, name: string | undefined): string | undefined {
  if (name === undefined) throw internalError('endpoint without a node')
  return (lookup(registry, '', 'pods', info.namespace, name)?.object as Pod | undefined)?.spec?.nodeName
}
