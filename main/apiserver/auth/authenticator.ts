// Who asks: the connection's own user (a node's channel), a client certificate, a bearer token, or the window's session.
import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { decodeJwt } from 'jose'
import type { Logger } from '../../../common/machinery/logger.ts'
import { unauthorized } from '../../../common/machinery/status.ts'
import type { HttpRequest, UserInfo } from '../apiserver.ts'
import type { RequestHeaderAuthenticator } from './request-header.ts'
import type { ServiceAccountTokens } from './service-account-tokens.ts'
import type { TokenAuthenticator, TokenUser } from './tokens/token-authenticator.ts'

export const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
const authenticatedGroup = 'system:authenticated'

/** Whether requests without credentials are somebody's; `paths`: only where they ask for one of these. */
export interface AnonymousAccess {
  readonly enabled: boolean
  readonly paths?: readonly string[]
}

export interface AuthenticatorOptions {
  readonly tokens: ReadonlyMap<string, UserInfo>
  readonly serviceAccounts: ServiceAccountTokens
  readonly session: ((req: HttpRequest) => UserInfo | undefined) | undefined
  readonly requestHeader: RequestHeaderAuthenticator | undefined
  readonly anonymous: AnonymousAccess
  /** Asked in order about tokens that are neither static nor of service accounts. */
  readonly others: readonly TokenAuthenticator[]
  readonly logger: Logger
}

export class Authenticator {
  readonly #options: AuthenticatorOptions
  readonly #certificates = new WeakMap<object, UserInfo | 'invalid' | 'none'>()
  readonly #proxies = new WeakMap<object, boolean>()
  readonly #known = new WeakMap<UserInfo, UserInfo>()
  #anonymous: AnonymousAccess
  #others: readonly TokenAuthenticator[]

  constructor(options: AuthenticatorOptions) {
    this.#options = options
    this.#anonymous = options.anonymous
    this.#others = options.others
  }

  /** From now on these are asked about tokens of others. */
  replace({ anonymous: access, others }: Pick<AuthenticatorOptions, 'anonymous' | 'others'>): void {
    const gone = this.#others.filter((each) => !others.includes(each))
    this.#anonymous = access
    this.#others = others
    for (const each of gone) each.close?.()
  }

