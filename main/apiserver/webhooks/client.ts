// POSTs a review to a webhook over HTTPS and reads its answer, within its time. Errors read as upstream's.
import { Agent, request as httpsRequest } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { NodeConnections } from '../../channel/node-connections.ts'
import type { Registry } from '../registry/context.ts'
import { dialService } from './dial-service.ts'

export interface ClientConfig {
  readonly url?: string
  readonly service?: {
    readonly namespace: string
    readonly name: string
    readonly path?: string
    readonly port?: number
  }
  /** PEM, base64. */
  readonly caBundle?: string
}

/** Who this server is to the program it asks. */
export interface Identity {
  /** PEM. */
  readonly cert?: string
  readonly key?: string
  /** What the Authorization header says. */
  readonly authorization?: string
}

export interface WebhookCall {
  readonly config: ClientConfig
  readonly identity?: Identity | undefined
  readonly timeoutSeconds: number
  readonly body: object
}

/** Answers are reviews; patches may be as long as objects. */
const maxAnswerBytes = 4 * 1024 * 1024

export class WebhookClient {
  readonly #registry: () => Registry
  readonly #nodes: NodeConnections
  /** Connections stay open between calls; one agent per certificate bundle and identity. */
  readonly #agents = new Map<string, Agent>()

  constructor(options: { readonly registry: () => Registry; readonly nodes: NodeConnections }) {
    this.#registry = options.registry
    this.#nodes = options.nodes
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy()
    this.#agents.clear()
  }

  /** The answer's JSON. Rejects with an Error whose message follows "failed calling webhook …: ". */
  async post({ config, identity = {}, timeoutSeconds, body }: WebhookCall): Promise<unknown> {
    const { service } = config
    const url =
      service === undefined
        ? new URL(config.url ?? '')
        : new URL(
            `https://${service.name}.${service.namespace}.svc:${String(service.port ?? 443)}${service.path ?? '/'}`,
          )
    url.searchParams.set('timeout', `${String(timeoutSeconds)}s`)
    const deadline = AbortSignal.timeout(timeoutSeconds * 1000)
    let answer: { status: number; text: string }
    try {
      const tls = { ...authorityOf(config.caBundle), ...certificateOf(identity) }
      const socket = service === undefined ? undefined : await this.#dial(service, tls, deadline)
      answer = await send({
        url,
        body: JSON.stringify(body),
        signal: deadline,
        socket,
        agent: this.#agentOf(tls),
        authorization: identity.authorization,
      })
    } catch (error) {
      const why = deadline.aborted ? 'context deadline exceeded' : describe(error)
      throw new Error(`failed to call webhook: Post "${shown(url, service?.port ?? 443)}": ${why}`, { cause: error })
    }
    if (answer.status < 200 || answer.status > 299) throw new Error(`failed to call webhook: ${refusal(answer)}`)
    try {
      return JSON.parse(answer.text)
    } catch (error) {
      throw new Error(`failed to call webhook: couldn't get version/kind; json parse error: ${describe(error)}`, {
        cause: error,
      })
    }
  }

  #dial(service: NonNullable<ClientConfig['service']>, tls: TrustAndIdentity, signal: AbortSignal): Promise<Duplex> {
    const { namespace, name, port = 443 } = service
    const target = { registry: this.#registry(), nodes: this.#nodes, service: { namespace, name, port } }
    return dialService({ ...target, tls, signal })
  }

  #agentOf(tls: TrustAndIdentity): Agent {
    const key = `${tls.ca ?? ''}${tls.cert ?? ''}`
    let agent = this.#agents.get(key)
    if (agent === undefined) {
      agent = new Agent({ keepAlive: true, maxFreeSockets: 8, timeout: 60_000, ...tls })
      this.#agents.set(key, agent)
    }
    return agent
  }
}

/** Go names the port of a service even where it is the usual one. */
const shown = (url: URL, port: number): string =>
  url.hostname.endsWith('.svc') ? `https://${url.hostname}:${String(port)}${url.pathname}${url.search}` : url.href

interface TrustAndIdentity {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

const certificateOf = ({ cert, key }: Identity): { cert: string; key: string } | undefined =>
  cert === undefined || key === undefined ? undefined : { cert, key }

const authorityOf = (caBundle = ''): { ca?: string } =>
  caBundle === '' ? {} : { ca: Buffer.from(caBundle, 'base64').toString() }

function send(options: {
  readonly url: URL
  readonly body: string
  readonly signal: AbortSignal
  readonly socket: Duplex | undefined
  readonly agent: Agent
  readonly authorization: string | undefined
}): Promise<{ status: number; text: string }> {
  const { url, body, signal, socket, agent, authorization } = options
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(url, {
      method: 'POST',
      signal,
      ...(socket === undefined ? { agent } : { createConnection: () => socket }),
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, */*',
        'user-agent': 'kube-apiserver-admission',
        'content-length': Buffer.byteLength(body),
        ...(authorization === undefined ? {} : { authorization }),
      },
    })
    outgoing.on('error', reject)
    outgoing.on('response', (response: IncomingMessage) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxAnswerBytes) response.destroy(new Error('answer is too long'))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => {
        socket?.destroy()
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() })
      })
    })
    outgoing.end(body)
  })
}

const codes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ECONNRESET: 'EOF',
}

/** Go's words for what happened to a connection. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const {
    code = '',
    address,
    port,
    hostname,
  } = error as NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string }
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${hostname ?? ''}: no such host`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `tls: failed to verify certificate: x509: certificate is not valid for this name`
  if (/^(?:DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_|CERT_)/.test(code))
    return 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
  const words = codes[code]
  if (words === undefined) return error.message
  return address === undefined ? words : `dial tcp ${address}:${String(port ?? '')}: ${words}`
}

function refusal({ status, text }: { status: number; text: string }): string {
  switch (status) {
    case 400:
      return 'the server rejected our request for an unknown reason'
    case 401:
      return 'the server has asked for the client to provide credentials'
    case 403:
      return 'forbidden'
    case 404:
      return 'the server could not find the requested resource'
    default:
      return status >= 500
        ? `an error on the server (${JSON.stringify(text.slice(0, 2048))}) has prevented the request from succeeding`
        : `the server responded with the status code ${String(status)} but did not return more information`
  }
}
