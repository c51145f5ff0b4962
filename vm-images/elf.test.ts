import { writeFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readElf } from './elf.ts'

it.runIf(process.platform === 'linux')('reads what this Node needs', async () => {
  const facts = await readElf(process.execPath)
  expect(facts?.machine).toBe(process.arch === 'x64' ? 62 : 183)
  expect(facts?.needed).toContain('libc.so.6')
  expect(facts?.interpreter).toMatch(/ld-linux/)
})

it('says undefined for anything else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'orrery-elf-'))
  try {
    for (const content of ['', '#!/bin/sh\n', Buffer.alloc(200)]) {
      await writeFile(join(folder, 'file'), content)
      expect(await readElf(join(folder, 'file'))).toBeUndefined()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
