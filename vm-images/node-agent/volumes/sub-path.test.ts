import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { resolveSubPath } from './sub-path.ts'

let volume = ''
beforeEach(async () => {
  volume = await mkdtemp(join(tmpdir(), 'orrery-subpath-'))
})
afterEach(async () => {
  await rm(volume, { recursive: true, force: true })
})

it('makes folders that are missing', async () => {
  const path = await resolveSubPath(volume, 'a/b')
  expect(path).toBe(join(volume, 'a', 'b'))
  expect((await stat(path)).isDirectory()).toBe(true)
})

it('follows links that stay inside', async () => {
  await writeFile(join(volume, 'real'), 'x')
  await symlink('real', join(volume, 'link'))
  expect(await resolveSubPath(volume, 'link')).toBe(join(volume, 'real'))
})

it.each(['../x', 'a/../../x', '/etc'])('refuses %s', async (path) => {
  await expect(resolveSubPath(volume, path)).rejects.toThrow()
})

it('refuses links that lead outside, also for what does not exist yet', async () => {
  await symlink('/etc', join(volume, 'out'))
  await expect(resolveSubPath(volume, 'out')).rejects.toThrow(/leads outside/)
  await expect(resolveSubPath(volume, 'out/orrery-none')).rejects.toThrow(/leads outside/)
  await mkdir(join(volume, 'inside'))
  await expect(resolveSubPath(volume, 'inside')).resolves.toBe(join(volume, 'inside'))
})
