import { chmod, mkdtemp, readFile, readdir, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { writePayload, type Payload } from './atomic-writer.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-atomic-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const payload = (files: Record<string, string>, mode = 0o644): Payload =>
  new Map(Object.entries(files).map(([path, text]) => [path, { data: Buffer.from(text), mode }]))
const write = (files: Record<string, string>, mode?: number): Promise<boolean> =>
  writePayload(folder, payload(files, mode), {}, new Date())

it('shows files through one link that can be swapped', async () => {
  expect(await write({ a: '1', 'sub/b': '2' })).toBe(true)
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('1')
  expect(await readFile(join(folder, 'sub', 'b'), 'utf8')).toBe('2')
  expect(await readlink(join(folder, 'a'))).toBe('..data/a')
  expect(await readlink(join(folder, '..data'))).toMatch(/^\.\.\d{4}_/)
})

it('replaces all files at once and leaves nothing of the old ones', async () => {
  await write({ a: '1', gone: 'x' })
  expect(await write({ a: '2', fresh: 'y' })).toBe(true)
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('2')
  const names = (await readdir(folder)).sort()
  expect(names.filter((name) => !name.startsWith('..'))).toEqual(['a', 'fresh'])
  expect(names.filter((name) => name.startsWith('..'))).toHaveLength(2)
})

it('writes nothing when nothing changed', async () => {
  await write({ a: '1' })
  const before = await readlink(join(folder, '..data'))
  expect(await write({ a: '1' })).toBe(false)
  expect(await readlink(join(folder, '..data'))).toBe(before)
})

it('repairs what a container has changed', async () => {
  await write({ a: '1' }, 0o640)
  await chmod(join(folder, 'a'), 0o200)
  expect(await write({ a: '1' }, 0o640)).toBe(true)
  expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o640)
})
