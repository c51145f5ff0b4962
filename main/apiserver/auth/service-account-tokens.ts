// Service account tokens: signed JWTs bound to an account and, when asked, to a pod, secret or node. A token dies with what it is
// bound to, so verification looks at the store each time; only the signature check is remembered.
import { decodeJwt, importPKCS8, importSPKI, jwtVerify, SignJWT, type CryptoKey, type JWTPayload } from 'jose'
import { createHash, createPublicKey } from 'node:crypto'
import type { Secret } from '../../../common/api/generated/types.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { unauthorized } from '../../../common/machinery/status.ts'
import type { ApiServerOptions, UserInfo } from '../apiserver.ts'

export interface BoundObject {
  readonly kind: 'Pod' | 'Secret' | 'Node'
  readonly apiVersion: 'v1'
  readonly name: string
  readonly uid: string
}

interface KubernetesClaims {
  namespace?: string
  serviceaccount?: { name?: string; uid?: string }
  pod?: { name?: string; uid?: string }
  secret?: { name?: string; uid?: string }
  node?: { name?: string; uid?: string }
}

export interface ServiceAccountTokensOptions {
  readonly key: ApiServerOptions['serviceAccountKey']
  readonly clock: Clock
  readonly lookup: (plural: string, namespace: string | undefined, name: string) => KubeObject | undefined
}

const maxCached = 4096

/** Issuer of the tokens in secrets of type kubernetes.io/service-account-token. They never expire: they end with their secret. */
const secretTokenIssuer = 'kubernetes/serviceaccount'

export class ServiceAccountTokens {
  readonly #options: ServiceAccountTokensOptions
  readonly #algorithm: string
  readonly #issuers: string[]
  #privateKey: Promise<CryptoKey> | undefined
  /** All that verify, the signing key's own first. */
  #publicKeys: Promise<readonly { key: CryptoKey; algorithm: string }[]> | undefined
  /** Verified signatures: token -> payload. */
  readonly #verified = new Map<string, JWTPayload>()
  /** Who they are, as long as the same: what is known of a user is found by this. */
  readonly #users = new WeakMap<JWTPayload, UserInfo>()

  constructor(options: ServiceAccountTokensOptions) {
    this.#options = options
    this.#algorithm = algorithmOf(options.key.publicPem)
    this.#issuers = [options.key.issuer, ...(options.key.acceptedIssuers ?? []), secretTokenIssuer]
  }

  /** The audiences of tokens that are good for this API server; the first is for those that name none. */
  get audiences(): readonly string[] {
    const { audiences, issuer } = this.#options.key
    return audiences === undefined || audiences.length === 0 ? [issuer] : audiences
  }

  /** Longest life of a token that somebody asks for. */
  get maxSeconds(): number {
    const { maxTokenSeconds = 0 } = this.#options.key
    return maxTokenSeconds > 0 ? maxTokenSeconds : Infinity
  }

