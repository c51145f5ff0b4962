import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { extract } from 'tar-stream'
import { expect, test } from 'vitest'
import type { GuestConfig } from '../../common/channel/guest-config.ts'
import { ustar, writeConfigDisk } from './config-disk.ts'

async function unpack(archive: Buffer): Promise<Record<string, { mode: number | undefined; text: string }>> {
  const files: Record<string, { mode: number | undefined; text: string }> = {}
  const unpacker = extract()
  unpacker.end(archive)
  for await (const entry of unpacker) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    files[entry.header.name] = { mode: entry.header.mode, text: Buffer.concat(chunks).toString() }
  }
  return files
}

test('files come out as they went in, with modes', async () => {
  const archive = ustar([
    { name: 'empty', mode: 0o644, content: Buffer.alloc(0) },
    { name: 'exactly-a-block', mode: 0o600, content: Buffer.alloc(512, 'x') },
    { name: 'odd', mode: 0o755, content: Buffer.from('häh') },
  ])
  expect(archive.length % 512).toBe(0)
  expect(await unpack(archive)).toEqual({
    empty: { mode: 0o644, text: '' },
    'exactly-a-block': { mode: 0o600, text: 'x'.repeat(512) },
    odd: { mode: 0o755, text: 'häh' },
  })
})

test('the disk is readable by its owner only, whole sectors, and replaces an older one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'orrery-config-'))
  try {
    const path = join(folder, 'config.tar')
    const config = { formatVersion: 1, machine: 'node-1' } as unknown as GuestConfig
    await writeConfigDisk(path, config, Buffer.from('old'))
    await writeConfigDisk(path, config, Buffer.from('console.log(1)'))
    const { mode, size } = await stat(path)
    expect(mode & 0o777).toBe(0o600)
    expect(size % 4096).toBe(0)
    const files = await unpack(await readFile(path))
    expect(JSON.parse(files['machine.json']?.text ?? '')).toEqual(config)
    expect(files['machine.json']?.mode).toBe(0o600)
    expect(files['agent.mjs']?.text).toBe('console.log(1)')
  } finally {
    await rm(folder, { recursive: true })
  }
})
