// Builds a node image: kernel, initramfs, read-only erofs root, empty data disk, manifest. Content-addressed: a second call for the
// same recipe finds the result and needs neither network nor time; an interrupted build leaves nothing behind.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openResultStore, type CheckDepth } from './cache.ts'
import { packCpio, type CpioEntry } from './cpio.ts'
import { buildDataDisk } from './data-disk.ts'
import { openArchive, type DebianArch, type DebianPackage } from './debian/archive.ts'
import { unpackDeb } from './debian/deb.ts'
import { eachLimited, sha256OfFile } from './download.ts'
import { extractKernel } from './kernel-image.ts'
import { lockedPackage, type NpmPackage } from './npm-package.ts'
import { prepareNodeRuntime } from './node-runtime.ts'
import { explain } from './problem.ts'
import { archFacts, dataDiskGiB, formatVersion, packageNames, suite } from './recipe.ts'
import { buildRootTree, isWanted, rootfsFolder, type RootTree } from './root-tree.ts'
import { runTool } from './run-tool.ts'
import { listFiles } from './stage.ts'

export interface NodeImage {
  arch: DebianArch
  /** Identifies the content; part of the folder's name. */
  id: string
  folder: string
  kernel: string
  initrd: string
  /** Read-only erofs file, shared by all nodes: virtio-blk serial "orrery-root". */
  root: string
  /** qcow2 to make overlays from: virtio-blk serial "orrery-data". */
  dataTemplate: string
  manifest: string
}

export interface BuildProgress {
  arch: DebianArch
  /** "unpacking packages" */
  step: string
  /** Bytes downloaded so far in this step, and in all, where known. */
  done?: number
  total?: number
}

export interface BuildOptions {
  arch: DebianArch
  cache: string
  onProgress?: (progress: BuildProgress) => void
  signal?: AbortSignal
  /** How an existing result is checked; "hash" reads every byte (doctor). */
  check?: CheckDepth
}

const files = {
  kernel: 'vmlinux',
  initrd: 'initrd.cpio',
  root: 'root.erofs',
  dataTemplate: 'data.qcow2',
  manifest: 'manifest.json',
}

/** The image of this recipe when it is already built and whole. */
export async function findNodeImage(options: {
  arch: DebianArch
  cache: string
  check?: CheckDepth
  onDamaged?: (folder: string) => void
}): Promise<NodeImage | undefined> {
  const store = openResultStore(join(options.cache, 'node-images'), options.onDamaged)
  const folder = await store.find(`${options.arch}-${await recipeKey(options.arch)}`, options.check)
  return folder === undefined ? undefined : describe(options.arch, folder)
}

