// Signing in to the window: the command prints a link with a one-time token; opening it trades the token for a session cookie.
// The cookie is HttpOnly and SameSite=Strict and counts only for requests of the same origin.
import { createHash, randomBytes } from 'node:crypto'
import type { HttpRequest, UserInfo } from '../../apiserver/apiserver.ts'

const cookieName = 'orrery-session'
/** Long enough to copy a link between windows, short enough that a leaked terminal log is worthless. */
const tokenLifeMs = 10 * 60 * 1000
const sessionLifeMs = 7 * 24 * 3600 * 1000

const digest = (value: string): string => createHash('sha256').update(value).digest('base64url')

export class WindowSessions {
  readonly #tokens = new Map<string, number>()
  readonly #sessions = new Map<string, number>()
  readonly #now: () => number
  readonly #user: UserInfo
  /** Digests only; called on change so that sessions outlive an engine restart. */
  readonly #save: (sessions: Record<string, number>) => void

  constructor(options: {
    user: UserInfo
    now: () => number
    saved: Record<string, number>
    save: (sessions: Record<string, number>) => void
  }) {
    this.#user = options.user
    this.#now = options.now
    this.#save = options.save
    for (const [key, expires] of Object.entries(options.saved))
      if (expires > this.#now()) this.#sessions.set(key, expires)
  }

  /** A new one-time sign-in token. */
  issueToken(): string {
    const now = this.#now()
    for (const [key, expires] of this.#tokens) if (expires <= now) this.#tokens.delete(key)
    const token = randomBytes(24).toString('base64url')
    this.#tokens.set(digest(token), now + tokenLifeMs)
    return token
  }

  /** The Set-Cookie value for a valid token, which is spent by this; undefined for any other. */
  redeem(token: string): string | undefined {
    const key = digest(token)
    const expires = this.#tokens.get(key)
    this.#tokens.delete(key)
    if (expires === undefined || expires <= this.#now()) return undefined
    const session = randomBytes(32).toString('base64url')
    this.#sessions.set(digest(session), this.#now() + sessionLifeMs)
    this.#save(Object.fromEntries(this.#sessions))
    return `${cookieName}=${session}; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=${String(sessionLifeMs / 1000)}`
  }

  /** The user of a request with a live session cookie. A request that names another origin is nobody's. */
  authenticate(req: HttpRequest): UserInfo | undefined {
    const cookies = req.headers.cookie
    if (cookies === undefined) return undefined
    const host = (req.headers[':authority'] as string | undefined) ?? req.headers.host
    const origin = req.headers.origin
    if (origin !== undefined && origin !== `https://${host ?? ''}`) return undefined
    for (const part of cookies.split(';')) {
      const [name, value] = part.trim().split('=', 2)
      if (name !== cookieName || value === undefined) continue
      const expires = this.#sessions.get(digest(value))
      if (expires !== undefined && expires > this.#now()) return this.#user
    }
    return undefined
  }
}
