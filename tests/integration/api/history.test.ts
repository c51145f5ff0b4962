// What clients meet when the version they come from is forgotten: pages, exact lists and watches end with 410, and say how to go on.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, openApi } from '../../harness/api.ts'
import { startControlPlane, type ControlPlane } from '../../harness/control-plane.ts'
import { eventually } from '../../harness/eventually.ts'

interface List {
  kind: string
  code?: number
  reason?: string
  message?: string
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
  items: { metadata: { name: string } }[]
}

let plane: ControlPlane
let api: Api
beforeAll(async () => {
  plane = await startControlPlane(['--etcd-compaction-interval=500ms'])
  api = await openApi(plane)
})
afterAll(async () => {
  api.close()
  await plane.stop()
})

const namesOf = ({ items }: List): string[] => items.map(({ metadata }) => metadata.name)

/** A namespace with five maps, and its first page of two. */
async function firstPage(namespace: string): Promise<{ maps: string; page: List }> {
  await plane.ok(`create namespace ${namespace}`)
  const maps = `/api/v1/namespaces/${namespace}/configmaps`
  for (const name of ['a', 'b', 'c', 'd', 'e']) await api.post(maps, { metadata: { name } })
  const { body } = await api.get<List>(`${maps}?limit=2&labelSelector=!none`)
  return { maps, page: body }
}

/** Writes until the version is forgotten. */
const forgotten = (maps: string, version: string): Promise<unknown> =>
  eventually('the version is forgotten', async () => {
    await api.patch(`${maps}/a`, 'merge', { data: { at: String(Date.now()) } })
    const exact = await api.get(`${maps}?resourceVersion=${version}&resourceVersionMatch=Exact`)
    return exact.code === 410
  })

describe('a version that is forgotten', () => {
  it('ends pages, and tells how the rest can be had', async () => {
    const { maps, page } = await firstPage('pages')
    expect(namesOf(page)).toEqual(['a', 'b'])
    await forgotten(maps, page.metadata.resourceVersion)
    const query = `${maps}?limit=2&labelSelector=!none&continue=`
    const { code, body } = await api.get<List>(`${query}${page.metadata.continue ?? ''}`)
    expect(code).toBe(410)
    expect(body.reason).toBe('Expired')
    expect(body.message).toMatch(
      /^The provided continue parameter is too old to display a consistent list result\. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results\. /,
    )
    // With the token of the answer it goes on where it was, in what there is now.
    await api.delete(`${maps}/c`)
    const rest = await api.get<List>(`${query}${body.metadata.continue ?? ''}`)
    expect(rest.code).toBe(200)
    expect(namesOf(rest.body)).toEqual(['d', 'e'])
    expect(Number(rest.body.metadata.resourceVersion)).toBeGreaterThan(Number(page.metadata.resourceVersion))
  })

  it('cannot be listed exactly, but what is newer can', async () => {
    const { maps, page } = await firstPage('exact')
    const version = page.metadata.resourceVersion
    await forgotten(maps, version)
    const exact = await api.get<List>(`${maps}?resourceVersion=${version}&resourceVersionMatch=Exact`)
    expect(exact.body).toMatchObject({ code: 410, reason: 'Expired' })
    const newer = await api.get<List>(`${maps}?resourceVersion=${version}&resourceVersionMatch=NotOlderThan`)
    expect(newer.code).toBe(200)
  })

  it('cannot be watched from: the stream says so and ends', async () => {
    const { maps, page } = await firstPage('watched')
    const version = page.metadata.resourceVersion
    await forgotten(maps, version)
    // What comes after a version may be known a little longer than the version itself.
    const lines = await eventually('the watch is refused', async () => {
      await api.patch(`${maps}/a`, 'merge', { data: { at: String(Date.now()) } })
      const seen = await api.watch(`${maps}?watch=1&resourceVersion=${version}&timeoutSeconds=1`)
      return seen.length === 1 && seen[0]?.type === 'ERROR' ? seen : undefined
    })
    expect(lines[0]).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
    const { message } = lines[0]?.object as { message?: string }
    expect(message).toMatch(/^too old resource version: \d+ \(\d+\)$/)
  })

  it('is kept from a watch that is under way, by bookmarks', async () => {
    const { maps } = await firstPage('bookmarks')
    const lines = await api.watch(
      `${maps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=60`,
      (seen) => seen.some(({ type }) => type === 'BOOKMARK'),
    )
    expect(lines.at(-1)?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
  })
})
