// The public keys of an issuer of tokens, found as OpenID Connect Discovery says and fetched again when a token names an unknown one.
import { Agent, request } from 'node:https'
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'

export interface IssuerOptions {
  /** What tokens say in "iss". */
  readonly url: string
  /** Where the discovery document is, if not at the issuer. */
  readonly discoveryUrl?: string
  /** PEM; the system's authorities when absent. */
  readonly ca?: string
}

const timeoutMs = 10_000
const maxDocumentBytes = 1024 * 1024
/** Unknown keys must not make this server hammer the issuer. */
const refetchMs = 10_000

interface FoundKeys {
  readonly find: ReturnType<typeof createLocalJWKSet>
  readonly at: number
}

export class IssuerKeys {
  readonly #options: IssuerOptions
  readonly #now: () => number
  readonly #agent: Agent
  #keys: FoundKeys | undefined
  #fetching: Promise<FoundKeys> | undefined

  /** `now`: milliseconds. */
  constructor(options: IssuerOptions, now: () => number) {
    this.#options = options
    this.#now = now
    this.#agent = new Agent(options.ca === undefined ? {} : { ca: options.ca })
  }

  close(): void {
    this.#agent.destroy()
  }

  readonly find: JWTVerifyGetKey = async (header, token) => {
    const known = this.#keys ?? (await this.#fetch())
    try {
      return await known.find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || known.at + refetchMs > this.#now()) throw error
      return (await this.#fetch()).find(header, token)
    }
  }

  #fetch(): Promise<FoundKeys> {
    this.#fetching ??= this.#discover().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #discover(): Promise<FoundKeys> {
    const { url, discoveryUrl = `${url.replace(/\/$/, '')}/.well-known/openid-configuration` } = this.#options
    const { issuer, jwks_uri: keysUrl } = (await this.#get(discoveryUrl)) as { issuer?: string; jwks_uri?: string }
    if (issuer !== url)
      throw new Error(
        `oidc: issuer did not match the issuer returned by provider, expected "${url}" got "${String(issuer)}"`,
      )
    const keys = (await this.#get(keysUrl ?? '')) as JSONWebKeySet
    this.#keys = { find: createLocalJWKSet(keys), at: this.#now() }
    return this.#keys
  }

  #get(url: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const req = request(url, { agent: this.#agent, signal: AbortSignal.timeout(timeoutMs) }, (res) => {
        const chunks: Buffer[] = []
        let size = 0
        res.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > maxDocumentBytes) res.destroy(new Error('the document is too long'))
          else chunks.push(chunk)
        })
        res.on('error', reject)
        res.on('end', () => {
          if (res.statusCode !== 200) {
            reject(new Error(`${url} answered ${String(res.statusCode)}`))
            return
          }
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')))
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)))
          }
        })
      })
      req.on('error', reject)
      req.end()
    })
  }
}
