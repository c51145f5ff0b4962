// Tokens of others: bootstrap tokens, OpenID Connect, webhooks.
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { createManualClock, type ManualClock } from '../../../../common/client/testing/manual-clock.ts'
import { createAuthority, issueCertificate } from '../../../pki/certificates.ts'
import { startTestServer, type TestServer } from '../../testing/test-server.ts'
import type { JwtOptions } from './jwt.ts'
import type { TokenSettings } from './settings.ts'

const open: (Server | HttpsServer)[] = []
let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  for (const each of open.splice(0)) {
    each.closeAllConnections()
    each.close()
  }
})

async function listen(each: Server | HttpsServer): Promise<number> {
  open.push(each)
  await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve))
  return (each.address() as AddressInfo).port
}

const start = async (otherTokens: TokenSettings, clock?: ManualClock): Promise<TestServer> =>
  (server = await startTestServer({ settings: { otherTokens }, ...(clock === undefined ? {} : { clock }) }))

interface Who {
  status: { userInfo: { username: string; uid?: string; groups: string[]; extra?: object } }
}

const whoAmI = ({ call }: TestServer, token: string) =>
  call<Who>('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    token,
  })

/** An issuer on loopback: its options, and tokens of it. */
async function startIssuer(): Promise<{
  issuer: JwtOptions['issuer']
  sign: (claims: Record<string, unknown>, key?: string) => Promise<string>
  addKey: (kid: string) => Promise<void>
}> {
  const authority = await createAuthority('issuer')
  const certificate = await issueCertificate(authority, {
    commonName: 'issuer',
    addresses: ['127.0.0.1'],
    dnsNames: [],
    usages: ['server'],
  })
  const keys = new Map<string, Awaited<ReturnType<typeof generateKeyPair>>>()
  const addKey = async (kid: string): Promise<void> => {
    keys.set(kid, await generateKeyPair('RS256'))
  }
  await addKey('one')
  let url = ''
  const documents: Record<string, () => Promise<object>> = {
    '/.well-known/openid-configuration': () => Promise.resolve({ issuer: url, jwks_uri: `${url}/keys` }),
    '/keys': async () => ({
      keys: await Promise.all(
        [...keys].map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid, alg: 'RS256' })),
      ),
    }),
  }
  const port = await listen(
    createHttpsServer({ cert: certificate.cert, key: certificate.key }, (req, res) => {
      void documents[req.url ?? '']?.().then((document) => res.end(JSON.stringify(document)))
    }),
  )
  url = `https://127.0.0.1:${String(port)}`
  return {
    issuer: { url, ca: authority.cert },
    addKey,
    async sign(claims, key = 'one') {
      const { privateKey } = keys.get(key) ?? (await generateKeyPair('RS256'))
      const seconds = Math.floor(Date.UTC(2026, 0, 1) / 1000)
      return new SignJWT({ iss: url, aud: 'app', sub: 'ada', exp: seconds + 3600, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: key })
        .sign(privateKey)
    },
  }
}

const jwt = (issuer: JwtOptions['issuer'], more: Partial<JwtOptions> = {}): JwtOptions => ({
  issuer,
  audiences: ['app'],
  algorithms: ['RS256'],
  username: { claim: 'sub', prefix: 'oidc:' },
  groups: { claim: 'groups', prefix: 'oidc:' },
  extra: [],
  claimRules: [],
  userRules: [],
  ...more,
})

