// Configuration files of authentication and authorization.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EngineOptions } from '../options.ts'
import { parseAuthenticationConfig, readAuthentication } from './authentication.ts'
import { readAuthorization } from './authorization.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-access-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}
const engine = (options: Partial<EngineOptions>): EngineOptions => ({
  ...{ home: folder, cache: folder, machines: false, foreground: false, logLevel: 'error' },
  ...options,
})
const kubeconfig = `
current-context: main
clusters: [{ name: hook, cluster: { server: 'https://127.0.0.1:8443/authorize' } }]
users: [{ name: me, user: { token: secret } }]
contexts: [{ name: main, context: { cluster: hook, user: me } }]
`

describe('authorization', () => {
  const config = (webhook: string): string => `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- { type: Node, name: node }
- { type: RBAC, name: rbac }
- type: Webhook
  name: hook
  webhook: ${webhook}
`
  const hook = (kubeConfigFile: string, more: object = {}): string =>
    JSON.stringify({
      timeout: '3s',
      authorizedTTL: '1m',
      cacheUnauthorizedRequests: false,
      subjectAccessReviewVersion: 'v1',
      matchConditionSubjectAccessReviewVersion: 'v1',
      failurePolicy: 'Deny',
      connectionInfo: { type: 'KubeConfigFile', kubeConfigFile },
      matchConditions: [{ expression: "request.user != 'ada'" }],
      ...more,
    })
  const read = async (text: string) =>
    readAuthorization(engine({ authorization: { configFile: await file('authorization.yaml', text) } }))

  it('is read from a file', async () => {
    const path = await file('hook.yaml', kubeconfig)
    expect(await read(config(hook(path)))).toEqual([
      'Node',
      'RBAC',
      {
        type: 'Webhook',
        name: 'hook',
        endpoint: { url: 'https://127.0.0.1:8443/authorize', authorization: 'Bearer secret' },
        version: 'v1',
        authorizedTtlMs: 60_000,
        unauthorizedTtlMs: 0,
        timeoutMs: 3000,
        failurePolicy: 'Deny',
        matchConditions: ["request.user != 'ada'"],
      },
    ])
  })

  it.each([
    [{ timeout: '31s' }, 'must be > 0s and <= 30s'],
    [{ failurePolicy: 'Ignore' }, 'authorizers[2].webhook.failurePolicy: Unsupported value: "Ignore"'],
    [{ matchConditions: [{ expression: 'request.usr' }] }, 'authorizers[2].webhook.matchConditions[0].expression'],
  ])('is refused with %j', async (more, why) => {
    const path = await file('hook.yaml', kubeconfig)
    await expect(read(config(hook(path, more)))).rejects.toThrow(why)
  })

  it.each([
    ['- { name: a }', 'authorizers[0].type: Required value'],
    ['- { type: Some, name: a }', 'authorizers[0].type: Unsupported value: "Some"'],
    ['- { type: RBAC, name: a }\n- { type: RBAC, name: b }', 'authorizers[1].type: Duplicate value: "RBAC"'],
    ['- { type: RBAC, name: a }\n- { type: Node, name: a }', 'authorizers[1].name: Duplicate value: "a"'],
    ['- { type: RBAC, name: A_B }', 'authorizers[0].name: Invalid value: "A_B": authorizer name is invalid'],
    ['- { type: RBAC, name: a, webhook: {} }', 'authorizers[0].webhook: Invalid value: "non-null"'],
    ['- { type: Webhook, name: a }', 'authorizers[0].webhook: Required value: required when type=Webhook'],
    [
      `- type: Webhook
  name: a
  webhook:
    timeout: 3s
    subjectAccessReviewVersion: v1
    failurePolicy: Deny
    connectionInfo: { type: KubeConfigFile, kubeConfigFile: hook.yaml }`,
      'kubeConfigFile: Invalid value: "hook.yaml": must be an absolute path',
    ],
  ])('is refused with %s', async (authorizers, why) => {
    const text = `apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\nauthorizers:\n${authorizers}`
    await expect(read(text)).rejects.toThrow(why)
  })

  it('by flags needs the files that modes need', async () => {
    await expect(readAuthorization(engine({ authorizationModes: ['ABAC'] }))).rejects.toThrow(
      '--authorization-mode=ABAC needs --authorization-policy-file',
    )
    const configFile = await file('authorization.yaml', config('{}'))
    await expect(
      readAuthorization(engine({ authorizationModes: ['RBAC'], authorization: { configFile } })),
    ).rejects.toThrow('can not be specified')
  })
})

