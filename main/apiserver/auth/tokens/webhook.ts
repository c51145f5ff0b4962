// Authentication by a webhook: a TokenReview for each token, its answer remembered for a while.
import { createHash } from 'node:crypto'
import type { UserInfo } from '../user-info.ts'
import { ExpiringCache } from '../remote/expiring-cache.ts'
import { RemoteClient, type RemoteEndpoint } from '../remote/endpoint.ts'
import type { TokenAuthenticator, TokenUser } from './token-authenticator.ts'

export interface TokenWebhookOptions {
  readonly endpoint: RemoteEndpoint
  /** Of authentication.k8s.io. */
  readonly version: 'v1' | 'v1beta1'
  readonly ttlMs: number
}

interface ReviewStatus {
  readonly authenticated?: boolean
  readonly error?: string
  readonly audiences?: readonly string[]
  readonly user?: {
    readonly username?: string
    readonly uid?: string
    readonly groups?: readonly string[]
    readonly extra?: Readonly<Record<string, readonly string[]>>
  }
}

const timeoutMs = 30_000

export class TokenWebhook implements TokenAuthenticator {
  readonly #options: TokenWebhookOptions
  readonly #client: RemoteClient
  readonly #answers: ExpiringCache<TokenUser | 'unknown'>

  /** `now`: milliseconds. */
  constructor(options: TokenWebhookOptions, now: () => number) {
    this.#options = options
    this.#client = new RemoteClient(options.endpoint)
    this.#answers = new ExpiringCache(now)
  }

  async authenticate(token: string, audiences: readonly string[]): Promise<TokenUser | undefined> {
    const key = createHash('sha256')
      .update(JSON.stringify([token, audiences]))
      .digest('base64')
    const known = this.#answers.get(key)
    if (known !== undefined) return known === 'unknown' ? undefined : known
    const { version, ttlMs } = this.#options
    const answer = (await this.#client.post(
      {
        kind: 'TokenReview',
        apiVersion: `authentication.k8s.io/${version}`,
        metadata: {},
        spec: { token, audiences },
        status: { user: {} },
      },
      timeoutMs,
    )) as { status?: ReviewStatus }
    const { status = {} } = answer
    const user = tokenUserOf(status, audiences)
    this.#answers.set(key, user ?? 'unknown', ttlMs)
    if (user === undefined && (status.error ?? '') !== '') throw new Error(status.error)
    return user
  }

  close(): void {
    this.#client.close()
  }
}

function tokenUserOf(
  { authenticated, user = {}, audiences }: ReviewStatus,
  wanted: readonly string[],
): TokenUser | undefined {
  if (authenticated !== true) return undefined
  // A webhook that says nothing of audiences knows of none: its tokens are for this server.
  const good =
    audiences === undefined || audiences.length === 0 ? wanted : audiences.filter((each) => wanted.includes(each))
  if (good.length === 0 && wanted.length > 0) return undefined
  const { username = '', uid, groups = [], extra } = user
  const info: UserInfo = {
    name: username,
    groups,
    ...(uid === undefined || uid === '' ? {} : { uid }),
    ...(extra === undefined ? {} : { extra }),
  }
  return { user: info, audiences: good }
}
