// What get, list and watch promise about versions: every row of the documented matrix, pages, and streams.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, openApi, type WatchLine } from '../../harness/api.ts'
import { startControlPlane, type ControlPlane } from '../../harness/control-plane.ts'

interface List {
  kind: string
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
  items: { metadata: { name: string; resourceVersion: string } }[]
}

let plane: ControlPlane
let api: Api
beforeAll(async () => {
  plane = await startControlPlane()
  api = await openApi(plane)
})
afterAll(async () => {
  api.close()
  await plane.stop()
})

let spaces = 0
/** A namespace of its own with objects in it; resolves with the path of its config maps. */
async function space(...names: string[]): Promise<string> {
  spaces += 1
  const name = `space-${String(spaces)}`
  await api.post('/api/v1/namespaces', { metadata: { name } })
  const maps = `/api/v1/namespaces/${name}/configmaps`
  for (const each of names) await api.post(maps, { metadata: { name: each, labels: { of: 'test', name: each } } })
  return maps
}
const mine = 'labelSelector=of%3Dtest'
const namesOf = (list: List): string[] => list.items.map(({ metadata }) => metadata.name)
const shown = (lines: readonly WatchLine[]): string[] =>
  lines.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim())
const labels = (name: string, value: Record<string, string | null>) => ({ metadata: { name, labels: value } })

