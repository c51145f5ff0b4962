// Whose tokens are accepted: --oidc-… and webhook flags, or the file of --authentication-config.
import type { AuthorizationMode } from '../../apiserver/auth/authorization/modes.ts'
import type { AnonymousAccess } from '../../apiserver/auth/authenticator.ts'
import { type ClaimMapping, compileClaims, compileUserRule, type JwtOptions } from '../../apiserver/auth/tokens/jwt.ts'
import type { TokenSettings } from '../../apiserver/auth/tokens/settings.ts'
import type { TokenWebhookOptions } from '../../apiserver/auth/tokens/webhook.ts'
import { CodedError } from '../coded-error.ts'
import { badFile, messageOf, readFlagFile } from '../flag-files.ts'
import type { EngineOptions } from '../options.ts'
import { parseConfig, readConfigFile } from './config-file.ts'
import { checkIssuer, checkIssuerUrl, type ConfiguredIssuer, duplicate, invalid } from './issuer-checks.ts'
import { readKubeconfigEndpoint } from './kubeconfig-endpoint.ts'

export interface Authentication {
  readonly anonymous: AnonymousAccess
  readonly otherTokens: TokenSettings
}

/** Everything that upstream takes from a configuration file. */
const fileAlgorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512']

/** Everybody may do everything: nobody should be able to without saying who they are, unless asked for. */
export const anonymousAccess = (
  { anonymousAuth }: EngineOptions,
  modes: readonly AuthorizationMode[],
): AnonymousAccess => ({ enabled: anonymousAuth ?? !modes.includes('AlwaysAllow') })

/** `anonymous`: as flags have it. */
export async function readAuthentication(
  { authentication = {} }: EngineOptions,
  anonymous: AnonymousAccess,
): Promise<Authentication> {
  const { configFile, oidc, bootstrapTokens = false } = authentication
  const webhook = await readWebhook(authentication)
  const shared = { bootstrapTokens, ...(webhook === undefined ? {} : { webhook }) }
  if (configFile === undefined)
    return { anonymous, otherTokens: { ...shared, jwt: oidc === undefined ? [] : [await readOidc(oidc)] } }
  if (oidc !== undefined)
    throw new CodedError(
      'BadArgument',
      'authentication-config file and oidc-* flags are mutually exclusive',
      'Say it all in the file, or all in flags.',
    )
  const config = await readConfigFile('authentication-config', configFile, parseAuthenticationConfig)
  return { anonymous: config.anonymous ?? anonymous, otherTokens: { ...shared, jwt: config.jwt } }
}

async function readWebhook({
  webhookConfigFile,
  webhookVersion = 'v1beta1',
  webhookTtlMs = 120_000,
}: NonNullable<EngineOptions['authentication']>): Promise<TokenWebhookOptions | undefined> {
  if (webhookConfigFile === undefined) return undefined
  try {
    return { endpoint: await readKubeconfigEndpoint(webhookConfigFile), version: webhookVersion, ttlMs: webhookTtlMs }
  } catch (error) {
    const flag = 'authentication-token-webhook-config-file'
    throw badFile(flag, webhookConfigFile, messageOf(error), 'Give a kubeconfig file of the webhook.', error)
  }
}

type OidcFlags = NonNullable<NonNullable<EngineOptions['authentication']>['oidc']>

async function readOidc({
  issuerUrl,
  clientId,
  caFile,
  usernameClaim = 'sub',
  usernamePrefix,
  groupsClaim,
  groupsPrefix = '',
  requiredClaims = {},
  signingAlgorithms = ['RS256'],
}: OidcFlags): Promise<JwtOptions> {
  if (issuerUrl === undefined || clientId === undefined)
    throw new CodedError(
      'BadArgument',
      'oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set',
      'Give both --oidc-issuer-url and --oidc-client-id.',
    )
  checkIssuerUrl('--oidc-issuer-url', issuerUrl)
  // Names of others must not be taken for those of this cluster, unless e-mail addresses are.
  const prefix = usernamePrefix ?? (usernameClaim === 'email' ? '-' : `${issuerUrl}#`)
  return {
    issuer: {
      url: issuerUrl,
      ...(caFile === undefined ? {} : { ca: await readFlagFile('oidc-ca-file', caFile) }),
    },
    audiences: [clientId],
    algorithms: signingAlgorithms,
    username: { claim: usernameClaim, prefix: prefix === '-' ? '' : prefix },
    ...(groupsClaim === undefined ? {} : { groups: { claim: groupsClaim, prefix: groupsPrefix } }),
    extra: [],
    claimRules: Object.entries(requiredClaims).map(([claim, requiredValue]) => ({ claim, requiredValue })),
    userRules: [],
  }
}

interface ConfiguredClaim {
  readonly claim?: string
  readonly prefix?: string
  readonly expression?: string
}
interface ConfiguredJwt {
  readonly issuer?: ConfiguredIssuer
  readonly claimValidationRules?: readonly {
    readonly claim?: string
    readonly requiredValue?: string
    readonly expression?: string
    readonly message?: string
  }[]
  readonly claimMappings?: {
    readonly username?: ConfiguredClaim
    readonly groups?: ConfiguredClaim
    readonly uid?: ConfiguredClaim
    readonly extra?: readonly { readonly key?: string; readonly valueExpression?: string }[]
  }
  readonly userValidationRules?: readonly { readonly expression?: string; readonly message?: string }[]
}
interface ConfiguredAnonymous {
  readonly enabled?: boolean
  readonly conditions?: readonly { readonly path?: string }[]
}