describe('tokens of an issuer', () => {
  it('name user and groups by their claims', async () => {
    const { issuer, sign } = await startIssuer()
    const plane = await start({ jwt: [jwt(issuer)] }, createManualClock())
    const { body } = await whoAmI(plane, await sign({ groups: ['a', 'b'] }))
    expect(body.status.userInfo).toEqual({
      username: 'oidc:ada',
      groups: ['oidc:a', 'oidc:b', 'system:authenticated'],
    })
    expect((await whoAmI(plane, await sign({ groups: 'a' }))).body.status.userInfo.groups).toContain('oidc:a')
  })

  it('are refused for another audience, out of their time, and with a key that is not the issuer’s', async () => {
    const { issuer, sign } = await startIssuer()
    const clock = createManualClock()
    const plane = await start({ jwt: [jwt(issuer)] }, clock)
    const good = await sign({})
    expect((await whoAmI(plane, good)).status).toBe(201)
    expect((await whoAmI(plane, await sign({ aud: 'other' }))).status).toBe(401)
    expect((await whoAmI(plane, await sign({ exp: 1 }))).status).toBe(401)
    expect((await whoAmI(plane, await sign({}, 'made up'))).status).toBe(401)
    await clock.advance(3_601_000)
    expect((await whoAmI(plane, good)).status).toBe(401)
  })

  it('may be signed with a key that is new', async () => {
    const { issuer, sign, addKey } = await startIssuer()
    const clock = createManualClock()
    const plane = await start({ jwt: [jwt(issuer)] }, clock)
    expect((await whoAmI(plane, await sign({}))).status).toBe(201)
    await addKey('two')
    await clock.advance(11_000)
    expect((await whoAmI(plane, await sign({}, 'two'))).status).toBe(201)
  })

  it('are mapped and judged by expressions', async () => {
    const { issuer, sign } = await startIssuer()
    const plane = await start(
      {
        jwt: [
          jwt(issuer, {
            username: { expression: "claims.email.split('@')[0]" },
            groups: { expression: "claims.roles.map(role, 'role:' + role)" },
            uid: { claim: 'sub', prefix: '' },
            extra: [{ key: 'example.com/tenant', valueExpression: 'claims.tenant' }],
            claimRules: [{ expression: "claims.tenant in ['one', 'two']", message: 'unknown tenant' }],
            userRules: [{ expression: "!user.username.startsWith('system:')", message: 'reserved' }],
          }),
        ],
      },
      createManualClock(),
    )
    const claims = { email: 'ada@example.com', roles: ['dev'], tenant: 'one' }
    expect((await whoAmI(plane, await sign(claims))).body.status.userInfo).toEqual({
      username: 'ada',
      uid: 'ada',
      groups: ['role:dev', 'system:authenticated'],
      extra: { 'example.com/tenant': ['one'] },
    })
    expect((await whoAmI(plane, await sign({ ...claims, tenant: 'three' }))).status).toBe(401)
    expect((await whoAmI(plane, await sign({ ...claims, email: 'system:admin@x' }))).status).toBe(401)
  })

  it('are forgotten with their issuer', async () => {
    const { issuer, sign } = await startIssuer()
    const plane = await start({ jwt: [jwt(issuer)] }, createManualClock())
    const token = await sign({})
    expect((await whoAmI(plane, token)).status).toBe(201)
    plane.api.authenticateBy({ anonymous: { enabled: true, paths: ['/healthz'] }, otherTokens: {} })
    expect((await whoAmI(plane, token)).status).toBe(401)
    expect((await plane.call('/healthz', { token: undefined })).status).toBe(200)
    expect((await plane.call('/version', { token: undefined })).status).toBe(401)
  })
})

it('a webhook is asked about tokens that nobody else knows, once in a while', async () => {
  const asked: { spec: { token: string } }[] = []
  const port = await listen(
    createHttpServer((req, res) => {
      const chunks: Buffer[] = []
      req.on('data', (chunk: Buffer) => chunks.push(chunk))
      req.on('end', () => {
        const review = JSON.parse(Buffer.concat(chunks).toString()) as (typeof asked)[number]
        asked.push(review)
        const authenticated = review.spec.token === 'good'
        const user = { username: 'ada', uid: '7', groups: ['dev'], extra: { scope: ['a'] } }
        res.end(JSON.stringify({ ...review, status: authenticated ? { authenticated, user } : { error: 'no' } }))
      })
    }),
  )
  const endpoint = { url: `http://127.0.0.1:${String(port)}/` }
  const clock = createManualClock()
  const plane = await start({ webhook: { endpoint, version: 'v1', ttlMs: 120_000 } }, clock)
  for (let time = 0; time < 2; time += 1) {
    expect((await whoAmI(plane, 'good')).body.status.userInfo).toEqual({
      username: 'ada',
      uid: '7',
      groups: ['dev', 'system:authenticated'],
      extra: { scope: ['a'] },
    })
    expect((await whoAmI(plane, 'bad')).status).toBe(401)
  }
  expect(asked).toHaveLength(2)
  expect(asked[0]).toMatchObject({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token: 'good', audiences: ['https://kubernetes.default.svc.cluster.local'] },
  })
  await clock.advance(121_000)
  await whoAmI(plane, 'good')
  expect(asked).toHaveLength(3)
})

describe('bootstrap tokens', () => {
  const token = 'abcdef.0123456789abcdef'
  const secret = (stringData: Record<string, string>) => ({
    metadata: { name: 'bootstrap-token-abcdef' },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-authentication': 'true',
      ...stringData,
    },
  })
  const who = async (data: Record<string, string>): Promise<{ status: number; body: Who }> => {
    const plane = await start({ bootstrapTokens: true })
    await plane.call('/api/v1/namespaces/kube-system/secrets', { body: secret(data) })
    return whoAmI(plane, token)
  }

  it('are secrets of kube-system', async () => {
    const { body } = await who({ 'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token' })
    expect(body.status.userInfo).toEqual({
      username: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token', 'system:authenticated'],
    })
  })

  it.each<Record<string, string>>([
    { 'token-secret': 'ffffffffffffffff' },
    { 'usage-bootstrap-authentication': 'false' },
    { expiration: '2020-01-01T00:00:00Z' },
    { 'auth-extra-groups': 'system:masters' },
    { 'token-id': 'other1' },
  ])('with %j are refused', async (data) => {
    expect((await who(data)).status).toBe(401)
  })
})
