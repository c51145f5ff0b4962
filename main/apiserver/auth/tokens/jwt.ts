// Tokens of other issuers (OpenID Connect): who they name is said by their claims, as the configuration maps them.
import { decodeJwt, jwtVerify, type JWTPayload } from 'jose'
import { Budget, type Program } from '../../cel/compile.ts'
import { compileFor, userInfo } from '../../cel/environments.ts'
import { fromJson, toJson } from '../../cel/values.ts'
import { dyn } from '../../cel/types.ts'
import { ExpiringCache } from '../remote/expiring-cache.ts'
import type { UserInfo } from '../user-info.ts'
import { IssuerKeys, type IssuerOptions } from './issuer-keys.ts'
import type { TokenAuthenticator, TokenUser } from './token-authenticator.ts'

/** A claim with what is put before its value, or an expression over `claims`. */
export type ClaimMapping = { readonly claim: string; readonly prefix: string } | { readonly expression: string }

export interface JwtOptions {
  readonly issuer: IssuerOptions
  readonly audiences: readonly string[]
  readonly algorithms: readonly string[]
  readonly username: ClaimMapping
  readonly groups?: ClaimMapping
  readonly uid?: ClaimMapping
  readonly extra: readonly { readonly key: string; readonly valueExpression: string }[]
  readonly claimRules: readonly (
    | { readonly claim: string; readonly requiredValue: string }
    | { readonly expression: string; readonly message: string }
  )[]
  readonly userRules: readonly { readonly expression: string; readonly message: string }[]
}

/** As upstream: an answer is believed this long without looking at the token again. */
const rememberMs = 10_000
const costLimit = 10_000_000

type Read = (claims: JWTPayload) => unknown
type Check = (claims: JWTPayload, user: object | undefined) => void

/** Throws CompileError and WrongResult for an expression that cannot be used. */
export const compileClaims = (expression: string, result: 'any' | 'bool' | 'string' = 'any'): Program =>
  compileFor(expression, { variables: ['claims'], result })
export const compileUserRule = (expression: string): Program =>
  compileFor(expression, { variables: ['user'], result: 'bool' })

export class JwtAuthenticator implements TokenAuthenticator {
  readonly #options: JwtOptions
  readonly #keys: IssuerKeys
  readonly #now: () => number
  readonly #users: ExpiringCache<TokenUser>
  readonly #username: Read
  readonly #groups: Read
  readonly #uid: Read
  readonly #extra: readonly { readonly key: string; readonly read: Read }[]
  readonly #checks: readonly Check[]

  /** `now`: milliseconds. */
  constructor(options: JwtOptions, now: () => number) {
    this.#options = options
    this.#now = now
    this.#keys = new IssuerKeys(options.issuer, now)
    this.#users = new ExpiringCache(now)
    this.#username = reader(options.username)
    this.#groups = reader(options.groups)
    this.#uid = reader(options.uid)
    this.#extra = options.extra.map(({ key, valueExpression }) => ({
      key,
      read: reader({ expression: valueExpression }),
    }))
    this.#checks = [...options.claimRules.map(claimCheck), ...options.userRules.map(userCheck)]
  }

  close(): void {
    this.#keys.close()
  }

  async authenticate(token: string): Promise<TokenUser | undefined> {
    const { issuer, audiences, algorithms, username } = this.#options
    if (issuerOf(token) !== issuer.url) return undefined
    const known = this.#users.get(token)
    if (known !== undefined) return known
    const now = this.#now()
    const { payload } = await jwtVerify(token, this.#keys.find, {
      issuer: issuer.url,
      audience: [...audiences],
      algorithms: [...algorithms],
      currentDate: new Date(now),
      requiredClaims: ['exp'],
    })
    for (const check of this.#checks) check(payload, undefined)
    if ('claim' in username && username.claim === 'email' && (payload['email_verified'] ?? true) !== true)
      throw new Error('oidc: email not verified')
    const user = this.#userOf(payload)
    const shown = { username: user.name, uid: user.uid ?? '', groups: user.groups, extra: user.extra ?? {} }
    for (const check of this.#checks) check(payload, shown)
    const found = { user }
    this.#users.set(token, found, Math.min(rememberMs, (payload.exp ?? 0) * 1000 - now))
    return found
  }

  #userOf(claims: JWTPayload): UserInfo {
    const name = this.#username(claims)
    if (typeof name !== 'string' || name === '') throw new Error('oidc: the token names no user')
    const groups = textsOf(this.#groups(claims))
    const uid = this.#uid(claims)
    const extra = Object.fromEntries(
      this.#extra
        .map(({ key, read }) => [key, textsOf(read(claims))] as const)
        .filter(([, values]) => values.length > 0),
    )
    return {
      name,
      groups,
      ...(typeof uid === 'string' && uid !== '' ? { uid } : {}),
      ...(Object.keys(extra).length === 0 ? {} : { extra }),
    }
  }
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}

function reader(mapping: ClaimMapping | undefined): Read {
  if (mapping === undefined) return () => undefined
  if ('expression' in mapping) {
    const program = compileClaims(mapping.expression)
    return (claims) => toJson(program.run({ claims: fromJson(claims, dyn) }, new Budget(costLimit)))
  }
  const { claim, prefix } = mapping
  return (claims) => {
    const value = claims[claim]
    if (typeof value === 'string') return `${prefix}${value}`
    return Array.isArray(value) ? value.map((each) => `${prefix}${String(each)}`) : value
  }
}

function claimCheck(rule: JwtOptions['claimRules'][number]): Check {
  if ('claim' in rule)
    return (claims, user) => {
      if (user === undefined && claims[rule.claim] !== rule.requiredValue)
        throw new Error(`oidc: required claim ${rule.claim} is not ${rule.requiredValue}`)
    }
  const program = compileClaims(rule.expression, 'bool')
  return (claims, user) => {
    if (user !== undefined) return
    if (program.run({ claims: fromJson(claims, dyn) }, new Budget(costLimit)) !== true)
      throw new Error(`oidc: validation expression '${rule.expression}' failed: ${rule.message}`)
  }
}

function userCheck({ expression, message }: JwtOptions['userRules'][number]): Check {
  const program = compileUserRule(expression)
  return (_claims, user) => {
    if (user === undefined) return
    if (program.run({ user: fromJson(user, userInfo) }, new Budget(costLimit)) !== true)
      throw new Error(`oidc: validation expression '${expression}' failed: ${message}`)
  }
}

/** A single text counts as a list of one; nothing as an empty one. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value]
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string' && each !== '') : []
}
