import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pod } from '../../../common/api/generated/types.ts'
import type { KubeList, KubeObject, WatchEvent } from '../../../common/machinery/meta.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

type ConfigMap = KubeObject & { data?: Record<string, string> }
interface Failure {
  reason: string
  message: string
  code: number
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const maps = '/api/v1/namespaces/default/configmaps'
const configMap = (name: string, extra: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...extra },
  data: { a: '1' },
})
const create = (name: string, extra?: object) => server.call<ConfigMap>(maps, { body: configMap(name, extra) })

describe('writes', () => {
  it('creates with identity and times of its own, and refuses a second one', async () => {
    const { status, body } = await create('one', {
      uid: 'mine',
      creationTimestamp: '2001-01-01T00:00:00Z',
      resourceVersion: '',
    })
    expect(status).toBe(201)
    expect(body.metadata.uid).not.toBe('mine')
    expect(Number(body.metadata.resourceVersion)).toBe(server.store.revision)
    const again = await server.call<Failure>(maps, { body: configMap('one') })
    expect(again.body).toMatchObject({ code: 409, reason: 'AlreadyExists', message: 'configmaps "one" already exists' })
  })

  it('generates names, keeps dry runs to itself, and refuses unknown namespaces', async () => {
    const generated = await server.call<ConfigMap>(maps, { body: configMap('', { generateName: 'gen-' }) })
    expect(generated.body.metadata.name).toMatch(/^gen-[a-z0-9]{5}$/)
    const dry = await server.call<ConfigMap>(`${maps}?dryRun=All`, { body: configMap('dry') })
    expect(dry.status).toBe(201)
    expect(dry.body.metadata.resourceVersion).toBeUndefined()
    expect((await server.call(`${maps}/dry`)).status).toBe(404)
    const lost = await server.call<Failure>('/api/v1/namespaces/nowhere/configmaps', { body: configMap('x') })
    expect(lost.body).toMatchObject({ code: 404, message: 'namespaces "nowhere" not found' })
  })

  it('validates metadata with all errors at once', async () => {
    const { body } = await server.call<Failure>(maps, { body: configMap('Bad_Name', { labels: { 'a b': 'x' } }) })
    expect(body.code).toBe(422)
    expect(body.message).toContain(
      'ConfigMap "Bad_Name" is invalid: [metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain',
    )
    expect(body.message).toContain('metadata.labels: Invalid value: "a b": name part must consist of')
  })

  it('says what it thinks of unknown fields as asked', async () => {
    const body = { ...configMap('fields'), dataa: {} }
    expect((await server.call<Failure>(`${maps}?fieldValidation=Strict`, { body })).body.message).toBe(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dataa"',
    )
    const warned = await server.call(`${maps}?fieldValidation=Warn`, { body })
    expect(warned.headers['warning']).toBe('299 - "unknown field \\"dataa\\""')
  })

  it('updates by revision: stale loses, unconditional wins, equal changes nothing', async () => {
    const { body: first } = await create('upd')
    const second = await server.call<ConfigMap>(`${maps}/upd`, { method: 'PUT', body: { ...first, data: { a: '2' } } })
    expect(second.status).toBe(200)
    const stale = await server.call<Failure>(`${maps}/upd`, { method: 'PUT', body: { ...first, data: { a: '3' } } })
    expect(stale.body).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "upd": the object has been modified; please apply your changes to the latest version and try again',
    })
    const same = await server.call<ConfigMap>(`${maps}/upd`, { method: 'PUT', body: second.body })
    expect(same.body.metadata.resourceVersion).toBe(second.body.metadata.resourceVersion)
    const free = await server.call<ConfigMap>(`${maps}/upd`, {
      method: 'PUT',
      body: { ...configMap('upd'), data: { a: '4' } },
    })
    expect(free.body.data).toEqual({ a: '4' })
    const zero = { ...configMap('upd'), metadata: { name: 'upd', resourceVersion: '0' }, data: { a: '5' } }
    expect((await server.call<ConfigMap>(`${maps}/upd`, { method: 'PUT', body: zero })).body.data).toEqual({ a: '5' })
    const renamed = await server.call<Failure>(`${maps}/upd`, { method: 'PUT', body: configMap('other') })
    expect(renamed.body.message).toBe('the name of the object (other) does not match the name on the URL (upd)')
  })

  it('loses no concurrent patch', async () => {
    await create('race')
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        server.call(`${maps}/race`, {
          method: 'PATCH',
          headers: { 'content-type': 'application/merge-patch+json' },
          body: { data: { [`k${String(index)}`]: 'v' } },
        }),
      ),
    )
    expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
    const { body } = await server.call<ConfigMap>(`${maps}/race`)
    expect(Object.keys(body.data ?? {})).toHaveLength(21)
  })

  it('keeps a key called __proto__ to itself', async () => {
    const made = await server.call<ConfigMap>(maps, { body: '{"metadata":{"name":"proto"},"data":{"__proto__":"x"}}' })
    expect(made.status).toBeLessThan(500)
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it('waits for finalizers and refuses new ones meanwhile', async () => {
    await create('fin', { finalizers: ['example.com/wait'] })
    const deleted = await server.call<ConfigMap>(`${maps}/fin`, { method: 'DELETE' })
    expect(deleted.body.metadata.deletionTimestamp).toBeDefined()
    const added = await server.call<Failure>(`${maps}/fin`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { metadata: { finalizers: ['example.com/wait', 'example.com/more'] } },
    })
    expect(added.body.message).toContain(
      'no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/more"}',
    )
    await server.call(`${maps}/fin`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { metadata: { finalizers: null } },
    })
    expect((await server.call(`${maps}/fin`)).status).toBe(404)
  })

  it('deletes under preconditions and by propagation policy', async () => {
    const { body } = await create('pre')
    const refused = await server.call<Failure>(`${maps}/pre`, {
      method: 'DELETE',
      body: { preconditions: { uid: 'other' } },
    })
    expect(refused.body.message).toBe(
      `Operation cannot be fulfilled on ConfigMap "pre": the UID in the precondition (other) does not match the UID in record (${body.metadata.uid ?? ''}). The object might have been deleted and then recreated`,
    )
    const foreground = await server.call<ConfigMap>(`${maps}/pre?propagationPolicy=Foreground`, { method: 'DELETE' })
    expect(foreground.body.metadata.finalizers).toEqual(['foregroundDeletion'])
  })
})

