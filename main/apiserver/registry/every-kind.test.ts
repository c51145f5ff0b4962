// Every built-in kind over the wire: created, shown, listed as a Table, patched, applied, put back, deleted.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resources, type ResourceTypes } from '../../../common/api/generated/resources.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { builtinKinds } from '../../kinds/index.ts'
import { manifests } from '../testing/every-kind.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.call('/api/v1/namespaces/default/serviceaccounts', {
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
  })
})
afterAll(() => server.close())

const virtual = new Set(['v1/bindings', 'v1/componentstatuses'])
const names = builtinKinds
  .filter(({ schema }) => typeof schema === 'string')
  .map(({ group, version, plural }) => `${group === '' ? '' : `${group}/`}${version}/${plural}`)
  .filter((name) => !virtual.has(name)) as (keyof ResourceTypes)[]

/** The table of messages has none of the aggregator's. */
const hasMessage = (resource: string): boolean => !resource.startsWith('apiregistration.k8s.io/')

/** What was read as protobuf can be put back as it is. */
async function goThroughProtobuf(path: string): Promise<void> {
  const protobuf = await server.call(path, { headers: { accept: 'application/vnd.kubernetes.protobuf' } })
  expect([protobuf.status, protobuf.headers['content-type']]).toEqual([200, 'application/vnd.kubernetes.protobuf'])
  const again = await server.call<KubeObject>(path)
  const put = await server.call<KubeObject>(path, {
    method: 'PUT',
    body: protobuf.bytes,
    headers: {
      'content-type': 'application/vnd.kubernetes.protobuf',
      'content-length': String(protobuf.bytes.length),
    },
  })
  expect([put.status, put.status === 200 ? '' : put.text]).toEqual([200, ''])
  expect(put.body).toEqual(again.body)
}

interface Table {
  columnDefinitions: { name: string }[]
  rows: { cells: unknown[]; object: KubeObject }[]
}

describe.each(names)('%s', (resource) => {
  const { group, version, plural, kind, namespaced } = resources[resource]
  const apiVersion = group === '' ? version : `${group}/${version}`
  const collection = `/${group === '' ? 'api' : 'apis'}/${apiVersion}${namespaced ? '/namespaces/default' : ''}/${plural}`
  const { metadata = {}, ...rest } = (manifests[resource] ?? {}) as { metadata?: { name?: string } }
  const name = metadata.name ?? `every-${version}`
  const manifest = { apiVersion, kind, metadata: { ...metadata, name, labels: { every: 'kind' } }, ...rest }
  const path = `${collection}/${name}`

  it('goes through its life', async () => {
    expect(Object.keys(manifests)).toContain(resource)
    const created = await server.call<KubeObject>(`${collection}?fieldValidation=Strict`, { body: manifest })
    expect([created.status, created.status === 201 ? '' : created.text]).toEqual([201, ''])
    expect(created.body).toMatchObject({ apiVersion, kind, metadata: { name } })
    expect(created.body.metadata.managedFields).toHaveLength(1)

    const table = await server.call<Table>(`${collection}?labelSelector=every%3Dkind`, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    })
    const [row] = table.body.rows
    expect(row?.cells).toHaveLength(table.body.columnDefinitions.length)
    expect(row?.cells).toContainEqual(expect.stringContaining(name))

    if (hasMessage(resource)) await goThroughProtobuf(path)
    for (const [type, label] of [
      ['application/merge-patch+json', 'merge'],
      ['application/strategic-merge-patch+json', 'strategic'],
    ]) {
      const patched = await server.call<KubeObject>(path, {
        method: 'PATCH',
        body: { metadata: { labels: { patched: label } } },
        headers: { 'content-type': type ?? '' },
      })
      expect([type, patched.status, patched.status === 200 ? '' : patched.text]).toEqual([type, 200, ''])
      expect(patched.body.metadata.labels).toMatchObject({ patched: label })
    }

    const applied = await server.call<KubeObject>(`${path}?fieldManager=test&force=true`, {
      method: 'PATCH',
      body: { apiVersion, kind, metadata: { name, labels: { applied: 'yes' } } },
      headers: { 'content-type': 'application/apply-patch+yaml' },
    })
    expect([applied.status, applied.status === 200 ? '' : applied.text]).toEqual([200, ''])

    const deleted = await server.call(path, { method: 'DELETE' })
    expect([deleted.status, deleted.status === 200 ? '' : deleted.text]).toEqual([200, ''])
  })
})
