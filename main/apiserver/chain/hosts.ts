// Against browsers being used by strange pages: the Host header must name this server (DNS rebinding) and an Origin, which only
// browsers send, must be one of our own (cross-site requests and WebSockets carrying the window's cookie).
import { isIP } from 'node:net'
import { StatusError } from '../../../common/machinery/status.ts'
import type { HttpRequest } from '../apiserver.ts'

const always = ['127.0.0.1', 'localhost', '::1', '[::1]']

export class HostGuard {
  readonly #allowed: ReadonlySet<string>

  readonly #allowsOrigin: (origin: string) => boolean

  /** `allowsOrigin`: pages from elsewhere that were let in by name. */
  constructor(allowedHosts: readonly string[], allowsOrigin: (origin: string) => boolean = () => false) {
    this.#allowsOrigin = allowsOrigin
    this.#allowed = new Set([...always, ...allowedHosts.map((host) => host.toLowerCase())])
  }

  /** Throws 421 or 403. */
  check(req: HttpRequest): void {
    const authority = req.headers[':authority'] ?? req.headers.host
    if (typeof authority === 'string' && authority !== '' && !this.#isOurs(hostOf(authority))) {
      throw new StatusError({
        code: 421,
        reason: 'BadRequest',
        message: `this server does not answer for host ${JSON.stringify(authority)}`,
      })
    }
    const { origin } = req.headers
    if (origin === undefined || this.#allowsOrigin(origin)) return
    let host: string | undefined
    let secure = false
    try {
      const url = new URL(origin)
      host = url.host
      secure = url.protocol === 'https:'
    } catch {
      host = undefined
    }
    // Same origin exactly, port included: another server on this machine is a stranger too.
    if (host !== undefined && secure && typeof authority === 'string' && host.toLowerCase() === authority.toLowerCase())
      return
    throw new StatusError({
      code: 403,
      reason: 'Forbidden',
      message: `requests from origin ${JSON.stringify(origin)} are not allowed`,
    })
  }

  /** A page of a strange name cannot make a browser send an address as Host. */
  #isOurs(host: string): boolean {
    return this.#allowed.has(host) || isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0
  }
}

function hostOf(authority: string): string {
  const lower = authority.toLowerCase()
  if (lower.startsWith('[')) return lower.slice(0, lower.indexOf(']') + 1)
  const colon = lower.indexOf(':')
  return colon < 0 ? lower : lower.slice(0, colon)
}