export async function buildNodeImage(options: BuildOptions): Promise<NodeImage> {
  const report = (step: string, done?: number, total?: number): void =>
    options.onProgress?.({ arch: options.arch, step, done, total })
  const onDamaged = (folder: string): void => {
    report(`the cached image ${folder} is damaged, building it again`)
  }
  const existing = await findNodeImage({ ...options, onDamaged })
  if (existing !== undefined) return existing
  const store = openResultStore(join(options.cache, 'node-images'))
  const work = await store.newWorkFolder()
  try {
    const output = join(work, 'output')
    await mkdir(output)
    const packages = await collectPackages({ ...options, report, folder: join(work, 'packages') })
    const [runtime] = await Promise.all([
      prepareNodeRuntime({ arch: options.arch, cache: options.cache, signal: options.signal, onStep: report }),
      buildDataDisk({ folder: output, name: files.dataTemplate, sizeGiB: dataDiskGiB, signal: options.signal }),
    ])
    report('putting the root file system together')
    const root = join(work, 'root')
    const tree = await buildRootTree({
      arch: options.arch,
      packages: join(work, 'packages'),
      root,
      runtime,
      signal: options.signal,
    })
    await extractKernel({ arch: options.arch, from: tree.kernel, to: join(output, files.kernel) })
    await writeFile(join(output, files.initrd), await initramfs(join(work, 'packages'), tree))
    report('writing the root disk')
    await runTool(
      'mkfs.erofs',
      ['--quiet', '--all-root', '-T0', '-U', '00000000-0000-0000-0000-000000000000', join(output, files.root), root],
      { signal: options.signal },
    )
    const id = await writeManifest({
      output,
      arch: options.arch,
      packages,
      npm: runtime.packages,
      stripped: runtime.stripped,
      licences: join(work, 'packages', 'usr/share/doc'),
    })
    const folder = await store.publish({
      key: `${options.arch}-${await recipeKey(options.arch)}`,
      folder: `${options.arch}-${id}`,
      work: output,
    })
    report('ready')
    return describe(options.arch, folder)
  } catch (error) {
    throw explain(error, `building the ${options.arch} node image`)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function describe(arch: DebianArch, folder: string): NodeImage {
  const path = (name: string): string => join(folder, name)
  return {
    arch,
    id: folder.slice(folder.lastIndexOf(`${arch}-`) + arch.length + 1),
    folder,
    kernel: path(files.kernel),
    initrd: path(files.initrd),
    root: path(files.root),
    dataTemplate: path(files.dataTemplate),
    manifest: path(files.manifest),
  }
}

/** Changes when the recipe, the guest's files, the builder or the locked Node runtime change. */
async function recipeKey(arch: DebianArch): Promise<string> {
  const hash = createHash('sha256').update(`${formatVersion}\0${arch}\0${suite}\0`)
  for (const name of await listFiles(rootfsFolder))
    hash.update(`${name}\0`).update(await readFile(join(rootfsFolder, name)))
  const builder = [
    'recipe.ts',
    'root-tree.ts',
    'build.ts',
    'kernel-modules.ts',
    'kernel-image.ts',
    'cpio.ts',
    'data-disk.ts',
    'stage.ts',
    'oci/pause.ts',
    'oci/layout.ts',
  ]
  for (const name of builder) hash.update(`${name}\0`).update(await readFile(join(import.meta.dirname, name)))
  for (const name of [`node-linux-${archFacts[arch].npmArch}`, '@lydell/node-pty'])
    hash.update((await lockedPackage(name)).integrity)
  return hash.digest('hex').slice(0, 16)
}

const packageListKey = (arch: DebianArch): string =>
  createHash('sha256')
    .update([suite, archFacts[arch].kernelPackage, ...packageNames(arch)].join('\0'))
    .digest('hex')
    .slice(0, 16)

interface CollectOptions extends BuildOptions {
  folder: string
  report: (step: string, done?: number, total?: number) => void
}

/** Resolves, downloads and unpacks all packages into one tree. */
async function collectPackages(options: CollectOptions): Promise<DebianPackage[]> {
  const archive = await openArchive({ suite, cache: options.cache, signal: options.signal, onStep: options.report })
  const facts = archFacts[options.arch]
  const packages = await archive.remembered(`node-image-${options.arch}-${packageListKey(options.arch)}`, async () => {
    const kernel = await archive.resolveMeta(options.arch, facts.kernelPackage, 'linux-image-')
    return archive.resolve(options.arch, [kernel, ...packageNames(options.arch)])
  })
  const total = packages.reduce((sum, entry) => sum + entry.size, 0)
  let done = 0
  options.report('downloading packages', 0, total)
  const debs = await archive.fetch(packages, (bytes) => {
    done += bytes
    options.report('downloading packages', done, total)
  })
  options.report('unpacking packages')
  // The largest first: they decide how long it takes.
  const order = [...packages].sort((a, b) => b.size - a.size)
  await eachLimited(order, 2, async (entry) => {
    const deb = debs.get(entry.name)
    if (deb !== undefined) await unpackDeb({ deb, folder: options.folder, accept: isWanted, signal: options.signal })
  })
  return packages
}

/** busybox, the modules needed to find the root disk, and the first stage. */
async function initramfs(packages: string, tree: RootTree): Promise<Buffer> {
  const folders = ['bin', 'dev', 'proc', 'sys', 'modules', 'lower', 'upper', 'newroot']
  const entries: CpioEntry[] = folders.map((path) => ({ path, mode: 0o040755 }))
  entries.push({ path: 'dev/console', mode: 0o020600, device: { major: 5, minor: 1 } })
  entries.push({ path: 'bin/busybox', mode: 0o100755, content: await readFile(join(packages, 'usr/bin/busybox')) })
  entries.push({ path: 'bin/sh', mode: 0o120777, content: Buffer.from('busybox') })
  entries.push({ path: 'init', mode: 0o100755, content: await readFile(join(rootfsFolder, 'stage1')) })
  for (const { module, file } of tree.early)
    entries.push({ path: `modules/${module.name}.ko`, mode: 0o100644, content: await readFile(file) })
  entries.push({
    path: 'modules/order',
    mode: 0o100644,
    content: Buffer.from(tree.early.map(({ module }) => `${module.name}.ko\n`).join('')),
  })
  return packCpio(entries)
}

interface ManifestOptions {
  output: string
  arch: DebianArch
  packages: readonly DebianPackage[]
  npm: readonly NpmPackage[]
  stripped: boolean
  licences: string
}

/** Lists what the image is made of and returns its id. */
async function writeManifest(options: ManifestOptions): Promise<string> {
  const debian = await Promise.all(
    options.packages.map(async (entry) => ({
      name: entry.name,
      version: entry.version,
      architecture: entry.arch,
      licence: await licenceOf(options.licences, entry.name),
      sha256: entry.sha256,
    })),
  )
  const npm = options.npm.map(({ name, version, licence, integrity }) => ({ name, version, licence, integrity }))
  const outputs: Record<string, { sha256: string; size: number }> = {}
  for (const name of (await readdir(options.output)).sort()) {
    const path = join(options.output, name)
    outputs[name] = { sha256: await sha256OfFile(path), size: (await stat(path)).size }
  }
  // The data template is left out of the identity: qcow2 files of equal content differ between tools.
  const identity = [files.kernel, files.initrd, files.root].map((name) => outputs[name]?.sha256 ?? '').join('\0')
  const id = createHash('sha256').update(identity).digest('hex').slice(0, 16)
  const manifest = {
    formatVersion,
    id,
    architecture: options.arch,
    suite,
    nodeStripped: options.stripped,
    debian: debian.sort((a, b) => (a.name < b.name ? -1 : 1)),
    npm,
    outputs,
  }
  await writeFile(join(options.output, files.manifest), `${JSON.stringify(manifest, undefined, 2)}\n`)
  return id
}

/** Licence names of a machine-readable copyright file; otherwise where to read it in the image. */
async function licenceOf(doc: string, name: string): Promise<string> {
  const path = join(doc, name, 'copyright')
  if (!existsSync(path)) return `see the source package of ${name}`
  const names = [...(await readFile(path, 'utf8')).matchAll(/^License:[ \t]*(\S.*)$/gm)].map(
    (match) => match[1]?.trim() ?? '',
  )
  return names.length === 0 ? `see /usr/share/doc/${name}/copyright` : [...new Set(names)].join('; ')
}
