// One request on an HTTP/2 session to an agent, as {status, headers, stream}.
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2'
import { serviceUnavailable } from '../../common/machinery/status.ts'
import type { NodeRequest, NodeResponse } from './node-connections.ts'

export function queryString(query: NodeRequest['query'] = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const item of Array.isArray(value) ? (value as readonly string[]) : [value as string | number | boolean])
      search.append(name, String(item))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

/** Resolves on response headers. The signal aborts the wait and, later, the stream. */
export function requestOverSession(session: ClientHttp2Session, request: NodeRequest): Promise<NodeResponse> {
  return new Promise((resolve, reject) => {
    if (session.destroyed || session.closed) {
      reject(serviceUnavailable('the connection to the node just ended; try again'))
      return
    }
    const stream: ClientHttp2Stream = session.request(
      { ':method': request.method, ':path': `${request.path}${queryString(request.query)}` },
      { endStream: request.method === 'GET', ...(request.signal ? { signal: request.signal } : {}) },
    )
    let answered = false
    stream.once('response', (headers: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
      answered = true
      resolve({ status: headers[':status'] ?? 502, headers, stream })
    })
    stream.on('error', (error: Error) => {
      if (!answered)
        reject(
          error.name === 'AbortError' ? error : serviceUnavailable(`the request to the node failed: ${error.message}`),
        )
    })
    stream.once('close', () => {
      if (!answered) reject(serviceUnavailable('the connection to the node ended before it answered'))
    })
  })
}
