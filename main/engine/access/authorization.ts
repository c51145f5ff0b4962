// Who decides what users may do: --authorization-mode with its flags, or the file of --authorization-config.
import { isAbsolute } from 'node:path'
import { parseGoDuration } from '../../../common/machinery/go-duration.ts'
import { validateDnsSubdomain } from '../../../common/machinery/names.ts'
import { parseAbacPolicies } from '../../apiserver/auth/authorization/abac.ts'
import type { AuthorizationMode } from '../../apiserver/auth/authorization/modes.ts'
import { compileReviewCondition } from '../../apiserver/auth/authorization/review-condition.ts'
import { CodedError } from '../coded-error.ts'
import { badFile, messageOf } from '../flag-files.ts'
import type { EngineOptions } from '../options.ts'
import { parseConfig, readConfigFile } from './config-file.ts'
import { duplicate, invalid } from './issuer-checks.ts'
import { readKubeconfigEndpoint } from './kubeconfig-endpoint.ts'

const defaults = { authorizedTtlMs: 300_000, unauthorizedTtlMs: 30_000, timeoutMs: 30_000 }

export async function readAuthorization(options: EngineOptions): Promise<readonly AuthorizationMode[]> {
  const { authorizationModes, authorization = {} } = options
  if (authorization.configFile === undefined)
    return Promise.all((authorizationModes ?? ['Node', 'RBAC']).map((mode) => readMode(mode, authorization)))
  if (authorizationModes !== undefined || authorization.webhookConfigFile !== undefined)
    throw new CodedError(
      'BadArgument',
      '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined',
      'Say it all in the file, or all in flags.',
    )
  return readAuthorizationConfig(authorization.configFile)
}

export const readAuthorizationConfig = (file: string): Promise<AuthorizationMode[]> =>
  readConfigFile('authorization-config', file, parseAuthorizationConfig)

async function readMode(
  mode: NonNullable<EngineOptions['authorizationModes']>[number],
  settings: NonNullable<EngineOptions['authorization']>,
): Promise<AuthorizationMode> {
  if (mode === 'ABAC') {
    const flag = 'authorization-policy-file'
    const { policyFile } = settings
    if (policyFile === undefined) throw missing(mode, flag)
    return readConfigFile(flag, policyFile, (text) => ({ type: 'ABAC', policies: parseAbacPolicies(text) }))
  }
  if (mode !== 'Webhook') return mode
  const flag = 'authorization-webhook-config-file'
  const { webhookConfigFile, webhookVersion = 'v1beta1', authorizedTtlMs, unauthorizedTtlMs } = settings
  if (webhookConfigFile === undefined) throw missing(mode, flag)
  try {
    return {
      type: 'Webhook',
      name: 'default',
      endpoint: await readKubeconfigEndpoint(webhookConfigFile),
      version: webhookVersion,
      authorizedTtlMs: authorizedTtlMs ?? defaults.authorizedTtlMs,
      unauthorizedTtlMs: unauthorizedTtlMs ?? defaults.unauthorizedTtlMs,
      timeoutMs: defaults.timeoutMs,
      failurePolicy: 'NoOpinion',
      matchConditions: [],
    }
  } catch (error) {
    throw badFile(flag, webhookConfigFile, messageOf(error), 'Give a kubeconfig file of the webhook.', error)
  }
}

const missing = (mode: string, flag: string): CodedError =>
  new CodedError('BadArgument', `--authorization-mode=${mode} needs --${flag}`, `Give --${flag}=FILE.`)

interface ConfiguredAuthorizer {
  readonly type?: string
  readonly name?: string
  readonly webhook?: {
    readonly authorizedTTL?: string
    readonly cacheAuthorizedRequests?: boolean
    readonly unauthorizedTTL?: string
    readonly cacheUnauthorizedRequests?: boolean
    readonly timeout?: string
    readonly subjectAccessReviewVersion?: string
    readonly matchConditionSubjectAccessReviewVersion?: string
    readonly failurePolicy?: string
    readonly connectionInfo?: { readonly type?: string; readonly kubeConfigFile?: string }
    readonly matchConditions?: readonly { readonly expression?: string }[]
  }
}

