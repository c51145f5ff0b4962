// The in-process road to extension API servers: controllers (garbage collection, namespaces, quotas, autoscalers) see what they serve
// as they see everything else.
import type { IncomingMessage } from 'node:http'
import type { ApiRequest, Transport } from '../../../common/client/transport.ts'
import {
  decodeBody,
  decodeFailure,
  decodeWatchLine,
  type EncodedRequest,
  encodeRequest,
  LineSplitter,
} from '../../../common/client/wire.ts'
import type { KubeObject, WatchEvent } from '../../../common/machinery/meta.ts'
import type { UserInfo } from '../apiserver.ts'
import { answerTo, type ExtensionConnections } from './extension-connections.ts'
import type { ExtensionVersion } from './extension-version.ts'
import { identityHeaders, unreachable } from './forward.ts'

/** An extension that hangs must not hold a controller for ever. */
const requestMs = 30_000

export interface ExtensionTransportOptions {
  readonly connections: ExtensionConnections
  /** Whose path it is; throws when that one is not available. */
  readonly require: (path: string) => ExtensionVersion
  readonly user: UserInfo
}

export class ExtensionTransport implements Transport {
  readonly #options: ExtensionTransportOptions

  constructor(options: ExtensionTransportOptions) {
    this.#options = options
  }

  async request<T>(request: ApiRequest): Promise<T> {
    const deadline = AbortSignal.timeout(requestMs)
    const signal = request.signal === undefined ? deadline : AbortSignal.any([request.signal, deadline])
    const response = await this.#send(request.path, encodeRequest(request), signal)
    const text = await textOf(response).catch((error: unknown) => {
      throw unreachable(error)
    })
    return decodeBody<T>(response.headers['content-type'] ?? '', text)
  }

  async *watch<T extends KubeObject>(request: ApiRequest): AsyncGenerator<WatchEvent<T>> {
    const stop = new AbortController()
    const signal = request.signal === undefined ? stop.signal : AbortSignal.any([request.signal, stop.signal])
    try {
      const response = await this.#send(request.path, encodeRequest(request, { watch: true }), signal)
      request.onOpen?.()
      const lines = new LineSplitter()
      for await (const chunk of response as AsyncIterable<Buffer>)
        for (const line of lines.push(chunk)) yield decodeWatchLine<T>(line)
    } finally {
      stop.abort()
    }
  }

  async #send(path: string, encoded: EncodedRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const { connections, require, user } = this.#options
    const { method, target, headers, body = '' } = encoded
    let response: IncomingMessage
    try {
      const outgoing = await connections.request(
        require(path).spec,
        {
          method,
          path: target,
          headers: {
            ...headers,
            ...identityHeaders(user),
            'content-length': Buffer.byteLength(body),
            connection: 'close',
          },
        },
        signal,
      )
      outgoing.write(body)
      response = await answerTo(outgoing)
    } catch (error) {
      signal.throwIfAborted()
      throw unreachable(error)
    }
    const { statusCode = 502 } = response
    if (statusCode < 200 || statusCode > 299) throw decodeFailure(statusCode, await textOf(response).catch(() => ''))
    return response
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