describe('lists', () => {
  const labelled = `${maps}?labelSelector=set%3Dpages`
  beforeAll(async () => {
    for (const name of ['p1', 'p2', 'p3', 'p4', 'p5']) await create(name, { labels: { set: 'pages' } })
  })
  const names = (list: KubeList): string[] => list.items.map(({ metadata }) => metadata.name ?? '')

  it('pages through one consistent state', async () => {
    const first = await server.call<KubeList>(`${labelled}&limit=2`)
    expect(names(first.body)).toEqual(['p1', 'p2'])
    await create('p0', { labels: { set: 'pages' } })
    await create('p22', { labels: { set: 'pages' } })
    await server.call(`${maps}/p4`, { method: 'DELETE' })
    const second = await server.call<KubeList>(`${labelled}&limit=2&continue=${first.body.metadata.continue ?? ''}`)
    const third = await server.call<KubeList>(`${labelled}&limit=2&continue=${second.body.metadata.continue ?? ''}`)
    expect([...names(second.body), ...names(third.body)]).toEqual(['p3', 'p4', 'p5'])
    expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion)
    expect(third.body.metadata.continue).toBeUndefined()
  })

  it('selects by fields and says which it does not know', async () => {
    const one = await server.call<KubeList>(`${maps}?fieldSelector=metadata.name%3Dp1`)
    expect(names(one.body)).toEqual(['p1'])
    const unknown = await server.call<Failure>(`${maps}?fieldSelector=spec.x%3D1`)
    expect(unknown.body).toMatchObject({
      code: 400,
      message: '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    })
  })

  it('answers an exact old revision, a future one and broken tokens as documented', async () => {
    const before = String(server.store.revision)
    await create('later', { labels: { set: 'pages' } })
    const old = await server.call<KubeList>(`${labelled}&resourceVersion=${before}&resourceVersionMatch=Exact`)
    expect(names(old.body)).not.toContain('later')
    expect((await server.call<Failure>(`${labelled}&resourceVersion=99999999`)).body).toMatchObject({
      code: 504,
      reason: 'Timeout',
    })
    expect((await server.call(`${labelled}&continue=nonsense`)).status).toBe(400)
    expect((await server.call(`${labelled}&limit=-1`)).status).toBe(400)
  })

  it('gives tables and metadata to those who accept them', async () => {
    const table = await server.call<{ kind: string; rows: { cells: unknown[] }[] }>(labelled, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' },
    })
    expect(table.body.kind).toBe('Table')
    expect(table.body.rows[0]?.cells.slice(0, 2)).toEqual(['later', 1])
    const metadata = await server.call<KubeList>(labelled, {
      headers: { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' },
    })
    expect(metadata.body.kind).toBe('PartialObjectMetadataList')
    expect(metadata.body.items[0]).not.toHaveProperty('data')
    expect((await server.call(labelled, { headers: { accept: 'text/html' } })).status).toBe(406)
    expect((await server.call(`${maps}/p1`, { headers: { accept: 'application/yaml' } })).text).toContain('name: p1')
  })
})

describe('watches', () => {
  const collect = async (
    query: Record<string, string | number | boolean>,
    until: number,
    act: () => Promise<unknown>,
  ): Promise<WatchEvent[]> => {
    const transport = server.api.transport({ name: 'watcher', groups: ['system:masters'] })
    const stop = new AbortController()
    const events: WatchEvent[] = []
    const iterator = transport.watch({ method: 'GET', path: maps, query, signal: stop.signal })[Symbol.asyncIterator]()
    const first = iterator.next()
    await act()
    for (let result = await first; result.done !== true; result = await iterator.next()) {
      events.push(result.value)
      if (events.length === until) break
    }
    stop.abort()
    return events
  }

  it('shows what a selector sees: entering, staying, leaving', async () => {
    const resourceVersion = String(server.store.revision)
    const label = (value: string | null) =>
      server.call(`${maps}/sel`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/merge-patch+json' },
        body: { metadata: { labels: { watched: value } } },
      })
    const events = await collect({ resourceVersion, labelSelector: 'watched=yes' }, 3, async () => {
      await create('sel')
      await label('yes')
      await server.call(`${maps}/sel`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/merge-patch+json' },
        body: { data: { b: '2' } },
      })
      await label(null)
    })
    expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual([
      ['ADDED', 'sel'],
      ['MODIFIED', 'sel'],
      ['DELETED', 'sel'],
    ])
    expect(events[2]?.object.metadata.labels).toEqual({ watched: 'yes' })
  })

  it('streams the initial list and marks its end', async () => {
    const events = await collect(
      {
        sendInitialEvents: true,
        resourceVersionMatch: 'NotOlderThan',
        allowWatchBookmarks: true,
        labelSelector: 'set=pages',
      },
      8,
      () => Promise.resolve(),
    )
    expect(events.slice(0, -1).every(({ type }) => type === 'ADDED')).toBe(true)
    expect(events.at(-1)).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    })
  })

  it('answers a compacted revision with 410 in the stream', async () => {
    await server.store.compact(server.store.revision)
    const { status, text } = await server.call(`${maps}?watch=true&resourceVersion=1&timeoutSeconds=5`)
    expect(status).toBe(200)
    expect(JSON.parse(text)).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
  })

  it('ends after the time the client gave', async () => {
    const { status, text } = await server.call(
      `${maps}?watch=true&resourceVersion=${String(server.store.revision)}&timeoutSeconds=1`,
    )
    expect([status, text]).toEqual([200, ''])
  })

  it('gives objects nobody can change', async () => {
    const transport = server.api.transport({ name: 'x', groups: ['system:masters'] })
    const read = await transport.request<ConfigMap>({ method: 'GET', path: `${maps}/one` })
    expect(Object.isFrozen(read.metadata)).toBe(true)
  })
})