  async issue(request: {
    readonly namespace: string
    readonly account: { readonly name: string; readonly uid: string }
    readonly audiences: readonly string[]
    readonly expirationSeconds: number
    readonly bound?: BoundObject
    /** The node of a bound pod. */
    readonly node?: { readonly name: string; readonly uid: string }
  }): Promise<{ token: string; expiresAtMs: number; id: string }> {
    const { key, clock } = this.#options
    this.#privateKey ??= importPKCS8(key.privatePem, this.#algorithm)
    const now = Math.floor(clock.now() / 1000)
    const { bound } = request
    const claims: KubernetesClaims = {
      namespace: request.namespace,
      serviceaccount: request.account,
      ...(bound === undefined ? {} : { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } }),
      ...(request.node === undefined ? {} : { node: request.node }),
    }
    const expires = now + request.expirationSeconds
    const id = crypto.randomUUID()
    const token = await new SignJWT({ 'kubernetes.io': claims })
      .setProtectedHeader({ alg: this.#algorithm, kid: keyId(key.publicPem) })
      .setIssuer(key.issuer)
      .setAudience([...request.audiences])
      .setSubject(userName(request.namespace, request.account.name))
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(expires)
      .setJti(id)
      .sign(await this.#privateKey)
    return { token, expiresAtMs: expires * 1000, id }
  }

  /** Whether a token says that it is one of these. */
  hasIssued(token: string): boolean {
    if (this.#verified.has(token)) return true
    try {
      return this.#issuers.includes(decodeJwt(token).iss ?? '')
    } catch {
      return false
    }
  }

  /** Throws 401: not ours, expired, for another audience, or bound to something that is gone. */
  verify(token: string, audiences: readonly string[] = this.audiences): UserInfo | Promise<UserInfo> {
    const payload = this.#verified.get(token)
    return payload === undefined
      ? this.#verifySignature(token).then((fresh) => this.#check(token, fresh, audiences))
      : this.#check(token, payload, audiences)
  }

  async #verifySignature(token: string): Promise<JWTPayload> {
    const { key, clock } = this.#options
    this.#publicKeys ??= Promise.all(
      [key.publicPem, ...(key.verifyPems ?? [])].map(async (pem) => {
        const algorithm = algorithmOf(pem)
        return { key: await importSPKI(pem, algorithm), algorithm }
      }),
    )
    for (const candidate of await this.#publicKeys) {
      try {
        const { payload } = await jwtVerify(token, candidate.key, {
          issuer: this.#issuers,
          algorithms: [candidate.algorithm],
          currentDate: new Date(clock.now()),
        })
        if (this.#verified.size >= maxCached) this.#verified.clear()
        this.#verified.set(token, payload)
        return payload
      } catch {
        // The next key may be the one; in the end it is nobody's token, or one that has expired.
      }
    }
    throw unauthorized()
  }

  #check(token: string, payload: JWTPayload, audiences: readonly string[]): UserInfo {
    if (payload.iss === secretTokenIssuer) return this.#checkSecretToken(token, payload, audiences)
    const now = this.#options.clock.now() / 1000
    if ((payload.exp ?? 0) <= now) throw unauthorized()
    const given = typeof payload.aud === 'string' ? [payload.aud] : (payload.aud ?? [])
    if (!given.some((audience) => audiences.includes(audience))) throw unauthorized()
    const claims = (payload['kubernetes.io'] ?? {}) as KubernetesClaims
    const { namespace = '', serviceaccount: account = {} } = claims
    this.#requireAlive('serviceaccounts', namespace, account)
    if (claims.secret !== undefined) this.#requireAlive('secrets', namespace, claims.secret)
    if (claims.pod !== undefined) this.#requireAlive('pods', namespace, claims.pod)
    // Of a pod's token it only tells where the pod was.
    else if (claims.node !== undefined) this.#requireAlive('nodes', undefined, claims.node)
    const known = this.#users.get(payload)
    if (known !== undefined) return known
    const extra: Record<string, readonly string[]> = {}
    if (payload.jti !== undefined) extra['authentication.kubernetes.io/credential-id'] = [`JTI=${payload.jti}`]
    for (const [kind, reference] of [
      ['pod', claims.pod],
      ['node', claims.node],
    ] as const) {
      if (reference === undefined) continue
      extra[`authentication.kubernetes.io/${kind}-name`] = [reference.name ?? '']
      extra[`authentication.kubernetes.io/${kind}-uid`] = [reference.uid ?? '']
    }
    const user = accountUser(namespace, account, extra)
    this.#users.set(payload, user)
    return user
  }

  /** Good as long as its secret holds it and its account lives. */
  #checkSecretToken(token: string, payload: JWTPayload, audiences: readonly string[]): UserInfo {
    // Such a token names no audience: it is meant for this server alone.
    if (!this.audiences.some((audience) => audiences.includes(audience))) throw unauthorized()
    const claim = (name: string): string => {
      const value = payload[`kubernetes.io/serviceaccount/${name}`]
      return typeof value === 'string' ? value : ''
    }
    const namespace = claim('namespace')
    const account = { name: claim('service-account.name'), uid: claim('service-account.uid') }
    this.#requireAlive('serviceaccounts', namespace, account)
    const secret = this.#options.lookup('secrets', namespace, claim('secret.name')) as (KubeObject & Secret) | undefined
    const held = Buffer.from(secret?.data?.['token'] ?? '', 'base64').toString('utf8')
    if (held !== token || secret?.metadata.deletionTimestamp !== undefined) throw unauthorized()
    return accountUser(namespace, account, {})
  }

  #requireAlive(
    plural: string,
    namespace: string | undefined,
    { name = '', uid }: { name?: string; uid?: string },
  ): void {
    const object = this.#options.lookup(plural, namespace, name)
    if (object === undefined || object.metadata.uid !== uid) throw unauthorized()
    // An account being deleted keeps its tokens only as long as its pods need to stop.
    const { deletionTimestamp } = object.metadata
    if (deletionTimestamp !== undefined && Date.parse(deletionTimestamp) + 60_000 < this.#options.clock.now())
      throw unauthorized()
  }
}

function accountUser(
  namespace: string,
  { name = '', uid = '' }: { name?: string; uid?: string },
  extra: Readonly<Record<string, readonly string[]>>,
): UserInfo {
  return {
    name: userName(namespace, name),
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra,
  }
}

const userName = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`

export const algorithmOf = (publicPem: string): string => {
  const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(publicPem)
  if (asymmetricKeyType === 'rsa') return 'RS256'
  return { secp384r1: 'ES384', secp521r1: 'ES512' }[asymmetricKeyDetails?.namedCurve ?? ''] ?? 'ES256'
}

/** What names a key in tokens and in the published key set: a hash of the key itself, as upstream has it. */
export const keyId = (publicPem: string): string =>
  createHash('sha256')
    .update(createPublicKey(publicPem).export({ type: 'spki', format: 'der' }))
    .digest('base64url')
