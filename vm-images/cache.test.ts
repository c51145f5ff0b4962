import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openResultStore, type ResultStore } from './cache.ts'

describe('result store', () => {
  let root: string
  let store: ResultStore
  const damaged: string[] = []
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'orrery-results-'))
    damaged.length = 0
    store = openResultStore(root, (folder) => damaged.push(folder))
  })
  afterEach(async () => {
    await rm(root, { recursive: true, force: true })
  })

  const build = async (key: string, folder: string, content = 'content'): Promise<string> => {
    const work = await store.newWorkFolder()
    await mkdir(join(work, 'deep'))
    await writeFile(join(work, 'deep', 'file'), content)
    return store.publish({ key, folder, work })
  }

  it('finds what was published, and only that', async () => {
    expect(await store.find('k')).toBeUndefined()
    const folder = await build('k', 'amd64-1')
    expect(await store.find('k')).toBe(folder)
    expect(await store.find('k', 'hash')).toBe(folder)
    expect(await readFile(join(folder, 'deep', 'file'), 'utf8')).toBe('content')
  })

  it('trusts size and time at a glance, reads everything on demand', async () => {
    const folder = await build('k', 'amd64-1')
    const file = join(folder, 'deep', 'file')
    const before = new Date(1700000000_000)
    await utimes(file, before, before)
    expect(await store.find('k'), 'same content with another time').toBe(folder)
    await writeFile(file, 'CONTENT')
    await utimes(file, before, before)
    expect(await store.find('k'), 'a change that keeps size and time is not seen at a glance').toBe(folder)
    expect(await store.find('k', 'hash'), 'but by its hash').toBeUndefined()
    expect(await readdir(root), 'and what is damaged is gone').toEqual([])
    expect(damaged).toEqual(['amd64-1'])
  })

  it('sees a file that was cut, changed or removed', async () => {
    for (const damage of [
      (file: string) => writeFile(file, 'cont'),
      // Same size, later: two writes within one tick of the file system's clock look alike to a fingerprint.
      async (file: string) => {
        await writeFile(file, 'CONTENT')
        await utimes(file, new Date(), new Date(Date.now() + 5000))
      },
      (file: string) => rm(file),
    ]) {
      const folder = await build('k', 'amd64-1')
      await damage(join(folder, 'deep', 'file'))
      expect(await store.find('k')).toBeUndefined()
    }
  })

  it('leaves nothing half done: an interrupted build is invisible and swept away later', async () => {
    const abandoned = join(root, '.work-999999999-abcd')
    await mkdir(abandoned, { recursive: true })
    await writeFile(join(abandoned, 'half'), 'half')
    const work = await store.newWorkFolder()
    expect(await readdir(root)).toEqual([work.slice(root.length + 1)])
    expect(await store.find('k')).toBeUndefined()
  })

  it('replaces a folder of the same name and keeps a few older versions', async () => {
    await build('a', 'amd64-1', 'old')
    const again = await build('b', 'amd64-1', 'new')
    expect(await readFile(join(again, 'deep', 'file'), 'utf8')).toBe('new')
    expect(await store.find('b')).toBe(again)
    for (const number of [2, 3, 4]) {
      const folder = await build(`v${number}`, `amd64-${number}`)
      const time = new Date(Date.now() + number * 1000)
      await utimes(folder, time, time)
    }
    await build('other', 'arm64-1')
    const folders = (await readdir(root, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
    expect(folders.sort()).toEqual(['amd64-2', 'amd64-3', 'amd64-4', 'arm64-1'])
  })

  it('survives a record that is no record', async () => {
    await build('k', 'amd64-1')
    await writeFile(join(root, 'k.json'), '{"folder":')
    expect(await store.find('k')).toBeUndefined()
  })
})