export function parseAuthenticationConfig(text: string): {
  readonly jwt: readonly JwtOptions[]
  readonly anonymous?: AnonymousAccess
} {
  const { jwt = [], anonymous } = parseConfig(text, 'AuthenticationConfiguration') as {
    jwt?: readonly ConfiguredJwt[]
    anonymous?: ConfiguredAnonymous
  }
  const issuers = new Set<string>()
  return {
    jwt: jwt.map((configured, index) => {
      const path = `jwt[${String(index)}]`
      const options = jwtOf(path, configured)
      if (issuers.has(options.issuer.url)) throw duplicate(`${path}.issuer.url`, options.issuer.url)
      issuers.add(options.issuer.url)
      return options
    }),
    ...(anonymous === undefined ? {} : { anonymous: anonymousOf(anonymous) }),
  }
}

function anonymousOf({ enabled = false, conditions }: ConfiguredAnonymous): AnonymousAccess {
  if (!enabled && (conditions ?? []).length > 0)
    throw new Error('anonymous.conditions: Invalid value: enabled should be set to true when conditions are defined')
  if (conditions === undefined || conditions.length === 0) return { enabled }
  return {
    enabled,
    paths: conditions.map(({ path = '' }, index) => {
      if (path === '') throw new Error(`anonymous.conditions[${String(index)}].path: Required value`)
      return path
    }),
  }
}

function jwtOf(path: string, { issuer = {}, claimMappings = {}, ...rules }: ConfiguredJwt): JwtOptions {
  checkIssuer(`${path}.issuer`, issuer)
  const { url = '', discoveryURL, certificateAuthority, audiences = [] } = issuer
  const username = mappingOf(`${path}.claimMappings.username`, claimMappings.username)
  if (username === undefined)
    throw new Error(`${path}.claimMappings.username: Required value: claim or expression is required`)
  const groups = mappingOf(`${path}.claimMappings.groups`, claimMappings.groups)
  const uid = mappingOf(`${path}.claimMappings.uid`, claimMappings.uid, 'no prefix')
  return {
    issuer: {
      url,
      ...(discoveryURL === undefined ? {} : { discoveryUrl: discoveryURL }),
      ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
    },
    audiences,
    algorithms: fileAlgorithms,
    username,
    ...(groups === undefined ? {} : { groups }),
    ...(uid === undefined ? {} : { uid }),
    extra: (claimMappings.extra ?? []).map(({ key = '', valueExpression = '' }, index, all) => {
      const field = `${path}.claimMappings.extra[${String(index)}]`
      if (key === '') throw new Error(`${field}.key: Required value`)
      if (!/^[^/]+\/.+/.test(key))
        throw invalid(`${field}.key`, key, 'must be a domain-prefixed path (such as "acme.io/foo")')
      if (key !== key.toLowerCase()) throw invalid(`${field}.key`, key, 'key must be lowercase')
      if (all.findIndex((other) => other.key === key) < index) throw duplicate(`${field}.key`, key)
      checked(`${field}.valueExpression`, valueExpression, compileClaims)
      return { key, valueExpression }
    }),
    claimRules: (rules.claimValidationRules ?? []).map(
      ({ claim = '', requiredValue = '', expression = '', message = '' }, index, all) => {
        const field = `${path}.claimValidationRules[${String(index)}]`
        if (claim !== '' && expression !== '') throw invalid(field, claim, "claim and expression can't both be set")
        if (claim === '' && expression === '')
          throw new Error(`${field}: Required value: claim or expression is required`)
        const earlier = all.slice(0, index)
        if (claim !== '') {
          if (message !== '') throw invalid(`${field}.message`, message, "message can't be set when claim is set")
          if (earlier.some((other) => other.claim === claim)) throw duplicate(`${field}.claim`, claim)
          return { claim, requiredValue }
        }
        if (requiredValue !== '')
          throw invalid(`${field}.requiredValue`, requiredValue, "requiredValue can't be set when expression is set")
        if (earlier.some((other) => other.expression === expression)) throw duplicate(`${field}.expression`, expression)
        checked(`${field}.expression`, expression, (text) => compileClaims(text, 'bool'))
        return { expression, message }
      },
    ),
    userRules: (rules.userValidationRules ?? []).map(({ expression = '', message = '' }, index, all) => {
      const field = `${path}.userValidationRules[${String(index)}].expression`
      if (all.findIndex((other) => other.expression === expression) < index) throw duplicate(field, expression)
      checked(field, expression, compileUserRule)
      return { expression, message }
    }),
  }
}

function mappingOf(
  path: string,
  mapping: ConfiguredClaim | undefined,
  prefixes: 'prefix' | 'no prefix' = 'prefix',
): ClaimMapping | undefined {
  const { claim = '', prefix, expression = '' } = mapping ?? {}
  if (claim === '' && expression === '') return undefined
  if (claim !== '' && expression !== '')
    throw new Error(`${path}: Invalid value: "": claim and expression can't both be set`)
  if (expression !== '') {
    if (prefix !== undefined) throw invalid(`${path}.prefix`, prefix, "prefix can't be set when expression is set")
    checked(`${path}.expression`, expression, (text) => compileClaims(text))
    return { expression }
  }
  if (prefix === undefined && prefixes === 'prefix')
    throw new Error(
      `${path}.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing`,
    )
  return { claim, prefix: prefix ?? '' }
}

function checked(path: string, expression: string, compile: (expression: string) => unknown): void {
  if (expression.trim() === '') throw new Error(`${path}: Required value`)
  try {
    compile(expression)
  } catch (error) {
    throw new Error(`${path}: Invalid value: ${JSON.stringify(expression)}: ${messageOf(error)}`, { cause: error })
  }
}
