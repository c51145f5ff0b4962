import { connect } from 'node:http2'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { adminToken, startTestServer, type TestServer } from '../testing/test-server.ts'

let server: TestServer
afterEach(() => server.close())

describe('web pages', () => {
  const allowed = 'https://dashboard.example.com'

  it('of origins that were let in by name may use the API', async () => {
    server = await startTestServer({ settings: { http: { corsAllowedOrigins: ['^https://dashboard\\.'] } } })
    const { status, headers } = await server.call('/version', { headers: { origin: allowed } })
    expect([status, headers['access-control-allow-origin']]).toEqual([200, allowed])
    const preflight = await server.call('/api/v1/pods', {
      method: 'OPTIONS',
      token: undefined,
      headers: { origin: allowed },
    })
    expect([preflight.status, preflight.headers['access-control-allow-methods']]).toEqual([
      204,
      'POST, GET, OPTIONS, PUT, DELETE, PATCH',
    ])
  })

  it('of other origins may not', async () => {
    server = await startTestServer({ settings: { http: { corsAllowedOrigins: ['^https://dashboard\\.'] } } })
    const { status, headers } = await server.call('/version', { headers: { origin: 'https://evil.example.com' } })
    expect([status, headers['access-control-allow-origin']]).toEqual([403, undefined])
  })
})

it('says that only TLS is spoken', async () => {
  const strictTransportSecurity = ['max-age=31536000', 'includeSubDomains']
  server = await startTestServer({ settings: { http: { strictTransportSecurity } } })
  const { headers } = await server.call('/version')
  expect(headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains')
})

it('asks clients to connect anew, after their answer', async () => {
  server = await startTestServer({ settings: { http: { goawayChance: 1 } } })
  const client = connect(`https://127.0.0.1:${String(server.address.port)}`, { ca: server.ca, servername: 'localhost' })
  const goaway = once(client, 'goaway')
  const stream = client.request({ ':path': '/version', authorization: `Bearer ${adminToken}` })
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
  expect(headers[':status']).toBe(200)
  await goaway
  client.destroy()
})

describe('the time a request may take', () => {
  it.each(['/version', '/api/v1/namespaces/default/configmaps'])('is refused when it is none: %s', async (path) => {
    server = await startTestServer()
    const { status, body } = await server.call(`${path}?timeout=invalid`)
    expect([status, body['message']]).toEqual([
      400,
      'invalid timeout specified in the request URL - time: invalid duration "invalid"',
    ])
    expect((await server.call(`${path}?timeout=0s`)).status).toBe(200)
    expect((await server.call(`${path}?timeout=24h`)).status).toBe(200)
  })

  it('ends it', async () => {
    // An answer that never comes.
    server = await startTestServer({ settings: { fallback: () => new Promise<never>(() => undefined) } })
    const { status, body } = await server.call('/slow?timeout=10ms')
    expect([status, body['reason']]).toEqual([504, 'Timeout'])
  })
})

it('serves what it is told to', async () => {
  server = await startTestServer({ settings: { serves: ({ group }) => group !== 'batch' } })
  expect((await server.call('/apis/batch/v1/jobs')).status).toBe(404)
  expect((await server.call('/apis/apps/v1/deployments')).status).toBe(200)
  const { body } = await server.call<{ groups: { name: string }[] }>('/apis')
  expect(body.groups.map(({ name }) => name)).not.toContain('batch')
})
