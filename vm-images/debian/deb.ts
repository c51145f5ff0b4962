// Unpacks .deb files without dpkg: an ar archive whose member data.tar.xz (or .zst, .gz, plain) is the file tree.
import { createReadStream, createWriteStream } from 'node:fs'
import { chmod, mkdir, open, rm, symlink } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { extract as tarExtract, type Extract } from 'tar-stream'
import { BuildProblem } from '../problem.ts'
import { filterThrough } from '../run-tool.ts'

export interface UnpackOptions {
  deb: string
  folder: string
  /** Which paths to write ("usr/bin/ip"); symlinks and hard links are asked for like files. */
  accept: (path: string) => boolean
  signal?: AbortSignal
}

/** Writes the accepted files below `folder`; owner is the caller, modes are kept (without setuid). Returns the paths written. */
export async function unpackDeb(options: UnpackOptions): Promise<string[]> {
  const member = await findDataMember(options.deb)
  const input = createReadStream(options.deb, { start: member.offset, end: member.offset + member.size - 1 })
  const written: string[] = []
  const consume = (stream: Readable): Promise<void> => unpackTar({ ...options, stream, written })
  if (member.name.endsWith('.xz'))
    await filterThrough({ tool: 'xz', args: ['-dc'], input, consume, signal: options.signal })
  else if (member.name.endsWith('.zst')) await consume(input.pipe(createZstdDecompress()))
  else if (member.name.endsWith('.gz')) await consume(input.pipe(createGunzip()))
  else await consume(input)
  return written
}

interface Member {
  name: string
  offset: number
  size: number
}

/** ar(5): "!<arch>\n", then 60-byte headers (name 16, …, size at 48 as decimal text), members padded to even length. */
async function findDataMember(path: string): Promise<Member> {
  const file = await open(path, 'r')
  try {
    const magic = Buffer.alloc(8)
    await file.read(magic, 0, 8, 0)
    const header = Buffer.alloc(60)
    for (let position = 8; magic.toString('latin1') === '!<arch>\n';) {
      const { bytesRead } = await file.read(header, 0, 60, position)
      if (bytesRead < 60) break
      const name = header.toString('latin1', 0, 16).trim().replace(/\/$/, '')
      const size = Number(header.toString('latin1', 48, 58).trim())
      if (name.startsWith('data.tar')) return { name, offset: position + 60, size }
      position += 60 + size + (size % 2)
    }
  } finally {
    await file.close()
  }
  throw new BuildProblem({
    code: 'BadInput',
    message: `${path} is not a Debian package`,
    hint: 'Remove it from the cache and start again.',
  })
}

async function unpackTar(options: UnpackOptions & { stream: Readable; written: string[] }): Promise<void> {
  const unpacker = tarExtract()
  const fed = pipeline(options.stream, unpacker)
  fed.catch(() => undefined)
  const folders = new Set<string>()
  for await (const entry of unpacker) {
    const path = safePath(entry.header.name)
    if (path === '' || entry.header.type === 'directory' || !options.accept(path)) {
      entry.resume()
      continue
    }
    const target = join(options.folder, path)
    const parent = dirname(target)
    if (!folders.has(parent)) {
      await mkdir(parent, { recursive: true })
      folders.add(parent)
    }
    await writeEntry(entry, { target, folder: options.folder })
    options.written.push(path)
  }
  await fed
}

/** One member of the tree while it is being read. */
type Entry = Extract extends AsyncIterable<infer T> ? T : never

async function writeEntry(content: Entry, place: { target: string; folder: string }): Promise<void> {
  const { header } = content
  await rm(place.target, { force: true })
  if (header.type === 'symlink' || header.type === 'link') {
    content.resume()
    const to = header.type === 'symlink' ? (header.linkname ?? '') : `/${safePath(header.linkname ?? '')}`
    await symlink(to, place.target)
    return
  }
  await pipeline(content, createWriteStream(place.target))
  await chmod(place.target, (header.mode ?? 0o644) & 0o755)
}

/** "./usr/bin/ip" -> "usr/bin/ip"; a path that leaves the folder is refused. */
function safePath(name: string): string {
  const path = normalize(name).replace(/^\/+/, '').replace(/\/+$/, '')
  if (path === '.' || path === '') return ''
  if (path.startsWith('..'))
    throw new BuildProblem({
      code: 'BadInput',
      message: `a package contains the path ${name}`,
      hint: 'The package is not from Debian.',
    })
  return path
}
