// Puts the root file system of a node together in a stage folder; what goes in is decided by recipe.ts and rootfs/.
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DebianArch } from './debian/archive.ts'
import { closure, collectModules, installModules, type KernelModule, type ModuleSet } from './kernel-modules.ts'
import type { NodeRuntime } from './node-runtime.ts'
import { layoutTar, sha256 } from './oci/layout.ts'
import { pauseLayout, pauseProgram } from './oci/pause.ts'
import { BuildProblem } from './problem.ts'
import {
  archFacts,
  busyboxApplets,
  cniPlugins,
  dataFiles,
  earlyModules,
  extraModules,
  lateModules,
  optionalModules,
  programs,
} from './recipe.ts'
import { listFiles, newStage, type Stage } from './stage.ts'

export const rootfsFolder = join(import.meta.dirname, 'rootfs')

/** Paths of a package worth unpacking: programs, libraries, modules, licence texts. */
export function isWanted(path: string): boolean {
  if (path.startsWith('usr/share/'))
    return /^usr\/share\/doc\/[^/]+\/copyright$/.test(path) || path.startsWith('usr/share/terminfo/')
  if (/\/(gconv|audit|locale)\//.test(path)) return false
  return /^(usr\/(s?bin|lib|lib64|libexec)|s?bin|lib|lib64|boot|etc)\//.test(path)
}

export interface RootTree {
  modules: ModuleSet
  /** Modules the initramfs loads, in order, with their uncompressed files. */
  early: { module: KernelModule; file: string }[]
  kernel: string
}

export async function buildRootTree(options: {
  arch: DebianArch
  packages: string
  root: string
  runtime: NodeRuntime
  signal?: AbortSignal
}): Promise<RootTree> {
  const arch = archFacts[options.arch]
  const stage = newStage({ folder: options.root, packages: options.packages, arch })
  await addSkeleton(stage)
  for (const path of Object.keys(programs(options.arch))) await stage.take(path)
  for (const plugin of cniPlugins)
    await stage.add(join(options.packages, 'usr/lib/cni', plugin), `opt/cni/bin/${plugin}`, 0o755)
  for (const path of dataFiles) await stage.take(path)
  const xtables = `usr/lib/${arch.multiarch}/xtables`
  for (const name of await readdir(join(options.packages, xtables))) await stage.take(`${xtables}/${name}`)
  for (const name of [
    'iptables',
    'iptables-save',
    'iptables-restore',
    'ip6tables',
    'ip6tables-save',
    'ip6tables-restore',
  ])
    await stage.linkTo(`usr/sbin/${name}`, 'xtables-nft-multi')
  for (const applet of busyboxApplets)
    if (!(`usr/bin/${applet}` in programs(options.arch))) await stage.linkTo(`usr/bin/${applet}`, 'busybox')
  await addRuntime(stage, options.runtime)
  await stage.takeLibraries()
  await addScripts(stage)
  await addPause(stage, options)
  await addLicences(stage, options.packages)
  return addModules(stage, options)
}

async function addSkeleton(stage: Stage): Promise<void> {
  for (const folder of [
    'dev',
    'proc',
    'sys',
    'run',
    'tmp',
    'var',
    'mnt',
    'root',
    'etc/cni/net.d',
    'opt/cni/bin',
    'opt/orrery',
    'usr/bin',
    'usr/sbin',
    'usr/lib',
    'usr/lib64',
  ])
    await stage.makeFolder(folder)
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) await stage.linkTo(name, `usr/${name}`)
}

async function addRuntime(stage: Stage, runtime: NodeRuntime): Promise<void> {
  await stage.add(runtime.node, 'usr/bin/node', 0o755)
  for (const [path, file] of runtime.modules) await stage.add(file, `opt/orrery/node_modules/${path}`, 0o644)
}

async function addScripts(stage: Stage): Promise<void> {
  const read = (name: string): Promise<Buffer> => readFile(join(rootfsFolder, name))
  await stage.write('etc/inittab', await read('inittab'))
  await stage.linkTo('usr/sbin/init', '../bin/busybox')
  await stage.linkTo('usr/sbin/modprobe', '../bin/busybox')
  for (const name of await readdir(join(rootfsFolder, 'lib')))
    await stage.write(`usr/lib/orrery/${name}`, await read(`lib/${name}`), 0o755)
  for (const name of await listFiles(join(rootfsFolder, 'etc')))
    await stage.write(`etc/${name}`, await read(`etc/${name}`))
  await stage.makeFolder('etc/containerd/certs.d/_default')
  for (const action of ['poweroff', 'reboot'])
    await stage.write(`usr/sbin/${action}`, `#!/usr/bin/busybox sh\nexec /usr/lib/orrery/shutdown ${action}\n`, 0o755)
}

async function addPause(stage: Stage, options: { arch: DebianArch; packages: string }): Promise<void> {
  const tar = await layoutTar(await pauseLayout(options.arch, await readFile(join(options.packages, pauseProgram))))
  await stage.write('usr/share/orrery/pause.tar', tar)
  await stage.write('usr/share/orrery/pause.digest', `${sha256(tar).slice(7, 23)}\n`)
}

async function addLicences(stage: Stage, packages: string): Promise<void> {
  const doc = join(packages, 'usr/share/doc')
  for (const name of await readdir(doc)) {
    const file = join(doc, name, 'copyright')
    const text = await readFile(file).catch(() => undefined)
    if (text !== undefined) await stage.write(`usr/share/doc/${name}/copyright`, text)
  }
}

async function addModules(
  stage: Stage,
  options: { packages: string; root: string; signal?: AbortSignal },
): Promise<RootTree> {
  const parent = join(options.packages, 'usr/lib/modules')
  const [version] = await readdir(parent)
  if (version === undefined)
    throw new BuildProblem({
      code: 'BadInput',
      message: 'the kernel package has no modules',
      hint: 'Remove it from the cache.',
    })
  const from = join(parent, version)
  const available = (await listFiles(from)).filter((path) => path.endsWith('.ko.xz') || path.endsWith('.ko'))
  const set = await collectModules({
    folder: from,
    available,
    wanted: [...earlyModules, ...lateModules, ...extraModules],
    signal: options.signal,
  })
  const missing = set.missing.filter((name) => !optionalModules.has(name))
  if (missing.length > 0)
    throw new BuildProblem({
      code: 'MissingPackage',
      message: `the kernel ${version} lacks modules: ${missing.join(', ')}`,
      hint: 'Debian has renamed them or built them in: adapt vm-images/recipe.ts.',
    })
  const to = `usr/lib/modules/${version}`
  await stage.makeFolder(to)
  await installModules({
    set,
    from,
    to: join(options.root, to),
    link: (source, target) => stage.add(source, target.slice(options.root.length + 1), 0o644),
  })
  await stage.write(`${to}/modules.builtin`, await readFile(join(from, 'modules.builtin')))
  const early = closure(set, earlyModules)
  const loadedEarly = new Set(early.map((module) => module.name))
  const late = lateModules.filter(
    (name) => set.ordered.some((module) => module.name === name) && !loadedEarly.has(name),
  )
  await stage.write('usr/lib/modules/orrery.load', `${late.join('\n')}\n`)
  return {
    modules: set,
    early: early.map((module) => ({ module, file: join(from, module.path) })),
    kernel: join(options.packages, 'boot', `vmlinuz-${version}`),
  }
}
