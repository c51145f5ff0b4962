import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { compileJsonPath } from './json-path.ts'
import { prune, type Schema, setDefaults, validate } from './structural-schema.ts'

const schema: Schema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'string', enum: ['small', 'big'] },
        replicas: { type: 'integer', minimum: 1, default: 1 },
        name: { type: 'string', pattern: '^[a-z]+$', maxLength: 5 },
        port: { 'x-kubernetes-int-or-string': true },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        list: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
          items: { type: 'object', required: ['k'], properties: { k: { type: 'string' } } },
        },
      },
    },
  },
}

describe('structural schemas', () => {
  it('drop unknown fields, but not where they are preserved', () => {
    const object = {
      apiVersion: 'v',
      kind: 'K',
      metadata: {},
      spec: { size: 'big', x: 1, free: { y: 1 }, list: [{ k: 'a', z: 1 }] },
      other: 1,
    }
    expect(prune(object, schema)).toEqual(['spec.x', 'spec.list[0].z', 'other'])
    expect(object).toEqual({
      apiVersion: 'v',
      kind: 'K',
      metadata: {},
      spec: { size: 'big', free: { y: 1 }, list: [{ k: 'a' }] },
    })
  })

  it('fill in defaults', () => {
    const object = { spec: { size: 'big' } }
    setDefaults(object, schema)
    expect(object.spec).toEqual({ size: 'big', replicas: 1 })
  })

  it.each([
    [{}, ['spec: Required value']],
    [{ spec: {} }, ['spec.size: Required value']],
    [{ spec: { size: 'huge' } }, ['spec.size: Unsupported value: "huge": supported values: "big", "small"']],
    [
      { spec: { size: 'big', replicas: 0 } },
      ['spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1'],
    ],
    [
      { spec: { size: 'big', replicas: 'x' } },
      ['spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"'],
    ],
    [
      { spec: { size: 'big', name: 'A' } },
      [`spec.name: Invalid value: "A": spec.name in body should match '^[a-z]+$'`],
    ],
    [{ spec: { size: 'big', name: 'abcdef' } }, ['spec.name: Too long: may not be more than 5 bytes']],
    [{ spec: { size: 'big', port: 'http' } }, []],
    [
      { spec: { size: 'big', port: 8.5 } },
      ['spec.port: Invalid value: "number": spec.port in body must be of type integer,string: "number"'],
    ],
    [{ spec: { size: 'big', list: [{ k: 'a' }, { k: 'a' }] } }, ['spec.list[1]: Duplicate value: {"k":"a"}']],
  ])('judge %j', (object, errors) => {
    expect(validate(object, schema, '').map(String)).toEqual(errors)
  })
})

describe('JSONPath', () => {
  const object = {
    spec: {
      a: [
        { type: 'Ready', status: 'True' },
        { type: 'Other', status: 'False' },
      ],
    },
    metadata: { labels: { 'x.io/y': 'z' } },
  }
  it.each([
    ['.spec.a[0].status', ['True']],
    ['.spec.a[*].type', ['Ready', 'Other']],
    ['.spec.a[?(@.type=="Other")].status', ['False']],
    [".metadata.labels['x.io/y']", ['z']],
    ['.metadata.labels.x\\.io/y', ['z']],
    ['.nothing.there', []],
    ['.spec.a[', []],
  ])('%s', (path, values) => {
    expect(compileJsonPath(path)(object)).toEqual(values)
  })
})

describe('a custom resource', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.close())
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const widgets = '/apis/example.com/v1/namespaces/default/widgets'
  const definition = (name: string, kind = 'Widget'): object => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${name}.example.com` },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: name, kind },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              ...schema,
              properties: {
                ...schema.properties,
                status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              },
            },
          },
        },
        {
          name: 'v2',
          served: true,
          storage: false,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  })
  const condition = async (name: string, type: string): Promise<string | undefined> => {
    const transport = server.api.transport({ name: 'test', groups: ['system:masters'] })
    for await (const { object } of transport.watch<
      KubeObject & { status?: { conditions?: { type: string; status: string }[] } }
    >({ method: 'GET', path: definitions, query: { fieldSelector: `metadata.name=${name}.example.com` } })) {
      const { status } = object as KubeObject & { status?: { conditions?: { type: string; status: string }[] } }
      const found = status?.conditions?.find((candidate) => candidate.type === type)
      if (found !== undefined) return found.status
    }
    return undefined
  }

  it('is served in all its versions until its definition goes, with its objects', async () => {
    expect((await server.call(widgets)).status).toBe(404)
    const defined = await server.call(definitions, { body: definition('widgets') })
    expect(defined.status, defined.text).toBe(201)
    expect(await condition('widgets', 'Established')).toBe('True')
    const made = await server.call<KubeObject & { spec: object }>(widgets, {
      body: {
        apiVersion: 'example.com/v1',
        kind: 'Widget',
        metadata: { name: 'w' },
        spec: { size: 'big', x: 1 },
        status: { a: 1 },
      },
    })
    expect(made.status).toBe(201)
    expect(made.body.spec).toEqual({ size: 'big', replicas: 1 })
    expect(made.body).not.toHaveProperty('status')
    expect(made.headers['warning']).toEqual('299 - "unknown field \\"spec.x\\""')
    const status = await server.call<KubeObject & { spec: object; status: object }>(`${widgets}/w/status`, {
      method: 'PUT',
      body: { ...made.body, spec: { size: 'small' }, status: { ready: true } },
    })
    expect(status.body).toMatchObject({ spec: { size: 'big' }, status: { ready: true }, metadata: { generation: 1 } })
    expect((await server.call<KubeObject>('/apis/example.com/v2/namespaces/default/widgets/w')).body.apiVersion).toBe(
      'example.com/v2',
    )
    const groups = await server.call<{ groups: { name: string; preferredVersion: { version: string } }[] }>('/apis')
    expect(groups.body.groups.find(({ name }) => name === 'example.com')?.preferredVersion.version).toBe('v2')
    expect((await server.call('/openapi/v3/apis/example.com/v1')).text).toContain('com.example.v1.Widget')

    await server.call(definitions, { body: definition('gadgets') })
    expect(await condition('gadgets', 'NamesAccepted')).toBe('False')

    const stopped = new AbortController()
    const gone = (async () => {
      const transport = server.api.transport({ name: 'test', groups: ['system:masters'] })
      for await (const { type } of transport.watch({
        method: 'GET',
        path: definitions,
        query: { resourceVersion: server.store.revision, fieldSelector: 'metadata.name=widgets.example.com' },
        signal: stopped.signal,
      }))
        if (type === 'DELETED') return
    })()
    await server.call(`${definitions}/widgets.example.com`, { method: 'DELETE' })
    await gone
    stopped.abort()
    expect(server.store.count('/registry/example.com/widgets/')).toBe(0)
    expect((await server.call(widgets)).status).toBe(404)
  })
})
