// Which repositories, tags and manifests exist: one small JSON file, replaced atomically (written, flushed, renamed) on each change.
// Reads come from memory; changes are made one after the other.
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../../common/machinery/logger.ts'
import { isRecord } from './content.ts'

export interface ManifestEntry {
  mediaType: string
  size: number
  /** ms; untagged manifests are kept for a while because clients push an index after its parts. */
  pushedAtMs: number
}

export interface TagEntry {
  digest: string
  updatedAtMs: number
  /** Comes with Orrery; removed tags of this kind return at the next start. */
  builtIn: boolean
}

export interface Repository {
  manifests: Record<string, ManifestEntry>
  tags: Record<string, TagEntry>
}

export type Repositories = Record<string, Repository>

export interface ImageIndex {
  readonly repositories: Readonly<Repositories>
  /** Runs `change` on a copy and makes the result durable before it becomes visible. Watchers are called afterwards. */
  update<T>(change: (repositories: Repositories) => T | Promise<T>): Promise<T>
  watch(callback: () => void): () => void
}

export async function openImageIndex(folder: string, logger: Logger): Promise<ImageIndex> {
  const path = join(folder, 'images.json')
  let current = await load(path, logger)
  let last: Promise<unknown> = Promise.resolve()
  const watchers = new Set<() => void>()

  return {
    get repositories() {
      return current
    },
    update(change) {
      const result = last.then(async () => {
        const next = structuredClone(current)
        const value = await change(next)
        for (const [name, repository] of Object.entries(next))
          if (Object.keys(repository.manifests).length === 0 && Object.keys(repository.tags).length === 0)
            delete next[name]
        await save(path, next)
        current = next
        for (const callback of watchers) callback()
        return value
      })
      last = result.catch(() => undefined)
      return result
    },
    watch(callback) {
      watchers.add(callback)
      return () => watchers.delete(callback)
    },
  }
}

/** The repository, made when new. */
export function ensureRepository(repositories: Repositories, name: string): Repository {
  const repository = repositories[name] ?? { manifests: {}, tags: {} }
  repositories[name] = repository
  return repository
}

async function load(path: string, logger: Logger): Promise<Repositories> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    return {}
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isRecord(value) && value['formatVersion'] === 1 && isRepositories(value['repositories']))
      return value['repositories']
    throw new Error('unknown format')
  } catch (error) {
    // The images can be imported again; refusing to start would help nobody. The file is kept for a look.
    const aside = `${path}.damaged-${Date.now()}`
    await rename(path, aside)
    logger.error('image index is damaged, starting with an empty one', { aside, error: String(error) })
    return {}
  }
}

async function save(path: string, repositories: Repositories): Promise<void> {
  const part = `${path}.part`
  const file = await open(part, 'w', 0o600)
  try {
    await file.writeFile(JSON.stringify({ formatVersion: 1, repositories }))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(part, path)
}

function isRepositories(value: unknown): value is Repositories {
  return (
    isRecord(value) &&
    Object.values(value).every((entry) => isRecord(entry) && isRecord(entry['manifests']) && isRecord(entry['tags']))
  )
}
