// Who decides what users may do, as a server is told, and the authorizers of it.
import type { Registry } from '../../registry/context.ts'
import { alwaysAllow, alwaysDeny, type Authorizer, mastersAuthorizer } from '../authorizer.ts'
import { NodeAuthorizer } from '../node-authorizer.ts'
import type { RbacAuthorizer } from '../rbac.ts'
import { AbacAuthorizer, type AbacPolicy } from './abac.ts'
import { WebhookAuthorizer, type WebhookAuthorizerOptions } from './webhook.ts'

export type AuthorizationMode =
  | 'Node'
  | 'RBAC'
  | 'AlwaysAllow'
  | 'AlwaysDeny'
  | { readonly type: 'ABAC'; readonly policies: readonly AbacPolicy[] }
  | ({ readonly type: 'Webhook' } & WebhookAuthorizerOptions)

/** In order, administrators first. Throws CompileError and WrongResult for conditions of webhooks. */
export function authorizersOf(
  modes: readonly AuthorizationMode[],
  { registry, rbac }: { readonly registry: Registry; readonly rbac: RbacAuthorizer },
): Authorizer[] {
  return [mastersAuthorizer, ...modes.map((mode) => authorizerOf(mode, registry, rbac))]
}

function authorizerOf(mode: AuthorizationMode, registry: Registry, rbac: RbacAuthorizer): Authorizer {
  if (typeof mode === 'object')
    return mode.type === 'ABAC'
      ? new AbacAuthorizer(mode.policies)
      : new WebhookAuthorizer(mode, () => registry.clock.now())
  switch (mode) {
    case 'Node':
      return new NodeAuthorizer(registry)
    case 'RBAC':
      return rbac
    case 'AlwaysAllow':
      return alwaysAllow
    case 'AlwaysDeny':
      return alwaysDeny
  }
}
