import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultMirror, findMirror } from './mirror.ts'

describe('findMirror', () => {
  let aptFolder: string
  beforeEach(async () => {
    aptFolder = await mkdtemp(join(tmpdir(), 'orrery-apt-'))
    await mkdir(join(aptFolder, 'sources.list.d'))
  })
  afterEach(async () => {
    await rm(aptFolder, { recursive: true, force: true })
  })

  it('falls back to deb.debian.org', async () => {
    expect(await findMirror({ env: {}, aptFolder })).toBe(defaultMirror)
  })

  it('reads one-line sources, passing over other archives', async () => {
    await writeFile(
      join(aptFolder, 'sources.list'),
      '# deb http://old.example/debian x main\ndeb http://security.example/debian-security trixie main\ndeb [signed-by=/k] http://mirror.example/debian/ trixie main\n',
    )
    expect(await findMirror({ env: {}, aptFolder })).toBe('http://mirror.example/debian')
  })

  it('reads deb822 sources, passing over disabled ones', async () => {
    const text =
      'Types: deb\nEnabled: no\nURIs: http://off.example/debian\n\nTypes: deb deb-src\nURIs: https://vendor.example/apt http://on.example/debian\nSuites: trixie\n'
    await writeFile(join(aptFolder, 'sources.list.d', 'debian.sources'), text)
    expect(await findMirror({ env: {}, aptFolder })).toBe('http://on.example/debian')
  })

  it('obeys the environment', async () => {
    expect(await findMirror({ env: { ORRERY_DEBIAN_MIRROR: 'http://mine.example/debian/' }, aptFolder })).toBe(
      'http://mine.example/debian',
    )
  })
})
