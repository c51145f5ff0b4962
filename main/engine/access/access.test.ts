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
