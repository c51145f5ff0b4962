// The kubelet-style API of the agent (common/channel/agent-api.ts): one route a line, each handled in its own file.
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { agentPaths } from '../../../common/channel/agent-api.ts'
import { badRequest, notFound, StatusError } from '../../../common/machinery/status.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { answerError, answerText } from './respond.ts'

export interface AgentRequest {
  readonly stream: ServerHttp2Stream
  /** Decoded path segments after the route's own. */
  readonly segments: readonly string[]
  readonly query: URLSearchParams
}

export type Handler = (request: AgentRequest) => Promise<void> | void

export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Names of the segments that must follow, for the message when one is missing. */
  readonly segments: readonly string[]
  readonly handler: Handler
}

export function createRouter(routes: readonly Route[], logger: Logger) {
  return (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
    stream.on('error', (error) => {
      logger.debug('request stream failed', { error: error.message })
    })
    void dispatch(routes, stream, headers).catch((error: unknown) => {
      if (!(error instanceof StatusError))
        logger.warn('a request failed', { path: headers[':path'], error: String(error) })
      answerError(stream, error)
    })
  }
}

async function dispatch(
  routes: readonly Route[],
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): Promise<void> {
  const [path = '', search = ''] = (headers[':path'] ?? '/').split('?', 2)
  if (path === agentPaths.health) {
    answerText(stream, 200, 'ok')
    return
  }
  const route = routes.find((candidate) => path === candidate.path || path.startsWith(`${candidate.path}/`))
  if (route === undefined) throw notFound({ group: '', resource: 'paths' }, path)
  if (headers[':method'] !== route.method)
    throw new StatusError({ code: 405, reason: 'MethodNotAllowed', message: `${route.path} takes ${route.method}` })
  const segments = decodeSegments(path.slice(route.path.length))
  if (segments.length !== route.segments.length)
    throw badRequest(`${route.path} needs /{${route.segments.join('}/{')}}`)
  await route.handler({ stream, segments, query: new URLSearchParams(search) })
}

function decodeSegments(path: string): string[] {
  try {
    return path
      .split('/')
      .filter((part) => part !== '')
      .map((part) => decodeURIComponent(part))
  } catch {
    throw badRequest('the path is not URL-encoded correctly')
  }
}
