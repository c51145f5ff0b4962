// Bootstrap tokens, by which new nodes and joining machines show themselves: each is a Secret in kube-system.
import { timingSafeEqual } from 'node:crypto'
import type { Secret } from '../../../../common/api/generated/types.ts'
import type { Clock } from '../../../../common/machinery/clock.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import type { TokenAuthenticator, TokenUser } from './token-authenticator.ts'

const form = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const groupForm = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
const defaultGroup = 'system:bootstrappers'

export class BootstrapTokens implements TokenAuthenticator {
  readonly #secret: (name: string) => (Secret & KubeObject) | undefined
  readonly #clock: Clock

  /** `secret`: reads one of kube-system. */
  constructor(secret: (name: string) => (Secret & KubeObject) | undefined, clock: Clock) {
    this.#secret = secret
    this.#clock = clock
  }

  authenticate(token: string): Promise<TokenUser | undefined> {
    const [, id = '', key = ''] = form.exec(token) ?? []
    if (id === '') return Promise.resolve(undefined)
    const secret = this.#secret(`bootstrap-token-${id}`)
    const value = (name: string): string => Buffer.from(secret?.data?.[name] ?? '', 'base64').toString('utf8')
    const groups = value('auth-extra-groups')
      .split(',')
      .map((group) => group.trim())
      .filter((group) => group !== '')
    const expires = value('expiration')
    const isGood =
      secret !== undefined &&
      secret.metadata.deletionTimestamp === undefined &&
      secret.type === 'bootstrap.kubernetes.io/token' &&
      isSame(value('token-secret'), key) &&
      value('token-id') === id &&
      !(expires !== '' && !(Date.parse(expires) > this.#clock.now())) &&
      value('usage-bootstrap-authentication') === 'true' &&
      groups.every((group) => groupForm.test(group))
    if (!isGood) return Promise.resolve(undefined)
    return Promise.resolve({
      user: { name: `system:bootstrap:${id}`, groups: [...new Set([defaultGroup, ...groups])].sort() },
    })
  }
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
