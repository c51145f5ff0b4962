// The lab's image registry: content by digest on disk, served to the nodes (through the control channel) and to the host's tools
// (on the API's port) as /v2/*. It never contacts anything: what is not here does not exist.
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Logger } from '../../common/machinery/logger.ts'
import { ArchiveError, discard, readArchive } from './archive-import.ts'
import { findImages, type FoundImage } from './archive-images.ts'
import { openBlobStore } from './blob-store.ts'
import { newRegistryHandler, type HandleOptions } from './handler.ts'
import type { RegistryRequest, RegistryResponse } from './http-answer.ts'
import { openImageIndex } from './image-index.ts'
import { ManifestRejected, newImages, type RegistryImage } from './images.ts'
import { formatReference, parseImageName, repositoryOf } from './reference.ts'

export type { RegistryImage } from './images.ts'
export type { HandleOptions } from './handler.ts'
export { ArchiveError } from './archive-import.ts'

export type ImportedImage = RegistryImage

export interface ImportOptions {
  /** Bytes of the archive read so far. */
  onProgress?: (bytes: number) => void
  /** Name for an image that the archive does not name, or instead of its own when it holds one image. Throws BadReference. */
  name?: string
}

export interface Registry {
  /** Serves /v2/*; returns false and does nothing for other paths. HTTP/1.1 and HTTP/2. */
  handle(request: RegistryRequest, response: RegistryResponse, options?: HandleOptions): boolean
  /** Throws ArchiveError (message and hint) for anything that is no whole image archive; then nothing of it stays. */
  importArchive(stream: Readable, options?: ImportOptions): Promise<ImportedImage[]>
  /** Adds the images of an OCI layout folder, marked as built in. Idempotent and cheap when they are already here. */
  addLayout(folder: string): Promise<ImportedImage[]>
  list(): Promise<RegistryImage[]>
  /** undefined when it is not here. Throws BadReference for a bad name. */
  get(reference: string): Promise<RegistryImage | undefined>
  /** Removes a name and the content that only it needed. False when it is not here. */
  remove(reference: string): Promise<boolean>
  /** Called after each change of the set of images. Returns the function that ends it. */
  watch(callback: () => void): () => void
  collectGarbage(): Promise<{ blobs: number; bytes: number }>
}

export async function openRegistry(options: {
  folder: string
  logger: Logger
  nowMs?: () => number
}): Promise<Registry> {
  const { folder, logger } = options
  const nowMs = options.nowMs ?? Date.now
  const blobs = await openBlobStore(folder)
  const index = await openImageIndex(folder, logger)
  const images = newImages({ blobs, index, logger })
  const handle = newRegistryHandler({ blobs, index, images, nowMs }, logger)

  const describe = (reference: string): Promise<RegistryImage | undefined> => {
    const parsed = parseImageName(reference)
    const repository = repositoryOf(parsed)
    const tag =
      parsed.tag ??
      Object.entries(index.repositories[repository]?.tags ?? {}).find(
        ([, entry]) => entry.digest === parsed.digest,
      )?.[0]
    return tag === undefined ? Promise.resolve(undefined) : images.describe(repository, tag)
  }

  const store = async (found: FoundImage, names: readonly string[], builtIn: boolean): Promise<ImportedImage[]> => {
    const stored: ImportedImage[] = []
    for (const name of names) {
      const parsed = parseImageName(name)
      await images.putManifest({
        repository: repositoryOf(parsed),
        content: found.manifest,
        mediaType: found.mediaType,
        tag: parsed.tag ?? 'latest',
        builtIn,
        nowMs: nowMs(),
        allowMissingPlatforms: true,
      })
      const image = await describe(name)
      if (image !== undefined) stored.push(image)
    }
    return stored
  }

  let lastImport: Promise<unknown> = Promise.resolve()
  const importOne = async (stream: Readable, importOptions: ImportOptions): Promise<ImportedImage[]> => {
    const chosen = importOptions.name === undefined ? undefined : formatReference(parseImageName(importOptions.name))
    let bytes = 0
    const content = await readArchive(stream, blobs, (count) => {
      bytes += count
      importOptions.onProgress?.(bytes)
    })
    const imported: ImportedImage[] = []
    try {
      const found = await findImages(content, blobs)
      if (found.length === 0)
        throw new ArchiveError('the archive holds no image', 'Make the archive again with an image in it.')
      for (const image of found) imported.push(...(await store(image, namesFor(image, found.length, chosen), false)))
    } catch (error) {
      if (error instanceof ManifestRejected)
        throw new ArchiveError(
          `the image archive is incomplete: ${error.message}`,
          'Make the archive again; every layer must be in it.',
          error,
        )
      throw error
    } finally {
      await discard(content, blobs, await images.referenced())
    }
    logger.info('images imported', { names: imported.map((image) => image.name) })
    return imported
  }

  return {
    handle,
    list: () => images.list(),
    get: describe,
    watch: (callback) => index.watch(callback),
    collectGarbage: () => images.collectGarbage(nowMs()),
    async remove(reference) {
      const image = await describe(reference)
      if (image === undefined) return false
      const colon = image.name.lastIndexOf(':')
      return images.removeTag(image.name.slice(0, colon), image.name.slice(colon + 1))
    },
    importArchive(stream, importOptions = {}) {
      // One after the other: a failed import removes what it brought, which another must not be counting on.
      const result = lastImport.then(() => importOne(stream, importOptions))
      lastImport = result.catch(() => undefined)
      return result
    },
    async addLayout(layout) {
      for (const hex of await readdir(join(layout, 'blobs', 'sha256')))
        await blobs.adopt(join(layout, 'blobs', 'sha256', hex), `sha256:${hex}`)
      const top = await blobs.put(await readFile(join(layout, 'index.json')))
      const found = await findImages({ files: new Map([['index.json', top]]), added: new Set() }, blobs)
      const added: ImportedImage[] = []
      for (const image of found) {
        const missing: string[] = []
        for (const name of image.names) {
          const existing = await describe(name)
          // A built-in name that somebody replaced with an own image stays theirs.
          if (
            existing === undefined ||
            (existing.builtIn && !image.manifest.equals(await blobs.readAll(existing.digest)))
          )
            missing.push(name)
          else added.push(existing)
        }
        added.push(...(await store(image, missing, true)))
      }
      return added
    },
  }
}

function namesFor(image: FoundImage, count: number, chosen: string | undefined): string[] {
  if (chosen !== undefined && count > 1)
    throw new ArchiveError(
      `the archive holds ${count} images; one name cannot be given to all`,
      'Import it without a name.',
    )
  if (chosen !== undefined) return [chosen]
  if (image.names.length === 0)
    throw new ArchiveError(
      'the archive does not name its image',
      'Give it a name: orrery image import --name NAME:TAG FILE.tar',
    )
  return image.names
}
