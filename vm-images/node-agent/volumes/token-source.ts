// Service account tokens for pods, bound to the pod, asked for when first needed and again at 80 % of their life.
import type { Pod } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { serviceAccounts } from '../../../common/client/resources.ts'
import type { Clock } from '../../../common/machinery/clock.ts'

export interface TokenSpec {
  audience: string | undefined
  expirationSeconds: number
}

interface Token {
  value: string
  refreshAtMs: number
  expiresAtMs: number
}

interface TokenRequest {
  status?: { token?: string; expirationTimestamp?: string }
}

const dayMs = 24 * 3600 * 1000

export class TokenSource {
  readonly #client: KubeClient
  readonly #clock: Clock
  readonly #tokens = new Map<string, Token>()

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  /** A token that is still fresh, and when to ask again. While the API is away an old one serves until it expires. */
  async token(pod: Pod, spec: TokenSpec): Promise<{ value: string; refreshAtMs: number }> {
    const uid = pod.metadata.uid ?? ''
    const key = `${uid}/${spec.audience ?? ''}/${String(spec.expirationSeconds)}`
    const known = this.#tokens.get(key)
    const now = this.#clock.now()
    if (known !== undefined && now < known.refreshAtMs) return known
    try {
      const token = await this.#request(pod, spec)
      this.#tokens.set(key, token)
      return token
    } catch (error) {
      if (known === undefined || now >= known.expiresAtMs) throw error
      return { value: known.value, refreshAtMs: now + 30_000 }
    }
  }

  forgetPod(uid: string): void {
    for (const key of this.#tokens.keys()) if (key.startsWith(`${uid}/`)) this.#tokens.delete(key)
  }

  async #request(pod: Pod, { audience, expirationSeconds }: TokenSpec): Promise<Token> {
    const { name = '', namespace = '', uid = '' } = pod.metadata
    const account = pod.spec?.serviceAccountName ?? ''
    const answer = await this.#client.createSubresource<TokenRequest>(
      serviceAccounts,
      { name: account === '' ? 'default' : account, namespace, subresource: 'token' },
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: {},
        spec: {
          audiences: audience === undefined || audience === '' ? [] : [audience],
          expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      },
    )
    const value = answer.status?.token
    if (value === undefined) throw new Error(`the API server gave no token for service account "${account}"`)
    const now = this.#clock.now()
    const stated = Date.parse(answer.status?.expirationTimestamp ?? '')
    const expiresAtMs = Number.isNaN(stated) ? now + expirationSeconds * 1000 : stated
    return { value, expiresAtMs, refreshAtMs: now + Math.min(dayMs, (expiresAtMs - now) * 0.8) }
  }
}
