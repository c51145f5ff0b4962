// Connections to extension API servers. This server comes as the front proxy it is: with a client certificate of the proxies' own
// authority, so that the extension believes the user named in the headers.
import { request as httpRequest, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import type { ConnectionOptions } from 'node:tls'
import type { APIService } from '../../../common/api/generated/types.ts'
import type { NodeConnections } from '../../channel/node-connections.ts'
import type { ApiServerOptions } from '../apiserver.ts'
import type { Registry } from '../registry/context.ts'
import { dialService } from '../webhooks/dial-service.ts'

type Spec = NonNullable<APIService['spec']>

type FrontProxyIdentity = NonNullable<ApiServerOptions['aggregation']>['identity']

const checkMs = 5_000
const maxDocumentBytes = 8 << 20

export class ExtensionConnections {
  readonly #registry: Registry
  readonly #nodes: NodeConnections
  readonly #identity: FrontProxyIdentity | undefined

  constructor(options: {
    readonly registry: Registry
    readonly nodes: NodeConnections
    readonly identity: FrontProxyIdentity | undefined
  }) {
    this.#registry = options.registry
    this.#nodes = options.nodes
    this.#identity = options.identity
  }

  /** A request to be ended by the caller. Rejects with an Error that says why the Service cannot be reached. */
  async request(
    spec: Spec,
    outgoing: { readonly method: string; readonly path: string; readonly headers: OutgoingHttpHeaders },
    signal: AbortSignal,
  ): Promise<ClientRequest> {
    const { namespace = '', name = '', port = 443 } = spec.service ?? {}
    const socket = await dialService({
      registry: this.#registry,
      nodes: this.#nodes,
      service: { namespace, name, port },
      tls: this.#tls(spec),
      signal,
    })
    signal.addEventListener('abort', () => socket.destroy(), { once: true })
    return httpRequest({
      ...outgoing,
      createConnection: () => socket,
      setHost: false,
      headers: { ...outgoing.headers, host: `${name}.${namespace}.svc:${String(port)}` },
    })
  }

  /** A document of the extension, asked for as this server itself. */
  async getJson(spec: Spec, path: string): Promise<unknown> {
    const signal = AbortSignal.timeout(checkMs)
    const headers = {
      accept: 'application/json',
      connection: 'close',
      'x-remote-user': 'system:kube-aggregator',
      'x-remote-group': 'system:masters',
    }
    const request = await this.request(spec, { method: 'GET', path, headers }, signal)
    const response = await answerTo(request)
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxDocumentBytes) throw new Error('its answer is too long')
      chunks.push(chunk)
    }
    if (response.statusCode !== 200) throw new Error(`bad status from https: ${String(response.statusCode)}`)
    return JSON.parse(Buffer.concat(chunks).toString())
  }

  #tls({ caBundle = '', insecureSkipTLSVerify }: Spec): ConnectionOptions {
    return {
      ...(caBundle === '' ? {} : { ca: Buffer.from(caBundle, 'base64').toString() }),
      ...(insecureSkipTLSVerify === true ? { rejectUnauthorized: false } : {}),
      ...this.#identity,
    }
  }
}

/** Ends the request. */
export function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve)
    request.on('error', reject)
    request.end()
  })
}