describe('lists', () => {
  it('are as new or as old as asked', async () => {
    const maps = await space('one')
    const first = (await api.get<List>(`${maps}?${mine}`)).body
    const version = first.metadata.resourceVersion
    await api.post(maps, { metadata: { name: 'two', labels: { of: 'test' } } })
    const list = async (query: string): Promise<string[]> =>
      namesOf((await api.get<List>(`${maps}?${mine}${query}`)).body)
    expect(await list('')).toEqual(['one', 'two'])
    expect(await list('&resourceVersion=0')).toEqual(['one', 'two'])
    expect(await list(`&resourceVersion=${version}`)).toEqual(['one', 'two'])
    expect(await list(`&resourceVersion=${version}&resourceVersionMatch=NotOlderThan`)).toEqual(['one', 'two'])
    expect(await list(`&resourceVersion=${version}&resourceVersionMatch=Exact`)).toEqual(['one'])
    expect(
      (await api.get<List>(`${maps}?resourceVersion=${version}&resourceVersionMatch=Exact`)).body.metadata
        .resourceVersion,
    ).toBe(version)
  })

  it('come in pages of one moment, with what remains', async () => {
    const maps = await space('a', 'b', 'c', 'd', 'e')
    await api.delete(`${maps}/kube-root-ca.crt`)
    const pages: string[][] = []
    let token = ''
    let version = ''
    do {
      const { body } = await api.get<List>(`${maps}?limit=2&continue=${encodeURIComponent(token)}`)
      version ||= body.metadata.resourceVersion
      expect(body.metadata.resourceVersion).toBe(version)
      pages.push(namesOf(body).filter((name) => name !== 'kube-root-ca.crt'))
      if (pages.length === 1) {
        expect(body.metadata.remainingItemCount).toBeGreaterThanOrEqual(3)
        // What happens in between is not seen.
        await api.post(maps, { metadata: { name: 'd2' } })
        await api.delete(`${maps}/e`)
      }
      token = body.metadata.continue ?? ''
    } while (token !== '')
    expect(pages.flat()).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('count nothing when a selector hides the rest', async () => {
    const maps = await space('a', 'b', 'c')
    const { body } = await api.get<List>(`${maps}?${mine}&limit=2`)
    expect(namesOf(body)).toEqual(['a', 'b'])
    expect(body.metadata.remainingItemCount).toBeUndefined()
    const rest = await api.get<List>(`${maps}?${mine}&limit=2&continue=${body.metadata.continue ?? ''}`)
    expect(namesOf(rest.body)).toEqual(['c'])
    expect(rest.body.metadata.continue).toBeUndefined()
  })

  it('refuse a token of another list', async () => {
    const maps = await space('a', 'b')
    const { body } = await api.get<List>(`${maps}?limit=1`)
    const token = body.metadata.continue ?? ''
    expect((await api.get(`/api/v1/secrets?limit=1&continue=${token}`)).code).toBe(400)
    expect((await api.get(`${maps}?limit=1&continue=${token.slice(0, -4)}`)).code).toBe(400)
  })

  it('take equality, sets, and existence in selectors', async () => {
    const maps = await space('a', 'b', 'c')
    const list = async (selector: string): Promise<string[]> =>
      namesOf((await api.get<List>(`${maps}?labelSelector=${encodeURIComponent(selector)}`)).body)
    expect(await list('name=a')).toEqual(['a'])
    expect(await list('name!=a,of')).toEqual(['b', 'c'])
    expect(await list('name in (a, c)')).toEqual(['a', 'c'])
    expect(await list('name notin (a),of')).toEqual(['b', 'c'])
    expect(await list('!of')).toEqual(['kube-root-ca.crt'])
    const fields = await api.get<List>(`${maps}?fieldSelector=${encodeURIComponent('metadata.name!=a')}&${mine}`)
    expect(namesOf(fields.body)).toEqual(['b', 'c'])
  })

  it('show metadata only, or tables, when asked', async () => {
    const maps = await space('a')
    const only = (as: string) => ({ accept: `application/json;as=${as};g=meta.k8s.io;v=v1` })
    expect((await api.get(`${maps}?${mine}`, only('PartialObjectMetadataList'))).body).toMatchObject({
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      items: [{ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'a' } }],
    })
    expect((await api.get(`${maps}/a`, only('PartialObjectMetadata'))).body).toMatchObject({ metadata: { name: 'a' } })
    expect((await api.get(`${maps}?${mine}&includeObject=None`, only('Table'))).body).toMatchObject({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      columnDefinitions: [
        { name: 'Name', type: 'string', format: 'name', priority: 0 },
        { name: 'Data', type: 'string', priority: 0 },
        { name: 'Age', type: 'string', priority: 0 },
      ],
      rows: [{ cells: ['a', 0, expect.any(String)] }],
    })
    expect((await api.get(`${maps}/a`, { accept: 'application/yaml' })).text).toMatch(/^(kind|apiVersion): /)
  })
})

describe('watches', () => {
  it('begin with the present state, or after a version', async () => {
    const maps = await space('a')
    const { body } = await api.get<List>(`${maps}?${mine}`)
    await api.post(maps, labels('b', { of: 'test' }))
    const until = (count: number) => (lines: readonly WatchLine[]) => lines.length >= count
    expect(shown(await api.watch(`${maps}?watch=1&${mine}`, until(2)))).toEqual(['ADDED a', 'ADDED b'])
    expect(shown(await api.watch(`${maps}?watch=1&${mine}&resourceVersion=0`, until(2)))).toEqual([
      'ADDED a',
      'ADDED b',
    ])
    const since = `${maps}?watch=1&${mine}&resourceVersion=${body.metadata.resourceVersion}`
    expect(shown(await api.watch(since, until(1)))).toEqual(['ADDED b'])
    expect(shown(await api.watch(`${since}&fieldSelector=metadata.name%3Da&timeoutSeconds=1`))).toEqual([])
  })

  it('show what leaves a selector as deleted, and what enters it as added', async () => {
    const maps = await space('a')
    const { body } = await api.get<List>(`${maps}?${mine}`)
    await api.patch(`${maps}/a`, 'merge', labels('a', { of: 'other' }))
    await api.patch(`${maps}/a`, 'merge', labels('a', { of: 'test' }))
    await api.patch(`${maps}/a`, 'merge', labels('a', { more: 'x' }))
    await api.delete(`${maps}/a`)
    const path = `${maps}?watch=1&${mine}&resourceVersion=${body.metadata.resourceVersion}`
    const lines = await api.watch(path, (seen) => seen.length >= 4)
    expect(shown(lines)).toEqual(['DELETED a', 'ADDED a', 'MODIFIED a', 'DELETED a'])
    const versions = lines.map(({ object }) => Number(object.metadata.resourceVersion))
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
    expect(new Set(versions).size).toBe(4)
  })

  it('stream a list and say where it ends', async () => {
    const maps = await space('a', 'b')
    const path = `${maps}?watch=1&${mine}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`
    const lines = await api.watch(path, (seen) => seen.at(-1)?.type === 'BOOKMARK')
    expect(shown(lines)).toEqual(['ADDED a', 'ADDED b', 'BOOKMARK'])
    const { kind, metadata } = lines.at(-1)?.object ?? { kind: '', metadata: {} }
    expect(kind).toBe('ConfigMap')
    expect(metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
    expect(Number(metadata.resourceVersion)).toBeGreaterThan(0)
  })

  it('end when they were told to', async () => {
    const maps = await space()
    expect(await api.watch(`${maps}?watch=1&${mine}&timeoutSeconds=1`)).toEqual([])
  })

  it('are one object long when a name is in the path', async () => {
    const maps = await space('a', 'b')
    const lines = await api.watch(`${maps}/a?watch=1`, (seen) => seen.length >= 1)
    expect(shown(lines)).toEqual(['ADDED a'])
  })

  it('serve the old watch paths too', async () => {
    const maps = await space('a')
    const path = maps.replace('/api/v1/', '/api/v1/watch/')
    const lines = await api.watch(`${path}?${mine}`, (seen) => seen.length >= 1)
    expect(shown(lines)).toEqual(['ADDED a'])
  })
})
