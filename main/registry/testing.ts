// Small images and archives for tests, and a registry on a real port.
import { createServer, type Server } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack } from 'tar-stream'
import { silentLogger } from '../../common/machinery/logger.ts'
import { digestOf } from './blob-store.ts'
import { openRegistry, type HandleOptions, type Registry } from './registry.ts'

export interface RunningRegistry extends AsyncDisposable {
  registry: Registry
  folder: string
  url: string
  /** Opens the same folder again, as after a restart. */
  reopen(): Promise<Registry>
}

export async function startRegistry(
  options: { handle?: HandleOptions; nowMs?: () => number } = {},
): Promise<RunningRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'orrery-registry-'))
  const open = (): Promise<Registry> => openRegistry({ folder, logger: silentLogger, nowMs: options.nowMs })
  let registry = await open()
  const server = createServer((request, response) => {
    if (!registry.handle(request, response, options.handle)) response.writeHead(404).end('not a registry path')
  })
  const port = await listen(server)
  return {
    get registry() {
      return registry
    },
    folder,
    url: `http://127.0.0.1:${port}`,
    async reopen() {
      registry = await open()
      return registry
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

export interface SmallImage {
  layer: Buffer
  config: Buffer
  manifest: Buffer
  digest: string
}

/** One layer of arbitrary bytes: a registry does not look inside. */
export function smallImage(text: string, architecture = 'amd64'): SmallImage {
  const layer = Buffer.from(`layer of ${text} ${architecture} `.repeat(50))
  const config = Buffer.from(
    JSON.stringify({ architecture, os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }),
  )
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(layer), size: layer.length }],
    }),
  )
  return { layer, config, manifest, digest: digestOf(manifest) }
}

export function indexOf(images: { image: SmallImage; architecture: string }[]): Buffer {
  const manifests = images.map(({ image, architecture }) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: image.digest,
    size: image.manifest.length,
    platform: { os: 'linux', architecture },
  }))
  return Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests }),
  )
}

export type ArchiveFiles = Record<string, Buffer | string | { linkTo: string }>

export async function tarOf(files: ArchiveFiles): Promise<Buffer> {
  const archive = pack()
  for (const [name, content] of Object.entries(files)) {
    if (typeof content === 'object' && 'linkTo' in content)
      archive.entry({ name, type: 'symlink', linkname: content.linkTo })
    else archive.entry({ name }, content)
  }
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

export const blobPath = (content: Buffer): string => `blobs/sha256/${digestOf(content).slice(7)}`

/** An OCI layout with one index.json entry. */
export function layoutOf(options: {
  top: Buffer
  topType: string
  blobs: Buffer[]
  annotations?: Record<string, string>
}): ArchiveFiles {
  const { top, topType, blobs, annotations } = options
  const entry = {
    mediaType: topType,
    digest: digestOf(top),
    size: top.length,
    ...(annotations === undefined ? {} : { annotations }),
  }
  return {
    'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    'index.json': JSON.stringify({ schemaVersion: 2, manifests: [entry] }),
    ...Object.fromEntries([top, ...blobs].map((blob) => [blobPath(blob), blob])),
  }
}
