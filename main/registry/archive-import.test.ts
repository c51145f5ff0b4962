import { Readable } from 'node:stream'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { mkdtemp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf } from './blob-store.ts'
import { ArchiveError } from './registry.ts'
import { blobPath, indexOf, layoutOf, smallImage, startRegistry, tarOf } from './testing.ts'

const indexType = 'application/vnd.oci.image.index.v1+json'
const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const amd64 = smallImage('app')
const arm64 = smallImage('app', 'arm64')
const both = indexOf([
  { image: amd64, architecture: 'amd64' },
  { image: arm64, architecture: 'arm64' },
])
const contents = (image: typeof amd64): Buffer[] => [image.manifest, image.config, image.layer]

describe('OCI layouts', () => {
  it.each([
    ['plain', (tar: Buffer) => tar],
    ['gzip', (tar: Buffer) => gzipSync(tar)],
    ['zstd', (tar: Buffer) => zstdCompressSync(tar)],
  ])('%s: all architectures are imported under the full name', async (_, pack) => {
    await using running = await startRegistry()
    const tar = pack(
      await tarOf(
        layoutOf({
          top: both,
          topType: indexType,
          blobs: [...contents(amd64), ...contents(arm64)],
          annotations: { 'io.containerd.image.name': 'quay.io/me/app:2' },
        }),
      ),
    )
    let progress = 0
    const imported = await running.registry.importArchive(Readable.from([tar.subarray(0, 700), tar.subarray(700)]), {
      onProgress: (bytes) => (progress = bytes),
    })
    expect(progress).toBe(tar.length)
    expect(imported.map((image) => [image.name, image.platforms.map((platform) => platform.architecture)])).toEqual([
      ['quay.io/me/app:2', ['amd64', 'arm64']],
    ])
    expect((await fetch(`${running.url}/v2/me/app/manifests/2?ns=quay.io`)).headers.get('docker-content-digest')).toBe(
      digestOf(both),
    )
  })

  it('with only one of the architectures inside shows just that one', async () => {
    await using running = await startRegistry()
    const tar = await tarOf(
      layoutOf({
        top: both,
        topType: indexType,
        blobs: contents(arm64),
        annotations: { 'io.containerd.image.name': 'app' },
      }),
    )
    const [image] = await running.registry.importArchive(Readable.from([tar]))
    expect(image?.name).toBe('docker.io/library/app:latest')
    expect(image?.platforms.map((platform) => platform.architecture)).toEqual(['arm64'])
  })

  it('without a name need one given', async () => {
    await using running = await startRegistry()
    const tar = await tarOf(
      layoutOf({
        top: amd64.manifest,
        topType: manifestType,
        blobs: contents(amd64),
        annotations: { 'org.opencontainers.image.ref.name': '1.0' },
      }),
    )
    await expect(running.registry.importArchive(Readable.from([tar]))).rejects.toThrow(
      'the archive does not name its image',
    )
    const [image] = await running.registry.importArchive(Readable.from([tar]), { name: 'mine:3' })
    expect(image).toMatchObject({ name: 'docker.io/library/mine:3', platforms: [{ architecture: 'amd64' }] })
    await expect(running.registry.importArchive(Readable.from([tar]), { name: 'Mine' })).rejects.toThrow(
      'must be lowercase',
    )
  })
})

describe('docker save', () => {
  const save = { Config: 'abc.json', RepoTags: ['app:1', 'other/app:2'], Layers: ['l1/layer.tar', 'l2/layer.tar'] }

  it('of older versions, with layers shared by links', async () => {
    await using running = await startRegistry()
    const tar = await tarOf({
      'l1/layer.tar': amd64.layer,
      'l2/layer.tar': { linkTo: '../l1/layer.tar' },
      'abc.json': amd64.config,
      'manifest.json': JSON.stringify([save]),
    })
    const imported = await running.registry.importArchive(Readable.from([tar]))
    expect(imported.map((image) => image.name)).toEqual(['docker.io/library/app:1', 'docker.io/other/app:2'])
    const manifest: unknown = await (await fetch(`${running.url}/v2/library/app/manifests/1?ns=docker.io`)).json()
    const layer = {
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
      size: amd64.layer.length,
      digest: digestOf(amd64.layer),
    }
    expect(manifest).toMatchObject({ config: { digest: digestOf(amd64.config) }, layers: [layer, layer] })
  })

  it('of newer versions, which are OCI layouts named by manifest.json', async () => {
    await using running = await startRegistry()
    const layout = layoutOf({ top: amd64.manifest, topType: manifestType, blobs: contents(amd64) })
    const tar = await tarOf({
      ...layout,
      'manifest.json': JSON.stringify([
        { Config: blobPath(amd64.config), RepoTags: ['app:1'], Layers: [blobPath(amd64.layer)] },
      ]),
    })
    const imported = await running.registry.importArchive(Readable.from([tar]))
    expect(imported.map((image) => [image.name, image.digest])).toEqual([['docker.io/library/app:1', amd64.digest]])
  })
})

