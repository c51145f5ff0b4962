// Builds the images that come with a lab as OCI layout folders (one per image, both architectures inside). Content-addressed and
// cached like the node images: the second call needs neither network nor time.
import { createHash } from 'node:crypto'
import { lstat, mkdir, readFile, readlink, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openResultStore, type CheckDepth } from '../cache.ts'
import { openArchive, type DebianArch, type DebianArchive } from '../debian/archive.ts'
import { unpackDeb } from '../debian/deb.ts'
import { explain } from '../problem.ts'
import { archFacts, suite } from '../recipe.ts'
import { listFiles, newStage } from '../stage.ts'
import { layoutFiles, packLayer, writeLayout, type LayerFile, type PlatformImage } from './layout.ts'
import { imageRecipes, type ImageRecipe } from './recipes.ts'

export interface BuiltInImage {
  /** "hello" */
  name: string
  /** OCI layout, to be given to the registry's addLayout. */
  folder: string
  references: string[]
}

export interface BuildImagesOptions {
  cache: string
  onProgress?: (progress: { image: string; step: string }) => void
  signal?: AbortSignal
  check?: CheckDepth
}

const arches: DebianArch[] = ['amd64', 'arm64']

export async function buildImages(options: BuildImagesOptions): Promise<BuiltInImage[]> {
  const store = openResultStore(join(options.cache, 'oci-images'))
  const source = await sourceKey()
  let archive: Promise<DebianArchive> | undefined
  const built: BuiltInImage[] = []
  for (const [name, recipe] of Object.entries(imageRecipes)) {
    const key = `${name}-${source}`
    let folder = await store.find(key, options.check)
    if (folder === undefined) {
      archive ??= openArchive({ suite, cache: options.cache, signal: options.signal })
      const work = await store.newWorkFolder()
      try {
        const files = await build({ name, recipe, archive: await archive, work, options })
        await writeLayout(join(work, 'layout'), files)
        const id = createHash('sha256')
          .update(files.get('index.json') ?? '')
          .digest('hex')
          .slice(0, 16)
        folder = await store.publish({ key, folder: `${name}-${id}`, work: join(work, 'layout') })
      } catch (error) {
        throw explain(error, `building the image ${name}`)
      } finally {
        await rm(work, { recursive: true, force: true })
      }
    }
    built.push({ name, folder, references: recipe.names })
  }
  return built
}

async function build(job: {
  name: string
  recipe: ImageRecipe
  archive: DebianArchive
  work: string
  options: BuildImagesOptions
}): Promise<Map<string, Buffer>> {
  const { name, recipe, archive, work, options } = job
  const platforms: PlatformImage[] = []
  for (const arch of arches) {
    options.onProgress?.({ image: name, step: `fetching packages for ${arch}` })
    const packages = join(work, `packages-${arch}`)
    const root = join(work, `root-${arch}`)
    await mkdir(root, { recursive: true })
    const names = [...new Set(recipe.packages)]
    const listKey = createHash('sha256')
      .update([suite, ...names].join('\0'))
      .digest('hex')
      .slice(0, 16)
    const debs = await archive.fetch(
      await archive.remembered(`${name}-${arch}-${listKey}`, () => archive.resolve(arch, names)),
    )
    options.onProgress?.({ image: name, step: `unpacking packages for ${arch}` })
    await Promise.all(
      [...debs.values()].map((deb) => unpackDeb({ deb, folder: packages, accept: isWanted, signal: options.signal })),
    )
    await recipe.fill(newStage({ folder: root, packages, arch: archFacts[arch] }), { arch, packages })
    options.onProgress?.({ image: name, step: `packing for ${arch}` })
    const layer = await packLayer([...(await readTree(root)), ...(await licences(packages))])
    platforms.push({
      architecture: arch,
      ...(arch === 'arm64' ? { variant: 'v8' } : {}),
      config: recipe.config,
      layers: [layer],
    })
  }
  return layoutFiles({ names: recipe.names, platforms })
}

const isWanted = (path: string): boolean =>
  /^usr\/(s?bin|lib|lib64)\//.test(path) ||
  path.startsWith('usr/share/ca-certificates/') ||
  /^usr\/share\/doc\/[^/]+\/copyright$/.test(path)

async function readTree(root: string): Promise<LayerFile[]> {
  return Promise.all(
    (await listFiles(root)).map(async (path) => {
      const found = await lstat(join(root, path))
      if (found.isSymbolicLink()) return { path, linkTo: await readlink(join(root, path)) }
      return { path, mode: found.mode & 0o755, content: await readFile(join(root, path)) }
    }),
  )
}

async function licences(packages: string): Promise<LayerFile[]> {
  const folder = join(packages, 'usr/share/doc')
  const names = await listFiles(folder).catch(() => [])
  const files = names.map(async (name) => ({
    path: `usr/share/doc/${name}`,
    content: await readFile(join(folder, name)).catch(() => undefined),
  }))
  return (await Promise.all(files)).flatMap(({ path, content }) => (content === undefined ? [] : [{ path, content }]))
}

/** Changes when a recipe or the way images are put together changes. */
async function sourceKey(): Promise<string> {
  const hash = createHash('sha256').update(suite)
  for (const name of ['recipes.ts', 'layout.ts', 'pause.ts', 'hello.lua', 'build-images.ts', '../stage.ts'])
    hash.update(await readFile(join(import.meta.dirname, name)))
  return hash.digest('hex').slice(0, 16)
}
