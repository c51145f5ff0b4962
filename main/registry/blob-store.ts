// Content by digest on disk. A blob is written under a private name, flushed, and renamed when its digest is known, so whatever is
// found under a digest is whole, also after a crash. Unfinished uploads stay until they are a day old and can be resumed.
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, link, mkdir, open, readFile, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface StoredBlob {
  digest: string
  size: number
}

export class DigestMismatch extends Error {
  readonly expected: string
  readonly actual: string
  constructor(expected: string, actual: string) {
    super(`content has digest ${actual}, expected ${expected}`)
    this.name = 'DigestMismatch'
    this.expected = expected
    this.actual = actual
  }
}

export class UploadUnknown extends Error {}

export interface BlobStore {
  /** Size in bytes, or undefined when the blob is not here. */
  size(digest: string): Promise<number | undefined>
  read(digest: string, range?: { start: number; end: number }): Readable
  /** Whole content of a small blob (manifests, configurations). */
  readAll(digest: string): Promise<Buffer>
  put(content: Buffer): Promise<StoredBlob>
  /** Stores a stream; with `expected` the digest must match (DigestMismatch). */
  write(source: AsyncIterable<unknown>, expected?: string): Promise<StoredBlob>
  /** Takes a file that is known to have this digest, as a hard link where possible. */
  adopt(file: string, digest: string): Promise<void>
  remove(digest: string): Promise<number>
  /** All blobs with their age, for garbage collection. */
  all(): Promise<{ digest: string; size: number; mtimeMs: number }[]>
  startUpload(): Promise<string>
  /** Bytes received so far. Throws UploadUnknown. */
  uploadSize(id: string): Promise<number>
  appendUpload(id: string, source: Readable): Promise<number>
  finishUpload(id: string, digest: string): Promise<StoredBlob>
  cancelUpload(id: string): Promise<void>
}

const uploadLifetimeMs = 24 * 3600_000
const uploadIdPattern = /^[0-9a-f-]{36}$/

export async function openBlobStore(folder: string): Promise<BlobStore> {
  const blobs = join(folder, 'blobs', 'sha256')
  const uploads = join(folder, 'uploads')
  await mkdir(blobs, { recursive: true })
  await mkdir(uploads, { recursive: true })
  await removeStale(uploads)

  const pathOf = (digest: string): string => join(blobs, digest.slice('sha256:'.length))
  const uploadPath = (id: string): string => {
    if (!uploadIdPattern.test(id)) throw new UploadUnknown(id)
    return join(uploads, id)
  }

  const commit = async (part: string, digest: string): Promise<StoredBlob> => {
    const file = await open(part, 'r+')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(part, pathOf(digest))
    return { digest, size: (await stat(pathOf(digest))).size }
  }

  const store: BlobStore = {
    size: (digest) =>
      stat(pathOf(digest)).then(
        (found) => found.size,
        () => undefined,
      ),
    read: (digest, range) =>
      createReadStream(pathOf(digest), range === undefined ? {} : { start: range.start, end: range.end }),
    readAll: (digest) => readFile(pathOf(digest)),
    async put(content) {
      const digest = digestOf(content)
      if ((await store.size(digest)) !== undefined) return { digest, size: content.length }
      const part = join(uploads, randomUUID())
      const file = await open(part, 'w', 0o600)
      try {
        await file.writeFile(content)
      } finally {
        await file.close()
      }
      return commit(part, digest)
    },
    async write(source, expected) {
      const part = join(uploads, randomUUID())
      const hash = createHash('sha256')
      try {
        await pipeline(source, hashing(hash), createWriteStream(part, { mode: 0o600 }))
        const actual = `sha256:${hash.digest('hex')}`
        if (expected !== undefined && actual !== expected) throw new DigestMismatch(expected, actual)
        return await commit(part, actual)
      } catch (error) {
        await rm(part, { force: true })
        throw error
      }
    },
    async adopt(file, digest) {
      if ((await store.size(digest)) !== undefined) return
      const part = join(uploads, randomUUID())
      await link(file, part).catch(() => copyFile(file, part))
      await rename(part, pathOf(digest))
    },
    async remove(digest) {
      const size = (await store.size(digest)) ?? 0
      await unlink(pathOf(digest)).catch(() => undefined)
      return size
    },
    async all() {
      const names = await readdir(blobs)
      const found = await Promise.all(
        names.map(async (name) => ({
          digest: `sha256:${name}`,
          stats: await stat(join(blobs, name)).catch(() => undefined),
        })),
      )
      return found.flatMap(({ digest, stats }) =>
        stats === undefined ? [] : [{ digest, size: stats.size, mtimeMs: stats.mtimeMs }],
      )
    },
    async startUpload() {
      const id = randomUUID()
      await (await open(uploadPath(id), 'w', 0o600)).close()
      return id
    },
    uploadSize: (id) =>
      stat(uploadPath(id)).then(
        (found) => found.size,
        () => {
          throw new UploadUnknown(id)
        },
      ),
    async appendUpload(id, source) {
      await store.uploadSize(id)
      await pipeline(source, createWriteStream(uploadPath(id), { flags: 'a' }))
      return store.uploadSize(id)
    },
    async finishUpload(id, digest) {
      await store.uploadSize(id)
      const hash = createHash('sha256')
      await pipeline(createReadStream(uploadPath(id)), hash)
      const actual = `sha256:${hash.digest('hex')}`
      if (actual !== digest) throw new DigestMismatch(digest, actual)
      return commit(uploadPath(id), digest)
    },
    async cancelUpload(id) {
      await store.uploadSize(id)
      await rm(uploadPath(id), { force: true })
    },
  }
  return store
}

export const digestOf = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`

function hashing(hash: ReturnType<typeof createHash>) {
  return async function* (source: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('content must be bytes')
      hash.update(chunk)
      yield chunk
    }
  }
}

async function removeStale(uploads: string): Promise<void> {
  for (const name of await readdir(uploads)) {
    const path = join(uploads, name)
    const found = await stat(path).catch(() => undefined)
    if (found !== undefined && Date.now() - found.mtimeMs > uploadLifetimeMs) await rm(path, { force: true })
  }
}
