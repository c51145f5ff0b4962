// What images there are and which content belongs to them: descriptions for people, storing manifests, removal, garbage collection.
import type { Logger } from '../../common/machinery/logger.ts'
import type { BlobStore } from './blob-store.ts'
import { isRecord, parseManifest, readPlatform, type Manifest, type Platform } from './content.ts'
import { ensureRepository, type ImageIndex, type Repositories } from './image-index.ts'

export interface RegistryImage {
  /** "docker.io/library/hello:1.0" */
  name: string
  digest: string
  mediaType: string
  /** Compressed bytes of everything that belongs to it, all architectures together. */
  sizeBytes: number
  /** Architectures whose content is here. */
  platforms: (Platform & { digest: string; sizeBytes: number })[]
  updatedAtMs: number
  builtIn: boolean
}

export class ManifestRejected extends Error {
  readonly code: 'MANIFEST_INVALID' | 'MANIFEST_BLOB_UNKNOWN'
  readonly detail: unknown
  constructor(code: ManifestRejected['code'], message: string, detail?: unknown) {
    super(message)
    this.code = code
    this.detail = detail
  }
}

export interface PutManifestOptions {
  repository: string
  content: Buffer
  mediaType: string | undefined
  tag?: string
  builtIn?: boolean
  nowMs: number
  /** Archives may carry an index of which only some architectures are inside. */
  allowMissingPlatforms?: boolean
}

/** Untagged content younger than this may belong to a push under way. */
const graceMs = 3600_000

export interface Images {
  putManifest(options: PutManifestOptions): Promise<{ digest: string; manifest: Manifest }>
  list(): Promise<RegistryImage[]>
  describe(repository: string, tag: string): Promise<RegistryImage | undefined>
  removeTag(repository: string, tag: string): Promise<boolean>
  removeManifest(repository: string, digest: string): Promise<boolean>
  /** Digests of everything that a tag leads to. */
  referenced(): Promise<Set<string>>
  collectGarbage(nowMs: number): Promise<{ blobs: number; bytes: number }>
}

