import { request } from 'node:https'
import { gunzipSync } from 'node:zlib'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { adminToken, startTestServer, type TestServer } from '../testing/test-server.ts'

const maps = '/api/v1/namespaces/default/configmaps'
const count = 300
let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
  const text = 'wörter'.repeat(1500)
  for (let index = 0; index < count; index += 1) {
    await server.call(maps, { body: { metadata: { name: `m${String(index)}` }, data: { text } } })
  }
})
afterAll(() => server.close())

async function list(headers: Record<string, string>): Promise<{ response: IncomingMessage; bytes: Buffer }> {
  const { host, port } = server.address
  const outgoing = request({
    host,
    port,
    ca: server.ca,
    servername: 'localhost',
    agent: false,
    path: maps,
    headers: { authorization: `Bearer ${adminToken}`, ...headers },
  })
  outgoing.end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  return { response, bytes: Buffer.concat(parts) }
}

it('is whole, in order, and each object is as a get shows it but for its type, which the list says', async () => {
  const { response, bytes } = await list({})
  expect(response.headers['content-type']).toBe('application/json')
  const { kind, metadata, items } = JSON.parse(bytes.toString()) as KubeObject & { items: KubeObject[] }
  expect(kind).toBe('ConfigMapList')
  expect(metadata.resourceVersion).toBe(String(server.store.revision))
  expect(items).toHaveLength(count)
  const names = items.map((item) => item.metadata.name ?? '')
  expect(names).toEqual([...names].sort())
  const { body } = await server.call(`${maps}/m7`)
  expect({ kind: 'ConfigMap', apiVersion: 'v1', ...items.find((item) => item.metadata.name === 'm7') }).toEqual(body)
})

it('is the same compressed', async () => {
  const plain = await list({})
  const { response, bytes } = await list({ 'accept-encoding': 'gzip' })
  expect(response.headers['content-encoding']).toBe('gzip')
  expect(gunzipSync(bytes).equals(plain.bytes)).toBe(true)
})

it('ends with its client, and the server goes on', async () => {
  const { host, port } = server.address
  const headers = { authorization: `Bearer ${adminToken}` }
  for (let round = 0; round < 5; round += 1) {
    const outgoing = request({ host, port, ca: server.ca, servername: 'localhost', agent: false, path: maps, headers })
    outgoing.on('error', () => undefined)
    outgoing.end()
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    response.on('error', () => undefined)
    response.destroy()
  }
  expect((await list({})).response.statusCode).toBe(200)
})
