// Chooses and orders kernel modules: Debian ships them as .ko.xz without modules.dep, so dependencies are read from each module.
import { readFile, rm, writeFile, mkdir } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { elfSection, hideElfSection } from './elf.ts'
import { BuildProblem } from './problem.ts'
import { runTool } from './run-tool.ts'

export interface KernelModule {
  name: string
  /** Path below usr/lib/modules/VERSION, uncompressed: "kernel/net/bridge/bridge.ko". */
  path: string
  depends: string[]
  aliases: string[]
}

export interface ModuleSet {
  /** Everything needed, dependencies before dependents. */
  ordered: KernelModule[]
  missing: string[]
}

export const moduleName = (path: string): string =>
  basename(path)
    .replace(/\.ko(\.xz)?$/, '')
    .replaceAll('-', '_')

/**
 * Decompresses the wanted modules and what they depend on (in place, below `folder` = …/usr/lib/modules/VERSION).
 * `available`: paths of all .ko.xz files relative to the folder.
 */
export async function collectModules(options: {
  folder: string
  available: readonly string[]
  wanted: readonly string[]
  signal?: AbortSignal
}): Promise<ModuleSet> {
  const byName = new Map(options.available.map((path) => [moduleName(path), path]))
  const builtin = new Set(
    (await readFile(join(options.folder, 'modules.builtin'), 'utf8')).split('\n').filter(Boolean).map(moduleName),
  )
  const loaded = new Map<string, KernelModule>()
  const missing: string[] = []
  for (let round = [...options.wanted]; round.length > 0;) {
    const fresh = [...new Set(round)].filter((name) => !loaded.has(name) && !builtin.has(name))
    missing.push(...fresh.filter((name) => !byName.has(name)))
    const paths = fresh.flatMap((name) => byName.get(name) ?? [])
    const packed = paths.filter((path) => path.endsWith('.xz') && !existsSync(join(options.folder, path.slice(0, -3))))
    if (packed.length > 0)
      await runTool('xz', ['-dk', ...packed.map((path) => join(options.folder, path))], { signal: options.signal })
    const read = await Promise.all(paths.map((path) => readModule(options.folder, path.replace(/\.xz$/, ''))))
    for (const module of read) loaded.set(module.name, module)
    round = read.flatMap((module) => module.depends)
  }
  return { ordered: orderModules(options.wanted, loaded), missing }
}

async function readModule(folder: string, path: string): Promise<KernelModule> {
  const file = join(folder, path)
  const original = await readFile(file)
  const image = lightenModule(original)
  if (image !== original) await writeFile(file, image)
  const info = elfSection(image, '.modinfo')
  if (info === undefined)
    throw new BuildProblem({
      code: 'BadInput',
      message: `${path} is not a kernel module`,
      hint: 'The kernel package is damaged; remove it from the cache.',
    })
  return { name: moduleName(path), path, ...parseModinfo(info) }
}

const signatureMark = Buffer.from('~Module signature appended~\n')

/**
 * Takes off what makes loading slow under emulation and serves nobody here: the appended signature (the kernel would check it but not
 * insist on it; the image as a whole is checked by hash) and the BTF section (parsed at each load).
 * Layout (include/linux/module_signature.h): ELF, signature, 12 bytes ending in the big-endian signature length, mark.
 */
export function lightenModule(image: Buffer): Buffer {
  if (!image.subarray(-signatureMark.length).equals(signatureMark)) return image
  const trailer = image.length - signatureMark.length
  const signature = image.readUInt32BE(trailer - 4)
  const bare = Buffer.from(image.subarray(0, trailer - 12 - signature))
  hideElfSection(bare, '.BTF')
  return bare
}

/** .modinfo is a list of NUL-terminated "key=value". */
export function parseModinfo(info: Buffer): { depends: string[]; aliases: string[] } {
  const depends: string[] = []
  const aliases: string[] = []
  for (const entry of info.toString('latin1').split('\0')) {
    if (entry.startsWith('depends='))
      depends.push(
        ...entry
          .slice(8)
          .split(',')
          .filter(Boolean)
          .map((name) => name.replaceAll('-', '_')),
      )
    if (entry.startsWith('alias=')) aliases.push(entry.slice(6))
  }
  return { depends, aliases }
}

/** Depth first: dependencies come before what needs them, otherwise the order asked for. */
export function orderModules(wanted: readonly string[], modules: ReadonlyMap<string, KernelModule>): KernelModule[] {
  const ordered: KernelModule[] = []
  const seen = new Set<string>()
  const visit = (name: string): void => {
    const module = modules.get(name)
    if (module === undefined || seen.has(name)) return
    seen.add(name)
    for (const dependency of module.depends) visit(dependency)
    ordered.push(module)
  }
  for (const name of wanted) visit(name)
  return ordered
}

/** Everything a module needs, itself included, in load order. */
export const closure = (set: ModuleSet, wanted: readonly string[]): KernelModule[] =>
  orderModules(wanted, new Map(set.ordered.map((module) => [module.name, module])))

/** Writes the modules and what busybox modprobe reads (modules.dep, modules.alias) below `target`/usr/lib/modules/VERSION. */
export async function installModules(options: {
  set: ModuleSet
  from: string
  to: string
  link: (from: string, to: string) => Promise<void>
}): Promise<void> {
  const byName = new Map(options.set.ordered.map((module) => [module.name, module]))
  const lines: string[] = []
  const aliases: string[] = []
  for (const module of options.set.ordered) {
    await mkdir(join(options.to, dirname(module.path)), { recursive: true })
    await options.link(join(options.from, module.path), join(options.to, module.path))
    const needs = orderModules([module.name], byName).slice(0, -1).reverse()
    lines.push(`${module.path}:${needs.map((need) => ` ${need.path}`).join('')}`)
    for (const alias of module.aliases) aliases.push(`alias ${alias} ${module.name}`)
  }
  await writeFile(join(options.to, 'modules.dep'), `${lines.join('\n')}\n`)
  await writeFile(join(options.to, 'modules.alias'), `${aliases.join('\n')}\n`)
  await writeFile(join(options.to, 'modules.symbols'), '')
  await rm(join(options.to, 'modules.dep.bb'), { force: true })
}
