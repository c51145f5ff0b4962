// The browser's road to the API: fetch, cookies of the same origin, JSON watch streams.
import type { KubeObject, WatchEvent } from '../machinery/meta.ts'
import type { ApiRequest, Transport } from './transport.ts'
import { ConnectionError } from './transport.ts'
import type { EncodedRequest } from './wire.ts'
import { LineSplitter, decodeBody, decodeFailure, decodeWatchLine, encodeRequest } from './wire.ts'

/** The part of fetch that is used. */
export type FetchFunction = (url: string, init: FetchInit) => Promise<FetchResponse>
interface FetchInit {
  method: string
  headers: Record<string, string>
  body?: string
  signal?: AbortSignal
  credentials?: 'same-origin' | 'include' | 'omit'
}
interface FetchResponse {
  readonly ok: boolean
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: { getReader(): FetchReader } | null
  text(): Promise<string>
}
interface FetchReader {
  read(): Promise<{ done: boolean; value?: Uint8Array }>
  cancel(reason?: unknown): Promise<void>
}

export interface FetchTransportOptions {
  /** Origin (and path prefix) before "/api…"; "" is the page's own origin. */
  baseUrl?: string
  /** Sent with every request, for example a bearer token. */
  headers?: Readonly<Record<string, string>>
  credentials?: 'same-origin' | 'include' | 'omit'
  fetch?: FetchFunction
  /** Told of every answer's status code and of 0 for "not reachable": lets a page notice that its session ended. */
  onAnswer?: (code: number) => void
}

export function createFetchTransport(options: FetchTransportOptions = {}): Transport {
  const { baseUrl = '', headers = {}, credentials = 'same-origin', onAnswer } = options
  const doFetch: FetchFunction = options.fetch ?? ((url, init) => fetch(url, init))

  async function send(encoded: EncodedRequest, signal: AbortSignal | undefined): Promise<FetchResponse> {
    let response: FetchResponse
    try {
      response = await doFetch(baseUrl + encoded.target, {
        method: encoded.method,
        headers: { ...headers, ...encoded.headers },
        credentials,
        ...(encoded.body === undefined ? {} : { body: encoded.body }),
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (error) {
      signal?.throwIfAborted()
      onAnswer?.(0)
      throw unreachable(error)
    }
    onAnswer?.(response.status)
    if (!response.ok) throw decodeFailure(response.status, await response.text().catch(() => ''))
    return response
  }

  return {
    async request<T>(request: ApiRequest): Promise<T> {
      const response = await send(encodeRequest(request), request.signal)
      let body: string
      try {
        body = await response.text()
      } catch (error) {
        request.signal?.throwIfAborted()
        throw unreachable(error)
      }
      return decodeBody<T>(response.headers.get('content-type') ?? '', body)
    },

    async *watch<T extends KubeObject>(request: ApiRequest): AsyncGenerator<WatchEvent<T>> {
      const response = await send(encodeRequest(request, { watch: true }), request.signal)
      request.onOpen?.()
      const reader = response.body?.getReader()
      if (reader === undefined) return
      const lines = new LineSplitter()
      try {
        for (;;) {
          const { done, value } = await reader.read().catch((error: unknown) => {
            request.signal?.throwIfAborted()
            throw unreachable(error)
          })
          if (done) return
          if (value === undefined) continue
          for (const line of lines.push(value)) yield decodeWatchLine<T>(line)
        }
      } finally {
        await reader.cancel().catch(() => undefined)
      }
    },
  }
}

function unreachable(cause: unknown): ConnectionError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ConnectionError(`the API server could not be reached: ${why}`, { cause })
}
