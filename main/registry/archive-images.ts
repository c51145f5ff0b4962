// Says which images an unpacked archive holds. Pure reading of index.json (OCI) and manifest.json (docker save); the latter's images
// get a manifest made for them, because the old form has none.
import type { BlobStore, StoredBlob } from './blob-store.ts'
import { ArchiveError, notAnArchive, type ArchiveContent } from './archive-import.ts'
import { indexTypes, isRecord, manifestTypes } from './content.ts'
import { formatReference, parseImageName, BadReference } from './reference.ts'

export interface FoundImage {
  /** Normalised full names; empty when the archive gives none. */
  names: string[]
  manifest: Buffer
  mediaType: string
}

/** Large enough for any index, small enough to be read into memory without thought. */
const maxJsonBytes = 16 << 20

export async function findImages(content: ArchiveContent, blobs: BlobStore): Promise<FoundImage[]> {
  const index = content.files.get('index.json')
  const docker = content.files.get('manifest.json')
  if (index === undefined && docker === undefined)
    throw notAnArchive('it has neither index.json (OCI layout) nor manifest.json (docker save)')
  const saved = docker === undefined ? [] : await readSaved(docker, blobs)
  if (index !== undefined) return fromLayout({ index, saved, blobs })
  return Promise.all(saved.map((entry) => fromSaved(entry, content, blobs)))
}

interface SavedImage {
  config: string
  repoTags: string[]
  layers: string[]
}

async function readSaved(file: StoredBlob, blobs: BlobStore): Promise<SavedImage[]> {
  const value = await readJson(file, blobs, 'manifest.json')
  if (!Array.isArray(value)) throw notAnArchive('manifest.json is not a list')
  const entries: unknown[] = value
  return entries.map((entry) => {
    if (!isRecord(entry) || typeof entry['Config'] !== 'string')
      throw notAnArchive('manifest.json names no image configuration')
    return { config: entry['Config'], repoTags: texts(entry['RepoTags']), layers: texts(entry['Layers']) }
  })
}

async function fromLayout(options: {
  index: StoredBlob
  saved: SavedImage[]
  blobs: BlobStore
}): Promise<FoundImage[]> {
  const value = await readJson(options.index, options.blobs, 'index.json')
  const list = isRecord(value) && Array.isArray(value['manifests']) ? value['manifests'] : undefined
  if (list === undefined) throw notAnArchive('index.json lists no manifests')
  const byDigest = new Map<string, FoundImage>()
  for (const entry of list as unknown[]) {
    if (!isRecord(entry) || typeof entry['digest'] !== 'string' || typeof entry['mediaType'] !== 'string')
      throw notAnArchive('index.json has a broken entry')
    const { digest, mediaType } = entry
    if (![...indexTypes, ...manifestTypes].includes(mediaType)) continue
    if ((await options.blobs.size(digest)) === undefined)
      throw new ArchiveError(`the image archive is incomplete: ${digest} is missing`, 'Make the archive again.')
    const image = byDigest.get(digest) ?? { names: [], manifest: await options.blobs.readAll(digest), mediaType }
    const name = nameFromAnnotations(entry['annotations'])
    if (name !== undefined && !image.names.includes(name)) image.names.push(name)
    byDigest.set(digest, image)
  }
  const images = [...byDigest.values()]
  // docker save of some versions writes names only into manifest.json; with one image it is clear whose they are.
  const [only] = images
  const tags = options.saved.flatMap((entry) => entry.repoTags)
  if (images.length === 1 && only !== undefined && only.names.length === 0) only.names.push(...tags.map(normalise))
  return images
}

function nameFromAnnotations(annotations: unknown): string | undefined {
  if (!isRecord(annotations)) return undefined
  const full = annotations['io.containerd.image.name']
  if (typeof full === 'string' && full !== '') return normalise(full)
  const short = annotations['org.opencontainers.image.ref.name']
  // "1.0" is only a tag; "hello:1.0" or "quay.io/x/y:1" is a name.
  return typeof short === 'string' && /[:/]/.test(short) ? normalise(short) : undefined
}

async function fromSaved(entry: SavedImage, content: ArchiveContent, blobs: BlobStore): Promise<FoundImage> {
  const fileOf = (path: string): StoredBlob => {
    const file = content.files.get(path)
    if (file === undefined)
      throw new ArchiveError(
        `the image archive is incomplete: ${path} is missing`,
        'Make the archive again with docker save.',
      )
    return file
  }
  const config = fileOf(entry.config)
  const layers = await Promise.all(
    entry.layers.map(async (path) => ({ ...(await layerType(fileOf(path), blobs)), ...fileOf(path) })),
  )
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json'
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: config.size, digest: config.digest },
    layers: layers.map(({ mediaType: type, size, digest }) => ({ mediaType: type, size, digest })),
  }
  return { names: entry.repoTags.map(normalise), manifest: Buffer.from(JSON.stringify(manifest)), mediaType }
}

/** docker save writes plain tars, other tools compressed ones under the same name. */
async function layerType(file: StoredBlob, blobs: BlobStore): Promise<{ mediaType: string }> {
  const head: Buffer[] = []
  if (file.size > 1)
    for await (const chunk of blobs.read(file.digest, { start: 0, end: 1 }))
      if (chunk instanceof Uint8Array) head.push(Buffer.from(chunk))
  const gzip = Buffer.concat(head).equals(Buffer.from([0x1f, 0x8b]))
  return {
    mediaType: gzip
      ? 'application/vnd.docker.image.rootfs.diff.tar.gzip'
      : 'application/vnd.docker.image.rootfs.diff.tar',
  }
}

function normalise(name: string): string {
  try {
    return formatReference(parseImageName(name))
  } catch (error) {
    if (error instanceof BadReference)
      throw new ArchiveError(
        `the archive names an image "${name}": ${error.message}`,
        'Give the image a valid name when making the archive.',
      )
    throw error
  }
}

async function readJson(file: StoredBlob, blobs: BlobStore, name: string): Promise<unknown> {
  if (file.size > maxJsonBytes) throw notAnArchive(`${name} is ${file.size} bytes long`)
  try {
    return JSON.parse((await blobs.readAll(file.digest)).toString('utf8'))
  } catch (error) {
    throw notAnArchive(`${name} is not JSON`, error)
  }
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : []
