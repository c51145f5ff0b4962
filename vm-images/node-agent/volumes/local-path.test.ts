import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { PersistentVolume } from '../../../common/api/generated/types.ts'
import { prepareLocalPath, sweepLocalPaths } from './local-path.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-path-'))
})
afterEach(() => rm(folder, { recursive: true }))

const one = 'pvc-00000000-0000-4000-8000-000000000001'
const two = 'pvc-00000000-0000-4000-8000-000000000002'
const volume = (name: string): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
})

it('makes a folder that any user may write to, once', async () => {
  const path = await prepareLocalPath(join(folder, one))
  expect((await stat(path)).mode & 0o777).toBe(0o777)
  expect(await prepareLocalPath(path)).toBe(path)
})

it('removes what belongs to no volume, and touches nothing else', async () => {
  for (const name of [one, two, 'mine', 'pvc-x']) await mkdir(join(folder, name, 'data'), { recursive: true })
  expect(await sweepLocalPaths(folder, () => Promise.resolve([volume(one)]))).toEqual([two])
  expect((await readdir(folder)).sort()).toEqual(['mine', one, 'pvc-x'])
})

it('removes nothing when it cannot be told what is in use', async () => {
  await mkdir(join(folder, one))
  await expect(sweepLocalPaths(folder, () => Promise.reject(new Error('no answer')))).rejects.toThrow('no answer')
  expect(await readdir(folder)).toEqual([one])
  expect(await sweepLocalPaths(join(folder, 'absent'), () => Promise.reject(new Error('not asked')))).toEqual([])
})
