// Takes images out of a tar archive: an OCI image layout or the output of `docker save` (both the old and the OCI-shaped form),
// plain, gzip or zstd. Everything is streamed: each file becomes a blob at once; the small index files then say what it all is.
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { posix } from 'node:path'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { extract, type Extract } from 'tar-stream'
import { DigestMismatch, type BlobStore, type StoredBlob } from './blob-store.ts'

export interface ArchiveContent {
  /** Path in the archive -> content. */
  files: Map<string, StoredBlob>
  /** Digests that were not here before. */
  added: Set<string>
}

export class ArchiveError extends Error {
  readonly hint: string
  constructor(message: string, hint: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ArchiveError'
    this.hint = hint
  }
}

const wantedForm =
  'Make one with "docker save IMAGE -o FILE.tar", "skopeo copy … oci-archive:FILE.tar" or "ctr images export FILE.tar IMAGE".'
export const notAnArchive = (why: string, cause?: unknown): ArchiveError =>
  new ArchiveError(`not an image archive: ${why}`, wantedForm, cause)

/** Reads the whole archive into the blob store. `onBytes` counts bytes of the archive as given. */
export async function readArchive(
  source: Readable,
  blobs: BlobStore,
  onBytes?: (bytes: number) => void,
): Promise<ArchiveContent> {
  const content: ArchiveContent = { files: new Map(), added: new Set() }
  const links = new Map<string, string>()
  const unpacker = extract()
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onBytes?.(chunk.length)
      done(undefined, chunk)
    },
  })
  const { head, rest } = await peek(source)
  if (head.length === 0) throw notAnArchive('it is empty')
  const decompressor = decompressorFor(head)
  const fed =
    decompressor === undefined ? pipeline(rest, counter, unpacker) : pipeline(rest, counter, decompressor, unpacker)
  fed.catch(() => undefined)
  try {
    for await (const entry of unpacker) {
      const path = posix.normalize(entry.header.name).replace(/^(\.?\/)+/, '')
      if (entry.header.type === 'symlink' || entry.header.type === 'link') {
        const target = entry.header.linkname ?? ''
        links.set(
          path,
          posix.normalize(entry.header.type === 'symlink' ? posix.join(posix.dirname(path), target) : target),
        )
        entry.resume()
      } else if (entry.header.type === 'file' || entry.header.type === 'contiguous-file')
        await storeFile({ path, entry, blobs, content })
      else entry.resume()
    }
    await fed
  } catch (error) {
    await discard(content, blobs)
    throw explain(error, content)
  }
  // Old docker save archives share layers by symbolic links.
  for (const [path, target] of links) {
    const file = content.files.get(target)
    if (file !== undefined) content.files.set(path, file)
  }
  return content
}

/** One member of the archive while it is being read. */
type Entry = Extract extends AsyncIterable<infer T> ? T : never

async function storeFile(options: {
  path: string
  entry: Entry
  blobs: BlobStore
  content: ArchiveContent
}): Promise<void> {
  const { path, entry, blobs, content } = options
  const named = /^blobs\/sha256\/([a-f0-9]{64})$/.exec(path)?.[1]
  const expected = named === undefined ? undefined : `sha256:${named}`
  if (expected !== undefined) {
    const size = await blobs.size(expected)
    if (size !== undefined) {
      entry.resume()
      content.files.set(path, { digest: expected, size })
      return
    }
  }
  const stored = await blobs.write(entry, expected)
  content.added.add(stored.digest)
  content.files.set(path, stored)
}

/** Removes what an import brought and does not need. */
export async function discard(
  content: ArchiveContent,
  blobs: BlobStore,
  keep: ReadonlySet<string> = new Set(),
): Promise<void> {
  for (const digest of content.added) if (!keep.has(digest)) await blobs.remove(digest)
}

function explain(error: unknown, content: ArchiveContent): unknown {
  if (error instanceof DigestMismatch)
    return new ArchiveError(
      `the image archive is damaged: a file named ${error.expected} contains ${error.actual}`,
      'Make or copy the archive again.',
      error,
    )
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOSPC')
    return new ArchiveError(
      'no space left on the disk that holds the images',
      'Remove images you do not need (orrery image rm) or make room, then import again.',
      error,
    )
  if (
    /tar header|Unexpected end of data/i.test(message) ||
    code.startsWith('Z_') ||
    code.startsWith('ZSTD_') ||
    /incorrect header|unexpected end of file/i.test(message)
  )
    return content.files.size === 0
      ? notAnArchive('it is not a tar file', error)
      : new ArchiveError(
          `the image archive ends early or is damaged: ${message}`,
          'Make or copy the archive again.',
          error,
        )
  return error
}

function decompressorFor(head: Buffer): Transform | undefined {
  if (head.length >= 2 && head.readUInt16BE(0) === 0x1f8b) return createGunzip()
  if (head.length >= 4 && head.readUInt32BE(0) === 0x28b52ffd) return createZstdDecompress()
  if (head.length >= 6 && head.readUInt32BE(0) === 0xfd377a58)
    throw new ArchiveError('the image archive is compressed with xz', 'Unpack it first: unxz FILE.tar.xz')
  return undefined
}

/** The first chunk, and a stream that still has it. */
async function peek(source: Readable): Promise<{ head: Buffer; rest: Readable }> {
  const iterator: AsyncIterator<unknown> = source[Symbol.asyncIterator]()
  const first = await nextBytes(iterator)
  const replay = async function* (): AsyncGenerator<Buffer> {
    for (let chunk = first; chunk !== undefined; chunk = await nextBytes(iterator)) yield chunk
  }
  return { head: first ?? Buffer.alloc(0), rest: Readable.from(replay(), { objectMode: false }) }
}

async function nextBytes(iterator: AsyncIterator<unknown>): Promise<Buffer | undefined> {
  const next = await iterator.next()
  if (next.done === true) return undefined
  const value: unknown = next.value
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(String(value))
}
