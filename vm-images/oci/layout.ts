// Writes OCI image layouts (image-spec v1.1) without any container tool: layers from file lists, one manifest per architecture, one
// multi-architecture index. Equal input gives equal digests: no times, sorted entries, fixed compression.
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { pack } from 'tar-stream'

export interface LayerFile {
  /** "usr/bin/curl" */
  path: string
  mode?: number
  content?: Buffer
  /** Makes a symbolic link. */
  linkTo?: string
}

export interface OciDescriptor {
  mediaType: string
  digest: string
  size: number
  platform?: { architecture: string; os: string; variant?: string }
  annotations?: Record<string, string>
}

export interface ImageConfig {
  Entrypoint?: string[]
  Cmd?: string[]
  Env?: string[]
  WorkingDir?: string
  User?: string
  ExposedPorts?: Record<string, Record<string, never>>
  Labels?: Record<string, string>
  StopSignal?: string
}

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const

/** Collects blobs by digest. */
export class BlobSet {
  readonly blobs = new Map<string, Buffer>()

  add(mediaType: string, content: Buffer): OciDescriptor {
    const digest = sha256(content)
    this.blobs.set(digest, content)
    return { mediaType, digest, size: content.length }
  }

  addJson(mediaType: string, value: unknown): OciDescriptor {
    return this.add(mediaType, Buffer.from(JSON.stringify(value)))
  }
}

/** A gzip-compressed layer; `diffId` is the digest of the tar itself. Parent folders are added with mode 0755. */
export async function packLayer(files: readonly LayerFile[]): Promise<{ content: Buffer; diffId: string }> {
  const archive = pack()
  const chunks: Buffer[] = []
  const collected = (async () => {
    for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk))
  })()
  const epoch = new Date(0)
  const folders = new Set<string>()
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    for (const folder of parents(file.path)) {
      if (folders.has(folder)) continue
      folders.add(folder)
      archive.entry({ name: `${folder}/`, type: 'directory', mode: folder === 'tmp' ? 0o1777 : 0o755, mtime: epoch })
    }
    if (file.linkTo !== undefined)
      archive.entry({ name: file.path, type: 'symlink', linkname: file.linkTo, mode: 0o777, mtime: epoch })
    else archive.entry({ name: file.path, mode: file.mode ?? 0o644, mtime: epoch }, file.content ?? Buffer.alloc(0))
  }
  archive.finalize()
  await collected
  const tar = Buffer.concat(chunks)
  return { content: await promisify(gzip)(tar, { level: 6 }), diffId: sha256(tar) }
}

export interface PlatformImage {
  architecture: string
  variant?: string
  config: ImageConfig
  layers: { content: Buffer; diffId: string }[]
}

export function addImage(set: BlobSet, image: PlatformImage): OciDescriptor {
  const platform = {
    architecture: image.architecture,
    os: 'linux',
    ...(image.variant === undefined ? {} : { variant: image.variant }),
  }
  const layers = image.layers.map((layer) => set.add(mediaTypes.layer, layer.content))
  const config = set.addJson(mediaTypes.config, {
    created: '1970-01-01T00:00:00Z',
    ...platform,
    config: image.config,
    rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => layer.diffId) },
    history: image.layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'orrery vm-images/oci' })),
  })
  const manifest = set.addJson(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers,
  })
  return { ...manifest, platform }
}

export interface LayoutImage {
  /** Full references, "docker.io/library/hello:1.0". */
  names: string[]
  platforms: PlatformImage[]
}

/** The files of an OCI layout folder, path -> content. Each name is one entry of index.json, as containerd's import reads it. */
export function layoutFiles(image: LayoutImage): Map<string, Buffer> {
  const set = new BlobSet()
  const manifests = image.platforms.map((platform) => addImage(set, platform))
  const index = set.addJson(mediaTypes.index, { schemaVersion: 2, mediaType: mediaTypes.index, manifests })
  const top = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: image.names.map((name) => ({
      ...index,
      annotations: {
        'io.containerd.image.name': name,
        'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
      },
    })),
  }
  const files = new Map<string, Buffer>([
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ['index.json', Buffer.from(JSON.stringify(top))],
  ])
  for (const [digest, content] of set.blobs) files.set(`blobs/sha256/${digest.slice(7)}`, content)
  return files
}

export async function writeLayout(folder: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
}

/** The same layout as one tar, what `ctr images import` reads. */
export async function layoutTar(files: ReadonlyMap<string, Buffer>): Promise<Buffer> {
  const archive = pack()
  const chunks: Buffer[] = []
  const collected = (async () => {
    for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk))
  })()
  for (const [name, content] of files) archive.entry({ name, mode: 0o644, mtime: new Date(0) }, content)
  archive.finalize()
  await collected
  return Buffer.concat(chunks)
}

export const sha256 = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`

function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}