describe('authentication', () => {
  const config = (text: string): string =>
    `apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n${text}`
  const issuer = "issuer: { url: 'https://example.com', audiences: [app] }"
  const named = "claimMappings: { username: { claim: sub, prefix: '' } }"

  it('is read from a file', () => {
    expect(
      parseAuthenticationConfig(
        config(`
anonymous: { enabled: true, conditions: [{ path: /livez }] }
jwt:
- ${issuer}
  claimMappings:
    username: { claim: sub, prefix: '' }
    groups: { expression: claims.roles }
  claimValidationRules: [{ claim: hd, requiredValue: example.com }]
`),
      ),
    ).toEqual({
      anonymous: { enabled: true, paths: ['/livez'] },
      jwt: [
        expect.objectContaining({
          issuer: { url: 'https://example.com' },
          audiences: ['app'],
          username: { claim: 'sub', prefix: '' },
          groups: { expression: 'claims.roles' },
          claimRules: [{ claim: 'hd', requiredValue: 'example.com' }],
        }),
      ],
    })
  })

  it.each([
    [`jwt: [{ ${issuer} }]`, 'jwt[0].claimMappings.username: Required value'],
    [`jwt: [{ ${issuer}, claimMappings: { username: { claim: sub } } }]`, 'prefix is required when claim is set'],
    [
      `jwt: [{ ${issuer}, claimMappings: { username: { expression: 'claims.(' } } }]`,
      'jwt[0].claimMappings.username.expression: Invalid value',
    ],
    ["jwt: [{ issuer: { url: 'http://example.com', audiences: [a] } }]", 'URL scheme must be https'],
    ['anonymous: { conditions: [{ path: /a }] }', 'enabled should be set to true'],
    [
      "jwt: [{ issuer: { url: 'https://u:p@example.com', audiences: [a] } }]",
      'must not contain a username or password',
    ],
    ["jwt: [{ issuer: { url: 'https://example.com?a', audiences: [a] } }]", 'URL must not contain a query'],
    ["jwt: [{ issuer: { url: 'https://example.com#a', audiences: [a] } }]", 'URL must not contain a fragment'],
    [
      "jwt: [{ issuer: { url: 'https://a.com', discoveryURL: 'https://a.com/', audiences: [a] } }]",
      'discoveryURL must be different from URL',
    ],
    ["jwt: [{ issuer: { url: 'https://a.com', audiences: [''] } }]", "audience can't be empty"],
    [
      "jwt: [{ issuer: { url: 'https://a.com', audiences: [a, a] } }]",
      'jwt[0].issuer.audiences[1]: Duplicate value: "a"',
    ],
    ["jwt: [{ issuer: { url: 'https://a.com', audiences: [a, b] } }]", 'must be MatchAny for multiple audiences'],
    [
      "jwt: [{ issuer: { url: 'https://a.com', audiences: [a], certificateAuthority: x } }]",
      'jwt[0].issuer.certificateAuthority: Invalid value: "<omitted>"',
    ],
    [
      `jwt: [{ ${issuer}, ${named}, claimValidationRules: [{ claim: a, message: m }] }]`,
      'jwt[0].claimValidationRules[0].message: Invalid value: "m": message can\'t be set when claim is set',
    ],
    [
      `jwt: [{ ${issuer}, ${named}, claimValidationRules: [{}] }]`,
      'jwt[0].claimValidationRules[0]: Required value: claim or expression is required',
    ],
    [
      `jwt: [{ ${issuer}, ${named}, claimValidationRules: [{ claim: a }, { claim: a }] }]`,
      'jwt[0].claimValidationRules[1].claim: Duplicate value: "a"',
    ],
    [
      `jwt: [{ ${issuer}, claimMappings: { username: { claim: sub, prefix: '' }, extra: [{ key: foo, valueExpression: claims.a }] } }]`,
      'jwt[0].claimMappings.extra[0].key: Invalid value: "foo": must be a domain-prefixed path',
    ],
  ])('is refused with %s', (text, why) => {
    expect(() => parseAuthenticationConfig(config(text))).toThrow(why)
  })

  it('by flags puts the issuer before names', async () => {
    const oidc = { issuerUrl: 'https://example.com', clientId: 'app' }
    const access = await readAuthentication(engine({ authentication: { oidc } }), { enabled: true })
    expect(access.otherTokens.jwt).toEqual([
      expect.objectContaining({ audiences: ['app'], username: { claim: 'sub', prefix: 'https://example.com#' } }),
    ])
    await expect(
      readAuthentication(engine({ authentication: { oidc: { clientId: 'app' } } }), { enabled: true }),
    ).rejects.toThrow('must be specified together')
  })
})
