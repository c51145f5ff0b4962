// Node for the guest: the locked npm package of the guest's architecture, stripped when a tool here can (126 -> 86 MB), and the
// PTY module that the agent imports for node shells.
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { lockedPackage, npmPackageFolder, type NpmPackage } from './npm-package.ts'
import { archFacts } from './recipe.ts'
import type { DebianArch } from './debian/archive.ts'
import { hasTool, runTool } from './run-tool.ts'
import { listFiles } from './stage.ts'

export interface NodeRuntime {
  /** The executable. */
  node: string
  stripped: boolean
  /** Path in the image below /opt/orrery/node_modules -> file here. */
  modules: Map<string, string>
  packages: NpmPackage[]
}

const ptyPackage = '@lydell/node-pty'

export async function prepareNodeRuntime(options: {
  arch: DebianArch
  cache: string
  signal?: AbortSignal
  onStep?: (step: string) => void
}): Promise<NodeRuntime> {
  const { npmArch } = archFacts[options.arch]
  const nodeName = `node-linux-${npmArch}`
  const nativePty = `${ptyPackage}-linux-${npmArch}`
  options.onStep?.(`Node runtime for ${options.arch}`)
  const nodeFolder = await npmPackageFolder({ name: nodeName, cache: options.cache, signal: options.signal })
  const nodePackage = await lockedPackage(nodeName)
  const { path: node, stripped } = await strip({
    ...options,
    from: join(nodeFolder, 'bin', 'node'),
    key: nodePackage.integrity,
  })
  const modules = new Map<string, string>()
  for (const name of [ptyPackage, nativePty]) {
    const folder = await npmPackageFolder({ name, cache: options.cache, signal: options.signal })
    for (const file of await listFiles(folder))
      if (/\.(js|json|node)$|^LICENSE$/.test(file)) modules.set(`${name}/${file}`, join(folder, file))
  }
  return {
    node,
    stripped,
    modules,
    packages: [nodePackage, await lockedPackage(ptyPackage), await lockedPackage(nativePty)],
  }
}

/** llvm-strip handles every architecture; GNU strip only the host's. Without a fitting tool the file is used as it is. */
async function strip(options: {
  arch: DebianArch
  cache: string
  from: string
  key: string
  signal?: AbortSignal
}): Promise<{ path: string; stripped: boolean }> {
  const hostArch = process.arch === 'x64' ? 'amd64' : process.arch
  const tools = [
    'llvm-strip',
    options.arch === 'arm64' ? 'aarch64-linux-gnu-strip' : 'x86_64-linux-gnu-strip',
    ...(options.arch === hostArch ? ['strip'] : []),
  ]
  const folder = join(options.cache, 'npm', 'stripped')
  const key = createHash('sha256').update(options.key).digest('hex').slice(0, 16)
  const target = join(folder, `node-${options.arch}-${key}`)
  if (existsSync(target)) return { path: target, stripped: true }
  const part = `${target}.part-${randomBytes(4).toString('hex')}`
  for (const tool of tools) {
    if (!(await hasTool(tool))) continue
    await mkdir(folder, { recursive: true })
    try {
      await copyFile(options.from, part)
      await runTool(tool, ['--strip-all', part], { signal: options.signal })
      if ((await stat(part)).size > 0) {
        await rename(part, target)
        return { path: target, stripped: true }
      }
    } catch {
      // A strip that cannot read this architecture is no obstacle: the unstripped file works as well.
      options.signal?.throwIfAborted()
    } finally {
      await rm(part, { force: true })
    }
  }
  return { path: options.from, stripped: false }
}
