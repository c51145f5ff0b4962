// What is said in HTTP before anything is looked at: which web pages may use this API (CORS), that it is only spoken to over TLS
// (HSTS), and now and then that a client should connect anew (so that several servers share the clients).
import type { ApiServerOptions, HttpRequest, HttpResponse } from '../apiserver.ts'
import { endWith } from './respond.ts'

const corsMethods = 'POST, GET, OPTIONS, PUT, DELETE, PATCH'
const corsHeaders =
  'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since'

export class HttpPolicy {
  readonly #origins: readonly RegExp[]
  readonly #transportSecurity: string
  readonly #goawayChance: number

  constructor({
    corsAllowedOrigins = [],
    strictTransportSecurity = [],
    goawayChance = 0,
  }: ApiServerOptions['http'] = {}) {
    this.#origins = corsAllowedOrigins.map((pattern) => new RegExp(pattern))
    this.#transportSecurity = strictTransportSecurity.join('; ')
    this.#goawayChance = goawayChance
  }

  /** Whether web pages of the origin were let in by name. */
  allows(origin: string): boolean {
    return this.#origins.some((pattern) => pattern.test(origin))
  }

  /** True when that was the whole answer. */
  begin(req: HttpRequest, res: HttpResponse): boolean {
    if (this.#transportSecurity !== '') res.setHeader('strict-transport-security', this.#transportSecurity)
    if (this.#goawayChance > 0 && 'stream' in req && Math.random() < this.#goawayChance) req.stream.session?.close()
    const { origin } = req.headers
    if (this.#origins.length === 0 || origin === undefined || !this.allows(origin)) return false
    res.setHeader('access-control-allow-origin', origin)
    res.setHeader('access-control-allow-methods', corsMethods)
    res.setHeader('access-control-allow-headers', corsHeaders)
    res.setHeader('access-control-expose-headers', 'Date')
    res.setHeader('access-control-allow-credentials', 'true')
    if (req.method !== 'OPTIONS') return false
    res.statusCode = 204
    endWith(res, '')
    return true
  }
}
