// How requests and answers look on the wire, shared by every transport that speaks HTTP (browser fetch, node http2).
import type { Status } from '../machinery/status.ts'
import { StatusError } from '../machinery/status.ts'
import type { KubeObject, WatchEvent } from '../machinery/meta.ts'
import type { ApiRequest } from './transport.ts'
import { ConnectionError } from './transport.ts'

export interface EncodedRequest {
  method: ApiRequest['method']
  /** Path with query string. */
  target: string
  /** Lower-case names. */
  headers: Record<string, string>
  body?: string
}

/** "?a=1&b=true", or "" when every value is undefined. */
export function encodeQuery(query: ApiRequest['query']): string {
  const parts: string[] = []
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}

export function encodeRequest(request: ApiRequest, extraQuery: ApiRequest['query'] = {}): EncodedRequest {
  const headers: Record<string, string> = { accept: request.accept ?? 'application/json' }
  const target = request.path + encodeQuery({ ...request.query, ...extraQuery })
  if (request.body === undefined) return { method: request.method, target, headers }
  headers['content-type'] =
    request.method === 'PATCH' ? (request.patchType ?? 'application/merge-patch+json') : 'application/json'
  return {
    method: request.method,
    target,
    headers,
    body: typeof request.body === 'string' ? request.body : JSON.stringify(request.body),
  }
}

/** The StatusError that a failed answer carries; a body that is no Status (a proxy's page, plain text) becomes one. */
export function decodeFailure(code: number, body: string): StatusError {
  const status = parseStatus(body)
  if (status !== undefined) return new StatusError({ ...status, code: status.code ?? code })
  const text = body.trim().slice(0, 1024)
  return new StatusError({
    code,
    reason: reasonOf(code),
    message: text === '' ? `the server answered with HTTP ${String(code)}` : text,
  })
}

/** Parses a successful body; text that is not JSON (log subresource, /healthz) is handed on as a string. */
export function decodeBody<T>(contentType: string, body: string): T {
  if (body === '') return undefined as T
  if (!contentType.includes('json')) return body as T
  try {
    return JSON.parse(body) as T
  } catch (error) {
    throw new ConnectionError('the answer was cut off or is not JSON', { cause: error })
  }
}

/** One watch event from one line of the stream. Throws the StatusError of an ERROR event. */
export function decodeWatchLine<T extends KubeObject>(line: string): WatchEvent<T> {
  let event: WatchEvent<T> | { type: 'ERROR'; object: Status }
  try {
    event = JSON.parse(line) as typeof event
  } catch (error) {
    throw new ConnectionError('the event stream was cut off in the middle of an event', { cause: error })
  }
  if (event.type !== 'ERROR') return event
  throw new StatusError({ ...event.object, code: event.object.code ?? 500 })
}

/** Cuts a byte stream into its complete lines. */
export class LineSplitter {
  readonly #decoder = new TextDecoder()
  #parts: string[] = []

  push(chunk: Uint8Array): string[] {
    const text = this.#decoder.decode(chunk, { stream: true })
    const pieces = text.split('\n')
    if (pieces.length === 1) {
      if (text !== '') this.#parts.push(text)
      return []
    }
    pieces[0] = this.#parts.join('') + (pieces[0] ?? '')
    const rest = pieces.pop() ?? ''
    this.#parts = rest === '' ? [] : [rest]
    return pieces.filter((line) => line !== '')
  }
}

function parseStatus(body: string): Status | undefined {
  if (!body.startsWith('{')) return undefined
  try {
    const value = JSON.parse(body) as Partial<Status>
    return value.kind === 'Status' ? (value as Status) : undefined
  } catch {
    return undefined
  }
}

function reasonOf(code: number): string {
  switch (code) {
    case 400:
      return 'BadRequest'
    case 401:
      return 'Unauthorized'
    case 403:
      return 'Forbidden'
    case 404:
      return 'NotFound'
    case 409:
      return 'Conflict'
    case 410:
      return 'Expired'
    case 429:
      return 'TooManyRequests'
    case 503:
      return 'ServiceUnavailable'
    case 504:
      return 'Timeout'
    default:
      return code >= 500 ? 'InternalError' : 'Unknown'
  }
}
