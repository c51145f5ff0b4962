import { once } from 'node:events'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminToken, startTestServer, type TestServer } from '../testing/test-server.ts'
import { parseRequestInfo } from './request-info.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const maps = '/api/v1/namespaces/default/configmaps'
const named = (data: unknown): object => ({ metadata: { name: 'x' }, data })

async function raw(text: string): Promise<string> {
  const socket = connect({
    host: '127.0.0.1',
    port: server.address.port,
    ca: server.ca,
    servername: 'localhost',
    ALPNProtocols: ['http/1.1'],
  })
  await once(socket, 'secureConnect')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.end(text)
  await closed
  return Buffer.concat(chunks).toString()
}

describe('hostile requests get the right 4xx', () => {
  it.each([
    ['broken JSON', '{"a":', {}, 400],
    ['an array', '[]', {}, 400],
    ['no body', '', { 'content-length': '0' }, 400],
    ['another kind', { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'x' } }, {}, 400],
    ['another version', { kind: 'ConfigMap', apiVersion: 'v2', metadata: { name: 'x' } }, {}, 400],
    ['a wrong type', named({ a: 1 }), {}, 400],
    ['metadata that is text', { metadata: 'x' }, {}, 400],
    ['deep nesting', '['.repeat(100_000), {}, 400],
    ['an unknown media type', named({}), { 'content-type': 'text/html' }, 415],
    ['too many bytes', Buffer.alloc(3 * 1024 * 1024 + 1, 0x20), {}, 413],
    ['too many values', `[${'0,'.repeat(200_000)}0]`, {}, 413],
    ['an invalid name', { metadata: { name: '../etc' } }, {}, 422],
    [
      'a YAML bomb',
      'a: &a [x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d]',
      { 'content-type': 'application/yaml' },
      400,
    ],
  ])('%s', async (_name, body, headers, code) => {
    const { status, body: answer } = await server.call<{ kind: string; code: number }>(maps, {
      method: 'POST',
      body,
      headers,
    })
    expect(status).toBe(code)
    expect(answer).toMatchObject({ kind: 'Status', code })
  })

  it.each([
    ['GET', '/api/v1/nonsense', 404],
    ['GET', '/apis/no.such.group/v1/things', 404],
    ['GET', '/api/v1/namespaces/%zz/pods', 400],
    ['PATCH', maps, 405],
    ['POST', `${maps}/x/status`, 404],
    ['BREW', '/version', 405],
    ['DELETE', '/version', 405],
    ['GET', `${maps}?limit=many`, 400],
    ['GET', `${maps}?labelSelector=a%20b`, 400],
  ])('%s %s is %i', async (method, path, code) => {
    if (method === 'BREW') {
      expect(await raw(`BREW ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)).toContain('HTTP/1.1 400')
      return
    }
    expect((await server.call(path, { method })).status).toBe(code)
  })

  it('garbage instead of HTTP, and headers without end', async () => {
    expect(await raw('\x00\x01\x02\x03 hello\r\n\r\n')).toContain('HTTP/1.1 400')
    const huge = `GET /version HTTP/1.1\r\nHost: localhost\r\nX: ${'y'.repeat(400_000)}\r\n\r\n`
    expect(await raw(huge)).not.toContain('HTTP/1.1 200')
    expect((await server.call('/version')).status).toBe(200)
  })

  it('a body that stops half-way holds nobody else up', async () => {
    const socket = connect({
      host: '127.0.0.1',
      port: server.address.port,
      ca: server.ca,
      servername: 'localhost',
      ALPNProtocols: ['http/1.1'],
    })
    await once(socket, 'secureConnect')
    socket.on('error', () => undefined)
    socket.write(
      `POST ${maps} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${adminToken}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"meta`,
    )
    expect((await server.call(maps)).status).toBe(200)
    socket.destroy()
  })
})

describe('request info', () => {
  it.each([
    [
      'GET',
      '/api/v1/namespaces/a/pods/b/log',
      false,
      { verb: 'get', resource: 'pods', namespace: 'a', name: 'b', subresource: 'log' },
    ],
    ['GET', '/api/v1/namespaces/a/status', false, { resource: 'namespaces', name: 'a', subresource: 'status' }],
    [
      'PUT',
      '/api/v1/namespaces/a/finalize',
      false,
      { verb: 'update', resource: 'namespaces', subresource: 'finalize' },
    ],
    ['GET', '/api/v1/namespaces/a', false, { verb: 'get', resource: 'namespaces', name: 'a' }],
    ['GET', '/api/v1/pods', true, { verb: 'watch', resource: 'pods', namespace: '' }],
    ['DELETE', '/apis/apps/v1/namespaces/a/deployments', false, { verb: 'deletecollection', group: 'apps' }],
    ['GET', '/api/v1/watch/namespaces/a/pods', false, { verb: 'watch', resource: 'pods', namespace: 'a' }],
    [
      'GET',
      '/api/v1/namespaces/a/services/web:80/proxy/x%2Fy/z',
      false,
      { subresource: 'proxy', name: 'web:80', rest: '/x%2Fy/z' },
    ],
    ['GET', '/apis/apps/v1', false, { isResource: false }],
  ])('%s %s', (method, path, watch, expected) => {
    expect(parseRequestInfo(method, path, watch)).toMatchObject(expected)
  })
})