  close(): void {
    for (const each of this.#others) each.close?.()
  }

  /** Throws 401 for credentials that were given but are wrong. No credentials: anonymous. */
  authenticate(req: HttpRequest): UserInfo | Promise<UserInfo> {
    const { requestHeader } = this.#options
    if (requestHeader !== undefined && this.#isProxy(req)) {
      const user = requestHeader.user(req)
      if (user !== undefined) return this.#complete(user)
    }
    const certificate = this.#fromCertificate(req)
    if (certificate === 'invalid') throw unauthorized()
    if (certificate !== 'none') return certificate
    const token = bearerToken(req)
    if (token !== undefined) return this.authenticateToken(token)
    const user = this.#options.session?.(req)
    if (user !== undefined) return this.#complete(user)
    if (!mayBeAnonymous(this.#anonymous, req)) throw unauthorized()
    return anonymous
  }

  /** Throws 401. */
  authenticateToken(token: string): UserInfo | Promise<UserInfo> {
    const { tokens, serviceAccounts } = this.#options
    const known = tokens.get(token)
    if (known !== undefined) return this.#complete(known)
    if (this.#others.length === 0 || serviceAccounts.hasIssued(token)) return serviceAccounts.verify(token)
    return this.#askOthers(token, serviceAccounts.audiences).then(({ user }) => user)
  }

  /** The user with those of the audiences that the token is good for. Throws 401. */
  async reviewToken(token: string, audiences: readonly string[]): Promise<TokenUser> {
    const { tokens, serviceAccounts } = this.#options
    const own = serviceAccounts.audiences.filter((each) => audiences.includes(each))
    const known = tokens.get(token)
    // A token that names no audience is good for this API alone.
    if (known !== undefined) return { user: this.#complete(known), audiences: own }
    if (this.#others.length > 0 && !serviceAccounts.hasIssued(token)) {
      const found = await this.#askOthers(token, audiences)
      return { user: found.user, audiences: found.audiences ?? own }
    }
    const user = await serviceAccounts.verify(token, audiences)
    const named = audiencesOf(token) ?? serviceAccounts.audiences
    return { user, audiences: named.filter((each) => audiences.includes(each)) }
  }

  async #askOthers(token: string, audiences: readonly string[]): Promise<TokenUser> {
    for (const other of this.#others) {
      try {
        const found = await other.authenticate(token, audiences)
        if (found !== undefined) return { ...found, user: this.#complete(found.user) }
      } catch (error) {
        // Whoever asks is told nothing of it; another one may know the token.
        this.#options.logger.debug('a token was not accepted', { error })
      }
    }
    throw unauthorized()
  }

  #isProxy(req: HttpRequest): boolean {
    const { requestHeader } = this.#options
    if (requestHeader === undefined) return false
    const connection = connectionOf(req)
    let isProxy = this.#proxies.get(connection)
    if (isProxy === undefined) {
      isProxy = requestHeader.isProxy(req.socket as TLSSocket)
      this.#proxies.set(connection, isProxy)
    }
    return isProxy
  }

  #complete(user: UserInfo): UserInfo {
    let completed = this.#known.get(user)
    if (completed === undefined) {
      completed = user.groups.includes(authenticatedGroup)
        ? user
        : { ...user, groups: [...user.groups, authenticatedGroup] }
      this.#known.set(user, completed)
    }
    return completed
  }

  #fromCertificate(req: HttpRequest): UserInfo | 'invalid' | 'none' {
    const connection = connectionOf(req)
    let user = this.#certificates.get(connection)
    if (user === undefined) {
      const socket = req.socket as TLSSocket
      user = this.#isProxy(req) ? 'none' : readCertificate(socket)
      this.#certificates.set(connection, user)
    }
    return user
  }
}

/** One connection has one certificate; http2 hands out a proxy per request, so its session is the key. */
const connectionOf = (req: HttpRequest): object => ('stream' in req ? (req.stream.session ?? req.socket) : req.socket)

function readCertificate(socket: TLSSocket): UserInfo | 'invalid' | 'none' {
  if (typeof socket.getPeerCertificate !== 'function') return 'none'
  const { subject, raw } = socket.getPeerCertificate() as {
    subject?: Record<string, string | string[] | undefined>
    raw?: Buffer
  }
  if (subject === undefined) return 'none'
  if (!socket.authorized) return 'invalid'
  const { CN: name, O: organizations = [] } = subject
  if (typeof name !== 'string' || name === '') return 'invalid'
  const groups = typeof organizations === 'string' ? [organizations] : organizations
  const fingerprint = createHash('sha256')
    .update(raw ?? '')
    .digest('hex')
  return {
    name,
    groups: [...groups, authenticatedGroup],
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
  }
}

function mayBeAnonymous({ enabled, paths }: AnonymousAccess, req: HttpRequest): boolean {
  if (!enabled || paths === undefined) return enabled
  const url = req.url ?? '/'
  const mark = url.indexOf('?')
  return paths.includes(mark < 0 ? url : url.slice(0, mark))
}

function audiencesOf(token: string): string[] | undefined {
  try {
    const { aud } = decodeJwt(token)
    return typeof aud === 'string' ? [aud] : aud
  } catch {
    return undefined
  }
}

function bearerToken(req: HttpRequest): string | undefined {
  const { authorization } = req.headers
  if (authorization !== undefined) {
    const match = /^bearer\s+(\S+)\s*$/i.exec(authorization)
    // Any other scheme is no credential for us, as upstream has it.
    return match?.[1]
  }
  // Browsers cannot set headers on WebSockets: the token travels as a subprotocol.
  const protocols = req.headers['sec-websocket-protocol']
  const encoded =
    protocols === undefined
      ? undefined
      : /(?:^|,)\s*base64url\.bearer\.authorization\.k8s\.io\.([^,\s]+)/.exec(protocols)?.[1]
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64url').toString('utf8')
}