async function parseAuthorizationConfig(text: string): Promise<AuthorizationMode[]> {
  const { authorizers = [] } = parseConfig(text, 'AuthorizationConfiguration') as {
    authorizers?: readonly ConfiguredAuthorizer[]
  }
  if (authorizers.length === 0)
    throw new Error('authorizers: Required value: at least one authorization mode must be defined')
  const names = new Set<string>()
  return Promise.all(
    authorizers.map(async (authorizer, index) => {
      const path = `authorizers[${String(index)}]`
      const { type = '', name = '' } = authorizer
      const known = oneOf(`${path}.type`, type, ['AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC', 'Webhook'])
      if (known !== 'Webhook' && authorizers.findIndex((other) => other.type === type) < index)
        throw duplicate(`${path}.type`, type)
      if (name === '') throw new Error(`${path}.name: Required value`)
      if (names.has(name)) throw duplicate(`${path}.name`, name)
      const [problem] = validateDnsSubdomain(name)
      if (problem !== undefined) throw invalid(`${path}.name`, name, `authorizer name is invalid: ${problem}`)
      names.add(name)
      if (known === 'Webhook') return webhookOf(path, authorizer)
      if (authorizer.webhook !== undefined)
        throw invalid(`${path}.webhook`, 'non-null', 'may only be specified when type=Webhook')
      return known
    }),
  )
}

async function webhookOf(path: string, { name = '', webhook }: ConfiguredAuthorizer): Promise<AuthorizationMode> {
  if (webhook === undefined) throw new Error(`${path}.webhook: Required value: required when type=Webhook`)
  const at = `${path}.webhook`
  const ttl = (field: 'authorizedTTL' | 'unauthorizedTTL' | 'timeout', fallback: number): number => {
    const value = webhook[field]
    const ms = value === undefined ? fallback : parseGoDuration(value)
    if (ms === undefined) throw new Error(`${at}.${field}: Invalid value: ${JSON.stringify(value)}: is no duration`)
    return ms
  }
  const timeoutMs = ttl('timeout', 0)
  if (timeoutMs <= 0 || timeoutMs > 30_000)
    throw new Error(`${at}.timeout: Invalid value: ${JSON.stringify(webhook.timeout ?? '')}: must be > 0s and <= 30s`)
  const version = oneOf(`${at}.subjectAccessReviewVersion`, webhook.subjectAccessReviewVersion, ['v1', 'v1beta1'])
  const failurePolicy = oneOf(`${at}.failurePolicy`, webhook.failurePolicy, ['NoOpinion', 'Deny'])
  const { type, kubeConfigFile } = webhook.connectionInfo ?? {}
  oneOf(`${at}.connectionInfo.type`, type, ['KubeConfigFile'])
  const filePath = `${at}.connectionInfo.kubeConfigFile`
  if (kubeConfigFile === undefined || kubeConfigFile === '') throw new Error(`${filePath}: Required value`)
  if (!isAbsolute(kubeConfigFile)) throw invalid(filePath, kubeConfigFile, 'must be an absolute path')
  const matchConditions = (webhook.matchConditions ?? []).map(({ expression = '' }, index, all) => {
    const field = `${at}.matchConditions[${String(index)}].expression`
    if (expression.trim() === '') throw new Error(`${field}: Required value`)
    if (all.findIndex((other) => other.expression === expression) < index) throw duplicate(field, expression)
    try {
      compileReviewCondition(expression)
    } catch (error) {
      throw new Error(`${field}: Invalid value: ${JSON.stringify(expression)}: ${messageOf(error)}`, { cause: error })
    }
    return expression
  })
  if (matchConditions.length > 0)
    oneOf(`${at}.matchConditionSubjectAccessReviewVersion`, webhook.matchConditionSubjectAccessReviewVersion, ['v1'])
  return {
    type: 'Webhook',
    name,
    endpoint: await readKubeconfigEndpoint(kubeConfigFile),
    version,
    authorizedTtlMs: webhook.cacheAuthorizedRequests === false ? 0 : ttl('authorizedTTL', defaults.authorizedTtlMs),
    unauthorizedTtlMs:
      webhook.cacheUnauthorizedRequests === false ? 0 : ttl('unauthorizedTTL', defaults.unauthorizedTtlMs),
    timeoutMs,
    failurePolicy,
    matchConditions,
  }
}

function oneOf<T extends string>(path: string, value: string | undefined, allowed: readonly T[]): T {
  if (value === undefined || value === '') throw new Error(`${path}: Required value`)
  const found = allowed.find((each) => each === value)
  if (found === undefined)
    throw new Error(
      `${path}: Unsupported value: ${JSON.stringify(value)}: supported values: ${allowed.map((each) => JSON.stringify(each)).join(', ')}`,
    )
  return found
}