describe('server-side apply', () => {
  const apply = (manager: string, data: object, query = '') =>
    server.call<ConfigMap & Failure>(`${maps}/applied?fieldManager=${manager}${query}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: { apiVersion: 'v1', kind: 'ConfigMap', data },
    })

  it('creates, conflicts, is forced, and takes away what is no longer applied', async () => {
    expect((await apply('a', { x: '1', y: '1' })).status).toBe(201)
    const conflict = await apply('b', { x: '2' })
    expect(conflict.body).toMatchObject({
      code: 409,
      message: 'Apply failed with 1 conflict: conflict with "a": .data.x',
    })
    expect((await apply('b', { x: '2' }, '&force=true')).body.data).toEqual({ x: '2', y: '1' })
    expect((await apply('a', {})).body.data).toEqual({ x: '2' })
    expect(
      (
        await server.call(`${maps}/applied`, {
          method: 'PATCH',
          headers: { 'content-type': 'application/apply-patch+yaml' },
          body: {},
        })
      ).status,
    ).toBe(422)
  })

  it('lets clients change over from updates, though they do not name what the server added', async () => {
    const pods = '/api/v1/namespaces/default/pods'
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'moved', labels: { a: '1' } },
      spec: { containers: [{ name: 'c', image: 'x' }] },
    }
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
    await server.call('/api/v1/namespaces/default/serviceaccounts', { body: account })
    const created = await server.call<Pod>(`${pods}?fieldManager=m`, { body: pod })
    expect(created.body.spec?.volumes).toHaveLength(1)
    const [owner] = created.body.metadata.managedFields ?? []
    expect(Object.keys((owner?.fieldsV1 as Record<string, object>)['f:spec'] ?? {}).toSorted()).toEqual([
      'f:containers',
      'f:dnsPolicy',
      'f:enableServiceLinks',
      'f:restartPolicy',
      'f:schedulerName',
      'f:securityContext',
      'f:terminationGracePeriodSeconds',
    ])
    const managedFields = [{ ...owner, operation: 'Apply' }]
    await server.call(`${pods}/moved?fieldManager=m`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { metadata: { managedFields } },
    })
    const applied = await server.call<Pod>(`${pods}/moved?fieldManager=m`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: { ...pod, metadata: { name: 'moved', labels: { a: '2' } } },
    })
    expect(applied.body.metadata.labels).toEqual({ a: '2' })
    expect(applied.body.spec?.volumes).toEqual(created.body.spec?.volumes)
  })

  it('has no place for fields nobody declared, nor for fields said twice', async () => {
    const applyText = (query: string, body: string): Promise<{ status: number; body: Failure }> =>
      server.call(`${maps}/strict?fieldManager=a${query}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/apply-patch+yaml' },
        body,
      })
    const unknown = await applyText('', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {lables: {a: b}}\ndatum: {}\n')
    expect(unknown.body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      code: 500,
      message:
        'failed to create typed patch object (default/strict; v1, Kind=ConfigMap): errors:\n  .metadata.lables: field not declared in schema\n  .datum: field not declared in schema',
    })
    const twice = 'apiVersion: v1\nkind: ConfigMap\ndata:\n  a: x\n  a: y\n'
    const refused = await applyText('&fieldValidation=Strict', twice)
    expect(refused.status).toBe(400)
    expect(refused.body.message).toBe(
      'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 5: key "a" already set in map',
    )
    expect((await applyText('', twice)).status).toBe(201)
  })

  it('finds what is wrong in the order of the document', async () => {
    const body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"o"},"x":1,"data":{"a":"1","a":"2"},"y":1}'
    expect((await server.call<Failure>(`${maps}?fieldValidation=Strict`, { method: 'POST', body })).body.message).toBe(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "x", duplicate field "data.a", unknown field "y"',
    )
  })
})
