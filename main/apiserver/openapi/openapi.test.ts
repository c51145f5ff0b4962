import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { WireReader } from '../protobuf/wire-reader.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

interface Schema {
  description?: string
  properties?: Record<string, Schema & { allOf?: { $ref: string }[] }>
  'x-kubernetes-group-version-kind'?: object[]
}
interface Operation {
  operationId: string
  description: string
  parameters?: { name?: string; $ref?: string }[]
  'x-kubernetes-action': string
}
interface V3 {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

const index = async () =>
  (await server.call<{ paths: Record<string, { serverRelativeURL: string }> }>('/openapi/v3')).body.paths

describe('OpenAPI v3', () => {
  it('lists every group and version under the hash of its document', async () => {
    const paths = await index()
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['api', 'api/v1', 'apis', 'apis/apps', 'apis/apps/v1', 'version']),
    )
    const url = paths['apis/apps/v1']?.serverRelativeURL ?? ''
    const answer = await server.call(url)
    expect(answer.headers['cache-control']).toBe('public, immutable')
    expect(url).toContain(String(answer.headers['etag']).replaceAll('"', ''))
    const again = await server.call(url, { headers: { 'if-none-match': String(answer.headers['etag']) } })
    expect([again.status, again.text]).toEqual([304, ''])
    const stale = await server.call('/openapi/v3/apis/apps/v1?hash=OLD')
    expect([stale.status, stale.headers['location']]).toEqual([301, url])
  })

  it('describes types, fields and operations', async () => {
    const { body } = await server.call<V3>('/openapi/v3/apis/apps/v1')
    const deployment = body.components.schemas['io.k8s.api.apps.v1.Deployment']
    expect(deployment?.description).toMatch(/^Deployment enables declarative updates/)
    expect(deployment?.['x-kubernetes-group-version-kind']).toEqual([
      { group: 'apps', version: 'v1', kind: 'Deployment' },
    ])
    expect(deployment?.properties?.['spec']).toMatchObject({
      description: expect.stringMatching(/Specification/) as string,
      allOf: [{ $ref: '#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec' }],
    })
    const one = body.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']
    expect(one?.['put']).toMatchObject({
      operationId: 'replaceAppsV1NamespacedDeployment',
      'x-kubernetes-action': 'put',
    })
    expect(one?.['patch']?.parameters?.map(({ name }) => name)).toContain('force')
    const scale = body.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale']?.['get']
    expect(scale).toMatchObject({
      operationId: 'readAppsV1NamespacedDeploymentScale',
      'x-kubernetes-group-version-kind': { group: 'autoscaling', version: 'v1', kind: 'Scale' },
    })
  })

  it('answers 404 for what is not served and 406 for what it does not speak', async () => {
    expect((await server.call('/openapi/v3/apis/none/v1')).status).toBe(404)
    expect((await server.call('/openapi/v3/api/v1', { headers: { accept: 'text/html' } })).status).toBe(406)
  })

  it('names dryRun in every operation itself, where older clients look for it', async () => {
    const { body } = await server.call<V3>('/openapi/v2')
    const patch = body.paths['/api/v1/namespaces/{namespace}/configmaps/{name}']?.['patch']
    const names = patch?.parameters?.flatMap(({ name }) => name ?? [])
    expect(names).toEqual(['body', 'dryRun', 'fieldValidation'])
  })

  it.each(['@', '.'])('speaks protobuf to clients that name it with "%s"', async (mark) => {
    const accept = `application/com.github.proto-openapi.spec.v3${mark}v1.0+protobuf`
    const url = (await index())['apis/apps/v1']?.serverRelativeURL ?? ''
    const { bytes, headers } = await server.call(url, { headers: { accept } })
    expect(headers['content-type']).toBe('application/com.github.proto-openapi.spec.v3.v1.0+protobuf')
    expect(url).toContain(String(headers['etag']).replaceAll('"', ''))
    const reader = new WireReader(bytes)
    const numbers: number[] = []
    for (let field = reader.nextField(); field !== undefined; field = reader.nextField()) {
      numbers.push(field.number)
      reader.skip(field.wire)
    }
    // openapi, info, paths, components, security
    expect(numbers.sort((a, b) => a - b)).toEqual([1, 2, 4, 5, 6])
  })

  it('publishes custom resources with their descriptions, and forgets them', async () => {
    const spec = {
      type: 'object',
      description: 'What is wanted.',
      properties: { size: { type: 'integer', description: 'How many.' } },
    }
    await server.call('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      body: {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'widgets.example.com' },
        spec: {
          group: 'example.com',
          names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
          scope: 'Namespaced',
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object', description: 'A widget.', properties: { spec } } },
            },
          ],
        },
      },
    })
    await expect.poll(async () => Object.keys(await index())).toContain('apis/example.com/v1')
    const { body } = await server.call<V3>('/openapi/v3/apis/example.com/v1')
    const widget = body.components.schemas['com.example.v1.Widget']
    expect(widget).toMatchObject({ description: 'A widget.', properties: { spec, metadata: { allOf: [{}] } } })
    expect(body.paths['/apis/example.com/v1/namespaces/{namespace}/widgets']?.['get']?.operationId).toBe(
      'listExampleComV1NamespacedWidget',
    )
    const v2 = await server.call<{ definitions: Record<string, unknown> }>('/openapi/v2')
    expect(v2.body.definitions).toHaveProperty(['com.example.v1.Widget'])
    await server.call('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com', {
      method: 'DELETE',
    })
    await expect.poll(async () => Object.keys(await index())).not.toContain('apis/example.com/v1')
  })
})

describe('OpenAPI v2', () => {
  it('is one document, compressed for who wants it', async () => {
    const plain = await server.call<{ swagger: string; paths: object; parameters: object }>('/openapi/v2')
    expect(plain.body.swagger).toBe('2.0')
    expect(plain.body.paths).toHaveProperty(['/api/v1/namespaces/{namespace}/pods/{name}/log'])
    const gzipped = await server.call('/openapi/v2', { headers: { 'accept-encoding': 'gzip' } })
    expect(gzipped.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(gzipped.bytes).toString()).toBe(plain.text)
  })

  it('names dryRun in every operation itself, where older clients look for it', async () => {
    const { body } = await server.call<V3>('/openapi/v2')
    const patch = body.paths['/api/v1/namespaces/{namespace}/configmaps/{name}']?.['patch']
    const names = patch?.parameters?.flatMap(({ name }) => name ?? [])
    expect(names).toEqual(['body', 'dryRun', 'fieldValidation'])
  })

  it.each(['@', '.'])('speaks protobuf to clients that name it with "%s"', async (mark) => {
    const accept = `application/com.github.proto-openapi.spec.v2${mark}v1.0+protobuf`
    const { bytes, headers } = await server.call('/openapi/v2', { headers: { accept } })
    expect(headers['content-type']).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf')
    const reader = new WireReader(bytes)
    const numbers: number[] = []
    for (let field = reader.nextField(); field !== undefined; field = reader.nextField()) {
      numbers.push(field.number)
      reader.skip(field.wire)
    }
    // swagger, info, paths, definitions, parameters, security, securityDefinitions
    expect(numbers.sort((a, b) => a - b)).toEqual([1, 2, 8, 9, 10, 12, 13])
  })
})
