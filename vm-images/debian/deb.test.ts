import { lstat, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { unpackDeb } from './deb.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-deb-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const member = (name: string, content: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(
      `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(content.length).padEnd(10)}\`\n`,
    ),
    content,
    Buffer.alloc(content.length % 2, 10),
  ])

async function debWith(fill: (archive: ReturnType<typeof pack>) => void): Promise<string> {
  const archive = pack()
  fill(archive)
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk))
  const path = join(folder, 'x.deb')
  const members = [
    member('debian-binary', Buffer.from('2.0\n')),
    member('control.tar.gz', Buffer.from('odd')),
    member('data.tar.gz', gzipSync(Buffer.concat(chunks))),
  ]
  await writeFile(path, Buffer.concat([Buffer.from('!<arch>\n'), ...members]))
  return path
}

it('writes the accepted files with their modes, never setuid', async () => {
  const deb = await debWith((archive) => {
    archive.entry({ name: './usr/bin/', type: 'directory' })
    archive.entry({ name: './usr/bin/tool', mode: 0o4755 }, 'program')
    archive.entry({ name: './usr/bin/alias', type: 'symlink', linkname: 'tool' })
    archive.entry({ name: './usr/bin/twin', type: 'link', linkname: './usr/bin/tool' })
    archive.entry({ name: './usr/share/man/tool.1', mode: 0o644 }, 'manual')
  })
  const target = join(folder, 'out')
  const written = await unpackDeb({ deb, folder: target, accept: (path) => path.startsWith('usr/bin/') })
  expect(written).toEqual(['usr/bin/tool', 'usr/bin/alias', 'usr/bin/twin'])
  expect(await readFile(join(target, 'usr/bin/tool'), 'utf8')).toBe('program')
  expect((await lstat(join(target, 'usr/bin/tool'))).mode & 0o7777).toBe(0o755)
  expect(await readlink(join(target, 'usr/bin/alias'))).toBe('tool')
  expect(await readlink(join(target, 'usr/bin/twin'))).toBe('/usr/bin/tool')
})

it('refuses a path that leaves the folder', async () => {
  const deb = await debWith((archive) => {
    archive.entry({ name: '../../evil' }, 'x')
  })
  await expect(unpackDeb({ deb, folder: join(folder, 'out'), accept: () => true })).rejects.toThrow('../../evil')
})

it('says so when a file is no package', async () => {
  const path = join(folder, 'no.deb')
  await writeFile(path, 'hello')
  await expect(unpackDeb({ deb: path, folder, accept: () => true })).rejects.toThrow('is not a Debian package')
})