describe('what is no image archive is refused, and nothing of it stays', () => {
  const cases: [string, () => Promise<Buffer>, string][] = [
    ['an empty file', () => Promise.resolve(Buffer.alloc(0)), 'not an image archive: it is empty'],
    [
      'text',
      () => Promise.resolve(Buffer.from('hello there\n'.repeat(100))),
      'not an image archive: it is not a tar file',
    ],
    [
      'some tar',
      () => tarOf({ 'README.md': 'hello' }),
      'not an image archive: it has neither index.json (OCI layout) nor manifest.json (docker save)',
    ],
    ['a broken index', () => tarOf({ 'index.json': '{' }), 'not an image archive: index.json is not JSON'],
    [
      'a tar cut off',
      async () =>
        (await tarOf(layoutOf({ top: amd64.manifest, topType: manifestType, blobs: contents(amd64) }))).subarray(
          0,
          2000,
        ),
      'the image archive ends early or is damaged',
    ],
    [
      'gzip cut off',
      async () => gzipSync(await tarOf({ 'index.json': JSON.stringify({ manifests: [] }) })).subarray(0, 60),
      'not an image archive',
    ],
    [
      'a missing layer',
      () =>
        tarOf(
          layoutOf({
            top: amd64.manifest,
            topType: manifestType,
            blobs: [amd64.config],
            annotations: { 'io.containerd.image.name': 'app' },
          }),
        ),
      'the image archive is incomplete',
    ],
    [
      'a blob with other content',
      () =>
        tarOf({
          ...layoutOf({ top: amd64.manifest, topType: manifestType, blobs: contents(amd64) }),
          [blobPath(amd64.layer)]: 'other',
        }),
      'the image archive is damaged',
    ],
    ['xz', () => Promise.resolve(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])), 'compressed with xz'],
  ]
  it.each(cases)('%s', async (_, make, message) => {
    await using running = await startRegistry()
    const failure = running.registry.importArchive(Readable.from([await make()]))
    await expect(failure).rejects.toThrow(ArchiveError)
    await expect(failure).rejects.toThrow(message)
    expect(await running.registry.list()).toEqual([])
    expect(await readdir(join(running.folder, 'blobs', 'sha256'))).toEqual([])
    expect(await readdir(join(running.folder, 'uploads'))).toEqual([])
  })
})

describe('built-in layouts', () => {
  it('are added once, renewed when they change, and never over an own image', async () => {
    await using running = await startRegistry()
    const folder = await mkdtemp(join(tmpdir(), 'orrery-layout-'))
    const writeLayout = async (image: typeof amd64): Promise<void> => {
      await rm(folder, { recursive: true, force: true })
      for (const [name, content] of Object.entries(
        layoutOf({
          top: image.manifest,
          topType: manifestType,
          blobs: contents(image),
          annotations: { 'io.containerd.image.name': 'docker.io/library/hello:1.0' },
        }),
      )) {
        await mkdir(dirname(join(folder, name)), { recursive: true })
        await writeFile(join(folder, name), content as Buffer)
      }
    }
    try {
      await writeLayout(amd64)
      expect(await running.registry.addLayout(folder)).toMatchObject([
        { name: 'docker.io/library/hello:1.0', builtIn: true, digest: amd64.digest },
      ])
      let changes = 0
      running.registry.watch(() => changes++)
      await running.registry.addLayout(folder)
      expect(changes).toBe(0)
      await writeLayout(arm64)
      expect(await running.registry.addLayout(folder)).toMatchObject([{ digest: arm64.digest }])
      const own = smallImage('own')
      await running.registry.importArchive(
        Readable.from([
          await tarOf(
            layoutOf({
              top: own.manifest,
              topType: manifestType,
              blobs: contents(own),
              annotations: { 'io.containerd.image.name': 'hello:1.0' },
            }),
          ),
        ]),
      )
      await running.registry.addLayout(folder)
      expect(await running.registry.get('hello:1.0')).toMatchObject({ digest: own.digest, builtIn: false })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
