// A server that decides for this one (webhooks of authentication and authorization), as a kubeconfig file describes it.
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

export interface RemoteEndpoint {
  readonly url: string
  /** PEM. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** What the Authorization header says. */
  readonly authorization?: string
  readonly insecure?: boolean
  readonly serverName?: string
}

/** Answers are small: what is longer is none. */
const maxAnswerBytes = 1024 * 1024
const retryMs = 500
const attempts = 3

export class RemoteClient {
  readonly #endpoint: RemoteEndpoint
  readonly #agent: HttpAgent | HttpsAgent

  constructor(endpoint: RemoteEndpoint) {
    this.#endpoint = endpoint
    const { url, ca, cert, key, insecure, serverName } = endpoint
    this.#agent = url.startsWith('http:')
      ? new HttpAgent({ keepAlive: true })
      : new HttpsAgent({
          keepAlive: true,
          rejectUnauthorized: insecure !== true,
          ...(ca === undefined ? {} : { ca }),
          ...(cert === undefined ? {} : { cert }),
          ...(key === undefined ? {} : { key }),
          ...(serverName === undefined ? {} : { servername: serverName }),
        })
  }

  close(): void {
    this.#agent.destroy()
  }

  /** The JSON of the answer; rejects with an Error that says what went wrong after all attempts. */
  async post(body: object, timeoutMs: number): Promise<unknown> {
    return JSON.parse(await this.send(JSON.stringify(body), timeoutMs))
  }

  /** Of JSON; resolves with the text of the answer. */
  async send(payload: string, timeoutMs: number): Promise<string> {
    const signal = AbortSignal.timeout(timeoutMs)
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#send(payload, signal)
      } catch (error) {
        if (signal.aborted) throw new Error(`Post "${this.#endpoint.url}": context deadline exceeded`, { cause: error })
        if (attempt >= attempts || !(error instanceof Unreachable)) throw error
        await new Promise((resolve) => setTimeout(resolve, retryMs).unref())
      }
    }
  }

  #send(payload: string, signal: AbortSignal): Promise<string> {
    const { url, authorization } = this.#endpoint
    const request = url.startsWith('http:') ? httpRequest : httpsRequest
    return new Promise((resolve, reject) => {
      const req = request(url, {
        method: 'POST',
        agent: this.#agent,
        signal,
        headers: {
          accept: 'application/json',
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(payload)),
          ...(authorization === undefined ? {} : { authorization }),
        },
      })
      req.on('error', (error) => {
        reject(new Unreachable(`Post "${url}": ${error.message}`, { cause: error }))
      })
      req.on('response', (res) => {
        read(res).then(resolve, reject)
      })
      req.end(payload)
    })
  }
}

/** No answer, or one that says to come again. */
class Unreachable extends Error {}

async function read(res: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of res as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxAnswerBytes) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  const { statusCode: code = 0 } = res
  if (code >= 500 || code === 429) throw new Unreachable(`the server answered ${String(code)}: ${text.slice(0, 200)}`)
  if (code < 200 || code > 299) throw new Error(`the server answered ${String(code)}: ${text.slice(0, 200)}`)
  return text
}
