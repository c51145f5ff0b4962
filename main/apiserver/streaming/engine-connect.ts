// Subresources the engine brings along (a machine's console, a lab's import): routed and authorized here, carried out there.
import { badRequest, methodNotAllowed, notFound } from '../../../common/machinery/status.ts'
import type { ConnectRequest, ConnectSubresource } from '../apiserver.ts'
import { frameChannel } from '../../../common/channel/agent-api.ts'
import { toStatusError } from '../registry/store-errors.ts'
import { readStored } from '../registry/context.ts'
import type { Connect, ConnectCall } from './connect-table.ts'
import { chooseChannelProtocol } from './remote-command.ts'
import { acceptWebSocket, isWebSocket, webSocketChannels } from './websocket.ts'

export function engineConnect(definition: ConnectSubresource): Connect {
  const { group, subresource, methods } = definition
  return {
    info: {
      name: subresource,
      group,
      version: '',
      kind: '',
      verbs: methods.map((method) => (method === 'GET' ? 'get' : 'create')),
    },
    async serve(call) {
      const { req, res, resource } = call
      if (definition.onRequest === undefined) throw badRequest('Upgrade request required')
      if (!methods.some((method) => method === req.method))
        throw methodNotAllowed(resource.name, (req.method ?? '').toLowerCase())
      const cancel = new AbortController()
      res.on('close', () => {
        cancel.abort()
      })
      await definition.onRequest(requestOf(call, cancel.signal), req, res)
    },
    async upgrade(call, upgrade) {
      if (definition.onStream === undefined || !isWebSocket(upgrade.req))
        throw badRequest('this subresource is not a WebSocket stream')
      const cancel = new AbortController()
      const request = requestOf(call, cancel.signal)
      const webSocket = await acceptWebSocket(upgrade, chooseChannelProtocol(upgrade.req))
      webSocket.on('close', () => {
        cancel.abort()
      })
      const channels = webSocketChannels(webSocket)
      try {
        await definition.onStream(request, channels)
      } catch (error) {
        // The connection speaks WebSocket by now: the failure goes where a command's exit status goes.
        const { status } = toStatusError(error)
        await channels.send(frameChannel.error, Buffer.from(JSON.stringify(status))).catch(() => undefined)
        channels.close(1011, status.message)
      }
    },
  }
}

/** Throws 404 when the object does not exist. */
function requestOf({ info, query, user, resource, registry }: ConnectCall, signal: AbortSignal): ConnectRequest {
  if (readStored(registry, resource, info.namespace, info.name) === undefined) throw notFound(resource.name, info.name)
  return { user, ...(info.namespace === '' ? {} : { namespace: info.namespace }), name: info.name, query, signal }
}
