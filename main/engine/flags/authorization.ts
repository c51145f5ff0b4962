// Flags of authorization.
import type { EngineOptions } from '../options.ts'
import { type EngineFlag, parseDuration, parseFile, parseList, parseOneOf } from './flag.ts'

type Settings = NonNullable<EngineOptions['authorization']>

const setting = (
  name: string,
  argument: string,
  description: string,
  read: (text: string) => Partial<Settings>,
): EngineFlag => ({
  name,
  argument,
  description,
  set(options, text) {
    options.authorization = { ...options.authorization, ...read(text) }
  },
})

const modes = ['Node', 'RBAC', 'ABAC', 'Webhook', 'AlwaysAllow', 'AlwaysDeny'] as const

export const authorizationFlags: readonly EngineFlag[] = [
  {
    name: 'authorization-mode',
    argument: 'modes',
    description: `who decides, in order: ${modes.join(', ')} (default: Node,RBAC)`,
    repeatable: true,
    set(options, text) {
      options.authorizationModes = [
        ...(options.authorizationModes ?? []),
        ...parseList(text).map((item) => parseOneOf('authorization-mode', item, modes)),
      ]
    },
  },
  setting(
    'authorization-config',
    'file',
    'the same with all settings: an AuthorizationConfiguration, read again when it changes',
    (text) => ({
      configFile: parseFile('authorization-config', text),
    }),
  ),
  setting('authorization-policy-file', 'file', 'policies of mode ABAC, one JSON object a line', (text) => ({
    policyFile: parseFile('authorization-policy-file', text),
  })),
  setting('authorization-webhook-config-file', 'file', 'kubeconfig of the webhook of mode Webhook', (text) => ({
    webhookConfigFile: parseFile('authorization-webhook-config-file', text),
  })),
  setting(
    'authorization-webhook-version',
    'version',
    'of the reviews the webhook gets: v1beta1 (default) or v1',
    (text) => ({
      webhookVersion: parseOneOf('authorization-webhook-version', text, ['v1beta1', 'v1'] as const),
    }),
  ),
  setting(
    'authorization-webhook-cache-authorized-ttl',
    'duration',
    'how long a yes is remembered (default: 5m)',
    (text) => ({
      authorizedTtlMs: parseDuration('authorization-webhook-cache-authorized-ttl', text),
    }),
  ),
  setting(
    'authorization-webhook-cache-unauthorized-ttl',
    'duration',
    'how long a no is remembered (default: 30s)',
    (text) => ({
      unauthorizedTtlMs: parseDuration('authorization-webhook-cache-unauthorized-ttl', text),
    }),
  ),
]
