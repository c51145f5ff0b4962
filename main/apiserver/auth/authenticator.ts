// Who asks: the connection's own user (a node's channel), a client certificate, a bearer token, or the window's session.
import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { unauthorized } from '../../../common/machinery/status.ts'
import type { HttpRequest, UserInfo } from '../apiserver.ts'
import type { RequestHeaderAuthenticator } from './request-header.ts'
import type { ServiceAccountTokens } from './service-account-tokens.ts'

export const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
const authenticatedGroup = 'system:authenticated'

export interface AuthenticatorOptions {
  readonly tokens: ReadonlyMap<string, UserInfo>
  readonly serviceAccounts: ServiceAccountTokens
  readonly session: ((req: HttpRequest) => UserInfo | undefined) | undefined
  readonly requestHeader: RequestHeaderAuthenticator | undefined
  /** False: no credentials are wrong credentials. */
  readonly anonymous: boolean
}

export class Authenticator {
  readonly #options: AuthenticatorOptions
  readonly #certificates = new WeakMap<object, UserInfo | 'invalid' | 'none'>()
  readonly #proxies = new WeakMap<object, boolean>()
  readonly #known = new WeakMap<UserInfo, UserInfo>()

  constructor(options: AuthenticatorOptions) {
    this.#options = options
  }

  /** Throws 401 for credentials that were given but are wrong. No credentials: anonymous. */
  authenticate(req: HttpRequest): UserInfo | Promise<UserInfo> {
    const { requestHeader, anonymous: mayBeAnonymous } = this.#options
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
    if (!mayBeAnonymous) throw unauthorized()
    return anonymous
  }

  /** Throws 401. */
  authenticateToken(token: string, audiences?: readonly string[]): UserInfo | Promise<UserInfo> {
    const known = this.#options.tokens.get(token)
    if (known !== undefined) return this.#complete(known)
    return this.#options.serviceAccounts.verify(token, audiences)
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
