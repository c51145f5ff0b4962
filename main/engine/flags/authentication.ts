// Flags for the tokens of others: bootstrap tokens, OpenID Connect, webhooks.
import type { EngineOptions } from '../options.ts'
import { badValue, bool, duration, type EngineFlag, file, flag, list, parseOneOf } from './flag.ts'

type Settings = NonNullable<EngineOptions['authentication']>
type Oidc = NonNullable<Settings['oidc']>

const set = (options: EngineOptions, settings: Partial<Settings>): void => {
  options.authentication = { ...options.authentication, ...settings }
}
const setOidc = (options: EngineOptions, settings: Oidc): void => {
  set(options, { oidc: { ...options.authentication?.oidc, ...settings } })
}
const oidc = (name: string, argument: string, description: string, read: (text: string) => Oidc): EngineFlag =>
  flag(`oidc-${name}`, argument, description, (options, text) => {
    setOidc(options, read(text))
  })

const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'] as const

export const tokenFlags: readonly EngineFlag[] = [
  file(
    'authentication-config',
    'issuers of tokens and anonymous access: an AuthenticationConfiguration, read again when it changes',
    (options, configFile) => {
      set(options, { configFile })
    },
  ),
  bool('enable-bootstrap-token-auth', 'accept bootstrap tokens (default: false)', (options, bootstrapTokens) => {
    set(options, { bootstrapTokens })
  }),
  file('authentication-token-webhook-config-file', 'kubeconfig of a webhook that knows tokens', (options, path) => {
    set(options, { webhookConfigFile: path })
  }),
  flag(
    'authentication-token-webhook-version',
    'version',
    'of the reviews that webhook gets: v1beta1 (default) or v1',
    (options, text) => {
      const versions = ['v1beta1', 'v1'] as const
      set(options, { webhookVersion: parseOneOf('authentication-token-webhook-version', text, versions) })
    },
  ),
  duration(
    'authentication-token-webhook-cache-ttl',
    'how long its answers are remembered (default: 2m)',
    (options, ms) => {
      set(options, { webhookTtlMs: ms })
    },
  ),
  oidc('issuer-url', 'url', 'issuer of OpenID Connect tokens, https', (issuerUrl) => ({ issuerUrl })),
  oidc('client-id', 'id', 'audience such tokens must have', (clientId) => ({ clientId })),
  file('oidc-ca-file', "authority of the issuer's server", (options, caFile) => {
    setOidc(options, { caFile })
  }),
  oidc('username-claim', 'claim', 'names the user (default: sub)', (usernameClaim) => ({ usernameClaim })),
  oidc('username-prefix', 'prefix', 'put before it; "-" for none (default: the issuer and "#")', (usernamePrefix) => ({
    usernamePrefix,
  })),
  oidc('groups-claim', 'claim', 'names the groups (default: none)', (groupsClaim) => ({ groupsClaim })),
  oidc('groups-prefix', 'prefix', 'put before each', (groupsPrefix) => ({ groupsPrefix })),
  {
    ...flag('oidc-required-claim', 'name=value', 'what tokens must say', (options, text) => {
      const at = text.indexOf('=')
      if (at < 1)
        throw badValue('oidc-required-claim', text, 'is not NAME=VALUE', 'Write, for example, hd=example.com.')
      const requiredClaims = {
        ...options.authentication?.oidc?.requiredClaims,
        [text.slice(0, at)]: text.slice(at + 1),
      }
      setOidc(options, { requiredClaims })
    }),
    repeatable: true,
  },
  list('oidc-signing-algs', 'names', 'algorithms of signatures (default: RS256)', (options, items) => {
    setOidc(options, { signingAlgorithms: items.map((item) => parseOneOf('oidc-signing-algs', item, algorithms)) })
  }),
]