export function newImages(options: { blobs: BlobStore; index: ImageIndex; logger: Logger }): Images {
  const { blobs, index, logger } = options

  const readManifest = async (digest: string, mediaType?: string): Promise<Manifest | undefined> => {
    if ((await blobs.size(digest)) === undefined) return undefined
    return parseManifest(await blobs.readAll(digest), mediaType)
  }

  /** Everything reachable from a manifest that is here: digest -> size. */
  const contentOf = async (digest: string, seen = new Map<string, number>()): Promise<Map<string, number>> => {
    if (seen.has(digest)) return seen
    const size = await blobs.size(digest)
    if (size === undefined) return seen
    seen.set(digest, size)
    const manifest = await readManifest(digest).catch(() => undefined)
    for (const blob of manifest?.blobs ?? []) {
      const blobSize = await blobs.size(blob.digest)
      if (blobSize !== undefined) seen.set(blob.digest, blobSize)
    }
    for (const child of manifest?.manifests ?? []) await contentOf(child.digest, seen)
    return seen
  }

  const platformOf = async (manifest: Manifest): Promise<Platform> => {
    if (manifest.config === undefined || (await blobs.size(manifest.config.digest)) === undefined)
      return { os: 'linux', architecture: '' }
    const config: unknown = JSON.parse((await blobs.readAll(manifest.config.digest)).toString('utf8'))
    return isRecord(config) ? readPlatform(config) : { os: 'linux', architecture: '' }
  }

  const describe: Images['describe'] = async (repository, tag) => {
    const entry = index.repositories[repository]?.tags[tag]
    if (entry === undefined) return undefined
    const manifest = await readManifest(entry.digest).catch(() => undefined)
    if (manifest === undefined) return undefined
    const sum = (content: Map<string, number>): number => [...content.values()].reduce((total, size) => total + size, 0)
    const platforms: RegistryImage['platforms'] = []
    const parts = manifest.manifests.length > 0 ? manifest.manifests : [{ digest: entry.digest, platform: undefined }]
    for (const part of parts) {
      const child = part.digest === entry.digest ? manifest : await readManifest(part.digest).catch(() => undefined)
      if (child === undefined) continue
      const platform = part.platform ?? (await platformOf(child).catch(() => undefined))
      // Build attestations ride in indexes as platform "unknown": nothing that runs.
      if (platform === undefined || platform.architecture === 'unknown') continue
      platforms.push({ ...platform, digest: part.digest, sizeBytes: sum(await contentOf(part.digest)) })
    }
    return {
      name: `${repository}:${tag}`,
      digest: entry.digest,
      mediaType: manifest.mediaType,
      sizeBytes: sum(await contentOf(entry.digest)),
      platforms,
      updatedAtMs: entry.updatedAtMs,
      builtIn: entry.builtIn,
    }
  }

  const referencedBy = async (repositories: Repositories, nowMs: number): Promise<Set<string>> => {
    const kept = new Set<string>()
    for (const repository of Object.values(repositories)) {
      const roots = new Set(Object.values(repository.tags).map((entry) => entry.digest))
      for (const [digest, entry] of Object.entries(repository.manifests))
        if (nowMs - entry.pushedAtMs < graceMs) roots.add(digest)
      const reached = new Map<string, number>()
      for (const root of roots) await contentOf(root, reached)
      // What refers to kept content (signatures) stays with it.
      for (const digest of Object.keys(repository.manifests)) {
        const subject = (await readManifest(digest).catch(() => undefined))?.subject
        if (subject !== undefined && reached.has(subject.digest)) await contentOf(digest, reached)
      }
      for (const digest of reached.keys()) kept.add(digest)
    }
    return kept
  }

  /** Deletes what belonged to `candidates` and to nothing else any more. */
  const removeUnused = async (candidates: ReadonlyMap<string, number>): Promise<void> => {
    const kept = await referencedBy(index.repositories, Number.POSITIVE_INFINITY)
    for (const digest of candidates.keys()) if (!kept.has(digest)) await blobs.remove(digest)
  }

  /** Manifest entries of a repository that no tag leads to any more and that were reachable from `content`. */
  const forget = async (
    repositories: Repositories,
    repository: string,
    content: ReadonlyMap<string, number>,
  ): Promise<void> => {
    const entry = repositories[repository]
    if (entry === undefined) return
    const reached = new Map<string, number>()
    for (const { digest } of Object.values(entry.tags)) await contentOf(digest, reached)
    for (const digest of content.keys()) if (!reached.has(digest)) delete entry.manifests[digest]
  }

  return {
    describe,
    async putManifest(put) {
      const manifest = await validate(put, blobs)
      const stored = await blobs.put(put.content)
      await index.update(async (repositories) => {
        const repository = ensureRepository(repositories, put.repository)
        repository.manifests[stored.digest] = {
          mediaType: manifest.mediaType,
          size: stored.size,
          pushedAtMs: put.nowMs,
        }
        for (const child of manifest.manifests)
          if (repository.manifests[child.digest] === undefined && (await blobs.size(child.digest)) !== undefined)
            repository.manifests[child.digest] = { mediaType: child.mediaType, size: child.size, pushedAtMs: put.nowMs }
        if (put.tag !== undefined)
          repository.tags[put.tag] = { digest: stored.digest, updatedAtMs: put.nowMs, builtIn: put.builtIn ?? false }
      })
      return { digest: stored.digest, manifest }
    },
    async list() {
      const images: RegistryImage[] = []
      for (const [repository, { tags }] of Object.entries(index.repositories).sort(([a], [b]) => (a < b ? -1 : 1)))
        for (const tag of Object.keys(tags).sort()) {
          const image = await describe(repository, tag)
          if (image !== undefined) images.push(image)
        }
      return images
    },
    async removeTag(repository, tag) {
      const entry = index.repositories[repository]?.tags[tag]
      if (entry === undefined) return false
      const content = await contentOf(entry.digest)
      await index.update(async (repositories) => {
        delete repositories[repository]?.tags[tag]
        await forget(repositories, repository, content)
      })
      await removeUnused(content)
      return true
    },
    async removeManifest(repository, digest) {
      const entry = index.repositories[repository]
      if (entry?.manifests[digest] === undefined) return false
      const content = await contentOf(digest)
      await index.update(async (repositories) => {
        const own = repositories[repository]
        if (own === undefined) return
        delete own.manifests[digest]
        for (const [tag, { digest: tagged }] of Object.entries(own.tags)) if (tagged === digest) delete own.tags[tag]
        await forget(repositories, repository, content)
      })
      await removeUnused(content)
      return true
    },
    referenced: () => referencedBy(index.repositories, Number.POSITIVE_INFINITY),
    async collectGarbage(nowMs) {
      const kept = await referencedBy(index.repositories, nowMs)
      const stale = Object.values(index.repositories).some((repository) =>
        Object.keys(repository.manifests).some((digest) => !kept.has(digest)),
      )
      if (stale)
        await index.update((repositories) => {
          for (const repository of Object.values(repositories))
            for (const digest of Object.keys(repository.manifests))
              if (!kept.has(digest)) delete repository.manifests[digest]
        })
      let bytes = 0
      let count = 0
      for (const blob of await blobs.all()) {
        if (kept.has(blob.digest) || nowMs - blob.mtimeMs < graceMs) continue
        bytes += await blobs.remove(blob.digest)
        count++
      }
      if (count > 0) logger.info('removed unused image content', { blobs: count, bytes })
      return { blobs: count, bytes }
    },
  }
}

async function validate(put: PutManifestOptions, blobs: BlobStore): Promise<Manifest> {
  let manifest: Manifest
  try {
    manifest = parseManifest(put.content, put.mediaType)
  } catch (error) {
    throw new ManifestRejected('MANIFEST_INVALID', error instanceof Error ? error.message : 'manifest invalid')
  }
  for (const blob of manifest.blobs)
    if ((await blobs.size(blob.digest)) === undefined)
      throw new ManifestRejected('MANIFEST_BLOB_UNKNOWN', `blob unknown to registry: ${blob.digest}`, {
        digest: blob.digest,
      })
  const present = await Promise.all(
    manifest.manifests.map(async (child) => (await blobs.size(child.digest)) !== undefined),
  )
  const missing = manifest.manifests.filter((_, position) => present[position] !== true)
  const enough =
    put.allowMissingPlatforms === true
      ? missing.length < manifest.manifests.length || manifest.manifests.length === 0
      : missing.length === 0
  if (!enough)
    throw new ManifestRejected(
      'MANIFEST_BLOB_UNKNOWN',
      `manifest unknown to registry: ${missing.map((child) => child.digest).join(', ')}`,
      { digest: missing[0]?.digest },
    )
  return manifest
}
