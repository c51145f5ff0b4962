import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { decodeProtobuf } from './decode.ts'
import { wireFacts } from './load-facts.ts'

const protobuf = 'application/vnd.kubernetes.protobuf'
let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
  for (const name of ['one', 'two'])
    await server.call('/api/v1/namespaces/default/configmaps', {
      body: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, labels: { set: 'x' } },
        data: { key: `é ${name}` },
      },
    })
})
afterAll(() => server.close())

const ask = (path: string, accept: string) => server.call(path, { headers: { accept } })
const decode = (bytes: Buffer): Record<string, unknown> => decodeProtobuf(bytes, wireFacts())

describe('protobuf answers', () => {
  it.each([
    '/api/v1/namespaces/default/configmaps/one',
    '/api/v1/namespaces/default/services/kubernetes',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin',
  ])('hold what JSON holds: %s', async (path) => {
    const answer = await ask(path, `${protobuf},application/json`)
    expect(answer.headers['content-type']).toBe(protobuf)
    const json = (await ask(path, 'application/json')).body
    // Empty lists do not exist on this wire.
    const present = Object.fromEntries(
      Object.entries(json).filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
    )
    expect(decode(answer.bytes)).toMatchObject(present)
  })

  it('gives lists, of whole objects and of their metadata', async () => {
    const path = '/api/v1/namespaces/default/configmaps?labelSelector=set%3Dx'
    const list = decode((await ask(path, protobuf)).bytes) as { kind: string; items: { data: object }[] }
    expect(list.kind).toBe('ConfigMapList')
    expect(list.items.map(({ data }) => data)).toEqual([{ key: 'é one' }, { key: 'é two' }])
    const partial = await ask(path, `${protobuf};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`)
    expect(decode(partial.bytes)).toMatchObject({
      kind: 'PartialObjectMetadataList',
      items: [{ metadata: { name: 'one' } }, { metadata: { name: 'two' } }],
    })
  })

  it('gives errors and discovery in protobuf too', async () => {
    const missing = await ask('/api/v1/namespaces/default/configmaps/none', protobuf)
    expect([missing.status, missing.headers['content-type']]).toEqual([404, protobuf])
    expect(decode(missing.bytes)).toMatchObject({ kind: 'Status', reason: 'NotFound', code: 404 })
    expect(decode((await ask('/api', protobuf)).bytes)).toMatchObject({ kind: 'APIVersions', versions: ['v1'] })
    expect(decode((await ask('/apis/apps/v1', protobuf)).bytes)).toMatchObject({ groupVersion: 'apps/v1' })
  })

  it('streams frames of watch events', async () => {
    const { headers, bytes } = await ask(
      '/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=0&timeoutSeconds=1&labelSelector=set%3Dx',
      protobuf,
    )
    expect(headers['content-type']).toBe(`${protobuf};stream=watch`)
    const names: unknown[] = []
    for (let at = 0; at < bytes.length;) {
      const frame = bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at))
      at += 4 + frame.length
      expect(frame.subarray(2, 7).toString()).toBe('ADDED')
      names.push((decode(frame.subarray(frame.indexOf('k8s\0'))) as { metadata: { name: string } }).metadata.name)
    }
    expect(names).toEqual(['one', 'two'])
  })

  it.each([
    ['Tables', `${protobuf};as=Table;g=meta.k8s.io;v=v1`, 406, 'application/json'],
    ['the next best', `${protobuf};as=Table;g=meta.k8s.io;v=v1, application/json;q=0.5`, 200, 'application/json'],
    ['quality', `application/json;q=0.1, ${protobuf};q=0.2`, 200, protobuf],
    ['specific types', `*/*, ${protobuf}`, 200, protobuf],
    ['kinds without a protobuf form', protobuf, 406, 'application/json', '/apis/lab.orrery.dev/v1alpha1/labs'],
  ])('negotiates %s', async (_what, accept, status, type, path = '/api/v1/namespaces/default/configmaps') => {
    const answer = await ask(path, accept)
    expect([answer.status, answer.headers['content-type']]).toEqual([status, type])
  })
})
