// Whose tokens are accepted besides static ones and those of service accounts, as a server is told, and what asks about them.
import type { Secret } from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { lookup, type Registry } from '../../registry/context.ts'
import { BootstrapTokens } from './bootstrap.ts'
import { JwtAuthenticator, type JwtOptions } from './jwt.ts'
import type { TokenAuthenticator } from './token-authenticator.ts'
import { TokenWebhook, type TokenWebhookOptions } from './webhook.ts'

export interface TokenSettings {
  readonly bootstrapTokens?: boolean
  readonly jwt?: readonly JwtOptions[]
  readonly webhook?: TokenWebhookOptions
}

/** In the order in which they are asked. Throws CompileError and WrongResult for expressions. */
export function tokenAuthenticators(
  { bootstrapTokens = false, jwt = [], webhook }: TokenSettings,
  registry: Registry,
): TokenAuthenticator[] {
  const now = (): number => registry.clock.now()
  const secret = (name: string): (Secret & KubeObject) | undefined =>
    lookup(registry, '', 'secrets', 'kube-system', name)?.object as (Secret & KubeObject) | undefined
  return [
    ...(bootstrapTokens ? [new BootstrapTokens(secret, registry.clock)] : []),
    ...jwt.map((options) => new JwtAuthenticator(options, now)),
    ...(webhook === undefined ? [] : [new TokenWebhook(webhook, now)]),
  ]
}
