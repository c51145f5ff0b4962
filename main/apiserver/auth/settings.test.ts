// What the flags of authentication and authorization change.
import { generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { createAuthority, issueCertificate } from '../../pki/certificates.ts'
import type { ApiServerOptions } from '../apiserver.ts'
import { serviceAccountKeys, startTestServer, type TestServer } from '../testing/test-server.ts'

let server: TestServer | undefined
afterEach(() => server?.close())

const start = async ({
  trustedCa,
  ...settings
}: Partial<ApiServerOptions> & { trustedCa?: string }): Promise<TestServer> => {
  server = await startTestServer({ settings, ...(trustedCa === undefined ? {} : { trustedCa }) })
  return server
}

interface Review {
  status: {
    userInfo: { username: string; groups: string[]; extra?: object; uid?: string }
    allowed: boolean
    reason?: string
  }
}
const whoAmI = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
const whoBody = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }

describe('anonymous requests', () => {
  it('are refused when they are not wanted', async () => {
    const { call } = await start({ anonymousAuth: { enabled: false } })
    expect((await call('/healthz', { token: undefined })).status).toBe(401)
    expect((await call('/healthz')).status).toBe(200)
  })
})

describe('authorization modes', () => {
  it('decide in order, administrators apart', async () => {
    const { call } = await start({
      authorizationModes: ['AlwaysDeny'],
      tokens: new Map([['t', { name: 't', groups: [] }]]),
    })
    expect((await call<{ message: string }>('/version', { token: 't' })).body.message).toContain(
      'Everything is forbidden.',
    )
  })

  it('let everybody in when asked to', async () => {
    const { call } = await start({ authorizationModes: ['AlwaysAllow'] })
    expect((await call('/api/v1/secrets', { token: undefined })).status).toBe(200)
  })

  it('say which binding allowed something', async () => {
    const { call } = await start({})
    const { body } = await call<Review>('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user: 'x', groups: ['system:authenticated'], nonResourceAttributes: { path: '/api', verb: 'get' } },
      },
    })
    expect(body.status).toEqual({
      allowed: true,
      reason:
        'RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" to Group "system:authenticated"',
    })
  })
})

describe('front proxies', () => {
  it('say who the user is; nobody else may', async () => {
    const proxies = await createAuthority('proxies')
    const { call, authority } = await start({
      trustedCa: proxies.cert,
      requestHeader: {
        clientCa: proxies.cert,
        allowedNames: ['front'],
        usernameHeaders: ['X-Remote-User'],
        uidHeaders: ['X-Remote-Uid'],
        groupHeaders: ['X-Remote-Group'],
        extraHeaderPrefixes: ['X-Remote-Extra-'],
      },
    })
    const headers = {
      'x-remote-user': 'jane',
      'x-remote-uid': 'u-1',
      'x-remote-group': 'system:masters',
      'x-remote-extra-a%2fb': 'c',
    }
    const front = await issueCertificate(proxies, { commonName: 'front', usages: ['client'] })
    const { body } = await call<Review>(whoAmI, { body: whoBody, headers, certificate: front })
    expect(body.status.userInfo).toEqual({
      username: 'jane',
      uid: 'u-1',
      groups: ['system:masters', 'system:authenticated'],
      extra: { 'a/b': ['c'] },
    })
    const stranger = await issueCertificate(proxies, { commonName: 'stranger', usages: ['client'] })
    const user = await issueCertificate(authority, { commonName: 'front', usages: ['client'] })
    const asStranger = await call<{ message: string }>(whoAmI, { body: whoBody, headers, certificate: stranger })
    expect(asStranger.body.message).toContain('User "system:anonymous"')
    const asUser = await call<Review>(whoAmI, { body: whoBody, headers, certificate: user })
    expect(asUser.body.status.userInfo.username).toBe('front')
  })
})

describe('impersonation', () => {
  const headers = {
    'impersonate-user': 'jane',
    'impersonate-uid': 'u-1',
    'impersonate-extra-scopes%2fview': 'a',
  }

  it('takes on user, groups, uid and extra', async () => {
    const { call } = await start({})
    const { body } = await call<Review>(whoAmI, { body: whoBody, headers: { ...headers, 'impersonate-group': 'devs' } })
    expect(body.status.userInfo).toEqual({
      username: 'jane',
      uid: 'u-1',
      groups: ['devs', 'system:authenticated'],
      extra: { 'scopes/view': ['a'] },
    })
  })

  it('needs leave for each of them, and a user', async () => {
    const { call } = await start({ tokens: new Map([['t', { name: 't', groups: [] }]]) })
    expect((await call(whoAmI, { body: whoBody, headers, token: 't' })).status).toBe(403)
    const nobody = await call(whoAmI, {
      body: whoBody,
      headers: { 'impersonate-group': 'g' },
      token: 't',
    })
    expect([nobody.status, nobody.body['message']]).toEqual([
      400,
      'requested [{Group  g  v1  }] without impersonating a user',
    ])
  })
})

describe('service account keys', () => {
  it('that only verify are published, and their tokens accepted', async () => {
    const pem = (key: typeof serviceAccountKeys.publicKey): string =>
      key.export({ type: 'spki', format: 'pem' }).toString()
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const issuer = 'https://issuer.example'
    const signing = {
      privatePem: other.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      publicPem: pem(other.publicKey),
    }
    const { call } = await start({
      serviceAccountKey: { ...signing, issuer, verifyPems: [pem(serviceAccountKeys.publicKey)], audiences: ['api'] },
    })
    const keys = (await call<{ keys: { kid: string; alg: string }[] }>('/openid/v1/jwks')).body.keys
    expect(keys.map(({ alg }) => alg)).toEqual(['RS256', 'ES256'])
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(2)
    const configuration = await call('/.well-known/openid-configuration')
    expect(configuration.body).toMatchObject({ issuer, jwks_uri: `${issuer}/openid/v1/jwks` })
    await call('/api/v1/namespaces/default/serviceaccounts', {
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a' } },
    })
    const { body } = await call<{ status: { token: string } }>('/api/v1/namespaces/default/serviceaccounts/a/token', {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    })
    const me = await call<Review>(whoAmI, { body: whoBody, token: body.status.token })
    expect(me.body.status.userInfo.username).toBe('system:serviceaccount:default:a')
    const review = (audiences: string[]) =>
      call<{ status: object }>('/apis/authentication.k8s.io/v1/tokenreviews', {
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token: body.status.token, audiences },
        },
      })
    expect((await review(['api', 'x'])).body.status).toMatchObject({ authenticated: true, audiences: ['api'] })
    expect((await review(['x'])).body.status).not.toHaveProperty('authenticated')
  })
})
