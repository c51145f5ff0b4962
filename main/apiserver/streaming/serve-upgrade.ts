// Upgrade requests (WebSocket, SPDY): the same chain as any request, then the raw socket goes to the subresource.
import { STATUS_CODES } from 'node:http'
import { badRequest, type Status, type StatusError } from '../../../common/machinery/status.ts'
import type { RequestInfo } from '../chain/request-info.ts'
import type { ConnectionUser, RequestHandler, Visit } from '../handler.ts'
import { auditIdOf, notesOf, pageNotFound, requireResource } from '../handler.ts'
import { toStatusError } from '../registry/store-errors.ts'
import type { ServerParts } from '../server-parts.ts'
import { admitConnect } from './connect-options.ts'
import type { Upgrade } from './upgrade.ts'

export async function serveUpgrade(
  handler: RequestHandler,
  parts: ServerParts,
  upgrade: Upgrade,
  connection: ConnectionUser | undefined,
): Promise<void> {
  const { req, socket } = upgrade
  socket.on('error', () => undefined)
  const started = performance.now()
  let code = 101
  const visit: Visit = { record: undefined, place: undefined, resource: undefined, subresource: '' }
  let failure: Status | undefined
  let info: RequestInfo | undefined
  try {
    if (connection === undefined) parts.hosts.check(req)
    const parsed = handler.parse(req)
    info = parsed.info
    const { query } = parsed
    const user = await handler.identify(req, auditIdOf(req), { info, visit, connection })
    await handler.authorize(user, parsed, visit)
    if (parts.extensions.owns(parsed.path)) {
      visit.record?.started(code)
      await parts.extensions.upgrade(parsed.path, upgrade, user)
      return
    }
    if (!info.isResource) throw badRequest('this path cannot be upgraded')
    const resource = requireResource(parts, info)
    const connect = info.subresource === '' ? undefined : parts.connects.find(resource, info.subresource)
    if (connect === undefined) throw pageNotFound()
    if (connect.upgrade === undefined) throw badRequest('this subresource is not a stream')
    visit.resource = resource
    visit.subresource = info.subresource
    const call = { info, query, user, resource, registry: parts.registry }
    // Nobody reads warnings of a connection that becomes a stream.
    const admitted = await admitConnect(call, connect, notesOf({ warnings: [] }, visit.record))
    visit.record?.started(code)
    visit.endLong = parts.requests.begin({ info, ...visit, isStream: true })
    await connect.upgrade(admitted, upgrade)
  } catch (error) {
    const status = toStatusError(error)
    code = status.code
    failure = status.status
    refuseUpgrade(upgrade, status)
  } finally {
    visit.record?.complete(code, failure)
    visit.endLong?.()
    parts.requests.observe({
      info,
      code,
      ms: performance.now() - started,
      bytes: undefined,
      ...visit,
      isStream: true,
    })
  }
}

/** Answers on the raw socket; nothing may have been written to it yet. */
export function refuseUpgrade({ socket }: Upgrade, error: StatusError): void {
  if (!socket.writable) return
  const body = JSON.stringify(error.status)
  const head = `HTTP/1.1 ${String(error.code)} ${STATUS_CODES[error.code] ?? 'Error'}`
  socket.end(
    `${head}\r\nContent-Type: application/json\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\nConnection: close\r\n\r\n${body}`,
  )
}
