import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { type Answer, startTestServer, type TestServer } from '../testing/test-server.ts'
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

  it('is read by the schema of today, and written by it with the next write', async () => {
    const spec = (properties: object): object => ({
      group: 'renewed.example.com',
      scope: 'Cluster',
      names: { plural: 'things', kind: 'Thing' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties } } },
      ],
    })
    const text = { type: 'string' }
    const name = 'things.renewed.example.com'
    const path = '/apis/renewed.example.com/v1/things'
    await server.call(definitions, {
      body: {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name },
        spec: spec({ known: text, dropped: text, preset: text }),
      },
    })
    await eventually(async () => {
      expect((await server.call(path)).status).toBe(200)
    })
    const body = {
      apiVersion: 'renewed.example.com/v1',
      kind: 'Thing',
      metadata: { name: 'a' },
      known: 'x',
      dropped: 'y',
    }
    expect((await server.call(path, { body })).status).toBe(201)
    const renew = (properties: object): Promise<Answer> =>
      server.call(`${definitions}/${name}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json-patch+json' },
        body: [{ op: 'replace', path: '/spec', value: spec(properties) }],
      })
    await renew({ known: text, preset: { ...text, default: 'P' } })
    const shown = await server.call<KubeObject>(`${path}/a`)
    expect(shown.body).toMatchObject({ known: 'x', preset: 'P' })
    expect(shown.body).not.toHaveProperty('dropped')
    const listed = await server.call<{ items: object[] }>(path)
    expect(listed.body.items).toEqual([shown.body])

    // A write that changes nothing stores what is shown: it outlives the default.
    const written = await server.call<KubeObject>(`${path}/a`, { method: 'PUT', body: shown.body })
    expect(written.body.metadata.resourceVersion).not.toBe(shown.body.metadata.resourceVersion)
    await renew({ known: text, preset: text })
    expect((await server.call(`${path}/a`)).body).toMatchObject({ known: 'x', preset: 'P' })
  })

  it('lives through new versions, stricter schemas and its end', async () => {
    const gizmo = (version: string, change: object = {}): object => ({
      name: version,
      served: true,
      storage: false,
      schema: {
        openAPIV3Schema: {
          type: 'object',
          properties: {
            spec: {
              type: 'object',
              properties: { size: { type: 'integer' }, note: { type: 'string' } },
              'x-kubernetes-validations': [
                { rule: '!has(self.size) || self.size < 10', message: 'size must be small' },
              ],
            },
          },
        },
      },
      additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
      selectableFields: [{ jsonPath: '.spec.note' }],
      ...change,
    })
    const spec = (versions: object[]): object => ({
      group: 'gizmo.example.com',
      scope: 'Namespaced',
      names: { plural: 'gizmos', kind: 'Gizmo' },
      versions,
    })
    const path = `${definitions}/gizmos.gizmo.example.com`
    const defined = await server.call(definitions, {
      body: {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'gizmos.gizmo.example.com' },
        spec: spec([gizmo('v1alpha1', { storage: true })]),
      },
    })
    expect(defined.status, defined.text).toBe(201)
    const objects = (version: string): string => `/apis/gizmo.example.com/${version}/namespaces/default/gizmos`
    const make = (version: string, name: string, size: number, more: object = {}): Promise<Answer> =>
      server.call(objects(version), {
        body: {
          apiVersion: `gizmo.example.com/${version}`,
          kind: 'Gizmo',
          metadata: { name, ...more },
          spec: { size, note: name },
        },
      })
    await eventually(async () => {
      expect((await server.call(objects('v1alpha1'))).status).toBe(200)
    })
    expect((await make('v1alpha1', 'a', 5)).status).toBe(201)
    const refused = await make('v1alpha1', 'b', 50)
    expect(refused.status).toBe(422)
    expect(refused.body['message']).toBe(
      'Gizmo.gizmo.example.com "b" is invalid: spec: Invalid value: size must be small',
    )

    // A second version becomes the one that is stored; the first is on its way out.
    const patched = await server.call(path, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { spec: spec([gizmo('v1', { storage: true }), gizmo('v1alpha1', { deprecated: true })]) },
    })
    expect(patched.status, patched.text).toBe(200)
    expect(patched.body).toMatchObject({ status: { storedVersions: ['v1alpha1', 'v1'] } })
    const old = await server.call(`${objects('v1alpha1')}/a`)
    expect(String(old.headers['warning'])).toContain(
      'gizmo.example.com/v1alpha1 Gizmo is deprecated; use gizmo.example.com/v1 Gizmo',
    )
    expect((await server.call(`${objects('v1')}/a`)).body).toMatchObject({
      apiVersion: 'gizmo.example.com/v1',
      spec: { size: 5 },
    })
    const chosen = await server.call<{ items: KubeObject[] }>(`${objects('v1')}?fieldSelector=spec.note%3Da`)
    expect(chosen.body.items.map(({ metadata }) => metadata.name)).toEqual(['a'])
    const table = await server.call<{ rows: { cells: unknown[] }[] }>(objects('v1'), {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    })
    expect(table.body.rows[0]?.cells.slice(0, 2)).toEqual(['a', 5])

    // Going, it waits for its objects and takes no new ones.
    expect((await make('v1', 'held', 1, { finalizers: ['example.com/hold'] })).status).toBe(201)
    await server.call(path, { method: 'DELETE' })
    await eventually(async () => {
      const { body } = await server.call<{ status: { conditions: { type: string }[] } }>(path)
      expect(body.status.conditions.map(({ type }) => type)).toContain('Terminating')
    })
    const late = await make('v1', 'late', 1)
    expect(late.status).toBe(405)
    expect(late.body['message']).toBe('create not allowed while custom resource definition is terminating')
    await server.call(`${objects('v1')}/held`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { metadata: { finalizers: [] } },
    })
    await eventually(async () => {
      expect((await server.call(path)).status).toBe(404)
    })
  })

  it.each([
    [{ type: 'integer', default: 'x' }, 'default in body must be of type integer: "string"'],
    [{ type: 'object', properties: { a: { type: 'string' } }, default: { b: 1 } }, 'must not have unknown fields'],
  ])('has defaults that fit: %j', async (property, why) => {
    const answer = await server.call(definitions, {
      body: {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'wrongs.example.com' },
        spec: {
          group: 'example.com',
          scope: 'Namespaced',
          names: { plural: 'wrongs', kind: 'Wrong' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object', properties: { p: property } } },
            },
          ],
        },
      },
    })
    expect(answer.status).toBe(422)
    expect(answer.body['message']).toContain(why)
  })
})
