import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestServer, type TestServer } from './testing/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

it.each(['healthz', 'livez', 'readyz'])('names the checks that monitoring asks for: /%s', async (endpoint) => {
  const { status, text } = await server.call(`/${endpoint}?verbose=1`)
  expect(status).toBe(200)
  const lines = text.split('\n')
  for (const name of [
    'ping',
    'log',
    'etcd',
    'poststarthook/start-kube-apiserver-admission-initializer',
    'poststarthook/crd-informer-synced',
    'poststarthook/rbac/bootstrap-roles',
    'poststarthook/scheduling/bootstrap-system-priority-classes',
    'poststarthook/kube-apiserver-autoregistration',
    'autoregister-completion',
    ...(endpoint === 'readyz' ? ['informer-sync', 'shutdown'] : []),
  ])
    expect(lines).toContain(`[+]${name} ok`)
  expect(lines.at(-2)).toBe(`${endpoint} check passed`)
})

it('is not ready when it is about to close, but alive', async () => {
  server.api.announceShutdown()
  const ready = await server.call('/readyz')
  expect(ready.status).toBe(500)
  expect(ready.text).toContain('[-]shutdown failed: reason withheld')
  expect((await server.call('/livez')).status).toBe(200)
  expect((await server.call('/readyz?exclude=shutdown')).status).toBe(200)
})
