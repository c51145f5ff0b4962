import { encode, Tagged } from 'cborg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { decodeCbor } from './decode.ts'
import { encodeCbor } from './encode.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('decoding', () => {
  it.each([
    ['byte strings as text', '43 616263', 'abc'],
    ['the self-described tag', 'd9d9f7 43 616263', 'abc'],
    ['bytes that are base64 later', 'd6 43 010203', 'AQID'],
    ['tagged times', 'c0 74 323032362d30312d30325430333a30343a30355a', '2026-01-02T03:04:05Z'],
    ['times since the epoch', 'c1 fb 41d6955555600000', '2018-01-09T23:50:45.5Z'],
    ['strings in parts', '7f 62 6162 61 63 ff', 'abc'],
    ['byte strings in parts', '5f 42 6162 41 63 ff', 'abc'],
    ['endless arrays and maps', '9f bf 41 61 01 ff 02 ff', [{ a: 1 }, 2]],
    ['unknown tags as their content', 'd8 64 81 01', [1]],
    ['__proto__ as a key', 'a1 49 5f5f70726f746f5f5f 01', JSON.parse('{"__proto__":1}')],
    ['large numbers', '1b 7fffffffffffffff', 2 ** 63],
  ])('reads %s', (_what, text, value) => {
    expect(decodeCbor(hex(text))).toEqual(value)
  })

  it.each([
    ['nothing', ''],
    ['half an item', '43 61'],
    ['two items', '01 02'],
    ['duplicate keys', 'a2 41 61 01 61 61 02'],
    ['keys that are no text', 'a1 01 01'],
    ['undefined', 'f7'],
    ['other simple values', 'e0'],
    ['NaN', 'f9 7e00'],
    ['infinity', 'f9 7c00'],
    ['bignums', 'c2 42 0100'],
    ['numbers beyond 64 bits', '1b 8000000000000000'],
    ['text that is not UTF-8', '61 ff'],
    ['a tagged time that is none', 'c0 63 616263'],
    ['a break where none may be', '81 ff'],
    ['a break in place of a value', 'bf 41 61 ff'],
    ['parts of the wrong kind', '7f 41 61 ff'],
    ['parts inside parts', '7f 7f 61 61 ff ff'],
    ['a length that is not there', '9b 00000000 ffffffff 01'],
    ['depth', '81'.repeat(65) + '01'],
    ['endless depth', '9f'.repeat(100_000)],
  ])('refuses %s', (_what, text) => {
    expect(() => decodeCbor(hex(text))).toThrow(/^unable to determine group\/version\/kind: cbor: /)
  })

  it('takes what it wrote', () => {
    const value = { a: [1, -2, 1.5, 'é', true, null, {}], long: 'x'.repeat(70_000) }
    expect(decodeCbor(encodeCbor(value))).toEqual(value)
  })
})

describe('the API in CBOR', () => {
  const cbor = 'application/cbor'
  const maps = '/api/v1/namespaces/default/configmaps'
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.close())

  const headers = { accept: cbor, 'content-type': cbor }
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: { key: 'é' } }

  it('takes and gives objects, lists, metadata and tables', async () => {
    const created = await server.call(maps, { headers, body: encodeCbor(object) })
    expect([created.status, created.headers['content-type']]).toEqual([201, cbor])
    expect(created.bytes.subarray(0, 3)).toEqual(hex('d9d9f7'))
    expect(decodeCbor(created.bytes)).toMatchObject(object)

    const list = await server.call(maps, { headers })
    expect(decodeCbor(list.bytes)).toEqual((await server.call(maps)).body)
    for (const [as, path] of [
      ['PartialObjectMetadataList', maps],
      ['PartialObjectMetadata', `${maps}/one`],
      ['Table', maps],
    ] as const) {
      const shaped = await server.call(path, { headers: { accept: `${cbor};as=${as};g=meta.k8s.io;v=v1` } })
      expect([shaped.headers['content-type'], decodeCbor(shaped.bytes)]).toMatchObject([cbor, { kind: as }])
    }
  })

  it('applies', async () => {
    const applied = await server.call(`${maps}/applied?fieldManager=test`, {
      method: 'PATCH',
      headers: { ...headers, 'content-type': 'application/apply-patch+cbor' },
      body: encodeCbor({ ...object, metadata: { name: 'applied' } }),
    })
    expect(applied.status).toBe(201)
    expect(decodeCbor(applied.bytes)).toMatchObject({
      metadata: { managedFields: [{ operation: 'Apply', fieldsV1: { 'f:data': { 'f:key': {} } } }] },
    })
  })

  it('reads bytes with and without their tag', async () => {
    const secret = (name: string, data: unknown): Buffer =>
      Buffer.from(encode({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: { key: data } }))
    const path = '/api/v1/namespaces/default/secrets'
    await server.call(path, { headers, body: secret('tagged', new Tagged(22, Buffer.from('plain'))) })
    await server.call(path, { headers, body: secret('text', Buffer.from('cGxhaW4=')) })
    for (const name of ['tagged', 'text'])
      expect((await server.call(`${path}/${name}`)).body).toMatchObject({ data: { key: 'cGxhaW4=' } })
  })

  it('tells errors', async () => {
    const missing = await server.call(`${maps}/none`, { headers })
    expect(missing.status).toBe(404)
    expect(decodeCbor(missing.bytes)).toMatchObject({ kind: 'Status', reason: 'NotFound' })
    const broken = await server.call(maps, { headers: { 'content-type': cbor }, body: hex('d9d9f7 a1 61') })
    expect([broken.status, broken.body['message']]).toEqual([
      400,
      expect.stringContaining('(must be of type ConfigMap)'),
    ])
  })

  it.each([
    ['ADDED', cbor],
    ['ADDED', 'application/cbor-seq'],
  ])('streams items of watch events: %s for %s', async (type, accept) => {
    const { headers: answered, bytes } = await server.call(
      `${maps}?watch=1&resourceVersion=0&timeoutSeconds=1&fieldSelector=metadata.name%3Done`,
      { headers: { accept } },
    )
    expect(answered['content-type']).toBe('application/cbor-seq')
    expect(decodeCbor(bytes)).toMatchObject({ type, object })
  })

  it('is not spoken of what there is: clients that prefer it read discovery in JSON', async () => {
    const { body } = await server.call('/apis/apps/v1', { headers: { accept: `${cbor}, */*` } })
    expect(body).toMatchObject({ kind: 'APIResourceList', groupVersion: 'apps/v1' })
  })

  it('serves custom resources', async () => {
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Cluster',
        names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', properties: { size: { type: 'integer' } } } },
          },
        ],
      },
    }
    await server.call('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { headers, body: encodeCbor(crd) })
    const thing = { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'a' }, size: 3 }
    const created = await server.call('/apis/example.com/v1/things', { headers, body: encodeCbor(thing) })
    expect([created.status, decodeCbor(created.bytes)]).toMatchObject([201, thing])
  })
})
