// Carries one request to an extension API server, as the user who was authenticated and authorized here, and its answer back: bodies
// and watches as they flow, upgrades (exec, consoles) as raw bytes.
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { serviceUnavailable } from '../../../common/machinery/status.ts'
import type { HttpRequest, HttpResponse, UserInfo } from '../apiserver.ts'
import { endWith, writeHead } from '../chain/respond.ts'
import type { Upgrade } from '../streaming/upgrade.ts'
import { writeDrained } from '../streaming/write-drained.ts'
import type { ExtensionConnections } from './extension-connections.ts'
import type { ExtensionVersion } from './extension-version.ts'

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
])
/** Who the user is, is said by this server alone. */
const identity = /^(authorization|cookie|x-remote-.*|impersonate-.*)$/

function headersFor(req: HttpRequest, user: UserInfo): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(req.headers))
    if (value !== undefined && !name.startsWith(':') && !hopByHop.has(name) && !identity.test(name))
      headers[name] = value
  Object.assign(headers, identityHeaders(user))
  const from = req.socket.remoteAddress
  if (from !== undefined) headers['x-forwarded-for'] = from
  return headers
}

/** The user, as extensions are told. */
export function identityHeaders(user: UserInfo): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'x-remote-user': user.name, 'x-remote-group': [...user.groups] }
  if (user.uid !== undefined && user.uid !== '') headers['x-remote-uid'] = user.uid
  for (const [key, values] of Object.entries(user.extra ?? {}))
    headers[`x-remote-extra-${encodeURIComponent(key).toLowerCase()}`] = [...values]
  return headers
}

export const unreachable = (error: unknown): Error =>
  serviceUnavailable(`error trying to reach service: ${error instanceof Error ? error.message : String(error)}`)

export async function forwardRequest(
  connections: ExtensionConnections,
  target: ExtensionVersion,
  exchange: { readonly req: HttpRequest; readonly res: HttpResponse; readonly user: UserInfo },
): Promise<void> {
  const { req, res, user } = exchange
  const gone = new AbortController()
  res.on('close', () => {
    gone.abort()
  })
  let response: IncomingMessage
  try {
    const outgoing = await connections.request(
      target.spec,
      { method: req.method ?? 'GET', path: req.url ?? '/', headers: { ...headersFor(req, user), connection: 'close' } },
      gone.signal,
    )
    response = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on('response', resolve)
      outgoing.on('error', reject)
      req.pipe(outgoing)
    })
  } catch (error) {
    throw unreachable(error)
  }
  const kept: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(response.headers))
    if (value !== undefined && !hopByHop.has(name)) kept[name] = value
  writeHead(res, response.statusCode ?? 502, kept)
  if ('flushHeaders' in res) res.flushHeaders()
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) await writeDrained(res, chunk)
    endWith(res, '')
  } catch {
    response.destroy()
    res.destroy()
  }
}

export async function forwardUpgrade(
  connections: ExtensionConnections,
  target: ExtensionVersion,
  { req, socket, head }: Upgrade,
  user: UserInfo,
): Promise<void> {
  const gone = new AbortController()
  socket.on('close', () => {
    gone.abort()
  })
  const headers = { ...headersFor(req, user), connection: 'Upgrade', upgrade: req.headers.upgrade }
  try {
    const path = req.url ?? '/'
    const outgoing = await connections.request(target.spec, { method: req.method ?? 'GET', path, headers }, gone.signal)
    await new Promise<void>((resolve, reject) => {
      outgoing.on('error', reject)
      outgoing.on('response', (response: IncomingMessage) => {
        socket.write(responseHead(response))
        response.pipe(socket)
        resolve()
      })
      outgoing.on('upgrade', (response, upstream, upstreamHead) => {
        socket.write(responseHead(response))
        if (upstreamHead.length > 0) socket.write(upstreamHead)
        if (head.length > 0) upstream.write(head)
        upstream.on('error', () => socket.destroy())
        upstream.on('close', () => socket.destroy())
        upstream.pipe(socket)
        socket.pipe(upstream)
        resolve()
      })
      outgoing.end()
    })
  } catch (error) {
    throw unreachable(error)
  }
}

function responseHead({ statusCode = 502, statusMessage = '', rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${String(statusCode)} ${statusMessage}`]
  for (let index = 0; index + 1 < rawHeaders.length; index += 2)
    lines.push(`${rawHeaders[index] ?? ''}: ${rawHeaders[index + 1] ?? ''}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
