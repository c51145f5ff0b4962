// Builds everything that runs: engine, command, workers and node agent as single files, the window, the desktop shell.
// Usage: npm run build
import { existsSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions } from 'esbuild'
import { bundleAgent } from '../vm-images/node-agent/bundle.ts'
import { ensureCriMessages } from './generate/cri-messages.ts'
import { ensureKubernetesProtobuf } from './generate/kubernetes-protobuf.ts'
import { step } from './progress.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')

// CommonJS packages inside an ES module bundle still call require().
const requireBanner =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);"
const node: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  banner: { js: requireBanner },
  // Natives stay in node_modules.
  external: ['better-sqlite3', '@lydell/node-pty', 'electron'],
  // Checks that find programming errors and cost time are left out of what is built.
  define: { 'process.env.NODE_ENV': '"production"' },
  absWorkingDir: root,
}

async function bundlePrograms(): Promise<void> {
  // What Node compiled of the programs before (program-files.ts): it would never be asked for again.
  await rm(join(dist, '.compile-cache'), { recursive: true, force: true })
  await Promise.all([
    build({
      ...node,
      entryPoints: {
        engine: 'main/engine/main.ts',
        cli: 'main/cli/main.ts',
        'store-worker': 'main/store/sqlite/worker.ts',
        'switch-worker': 'main/network/switch-worker.ts',
        'yaml-worker': 'main/apiserver/yaml/worker.ts',
      },
      outdir: dist,
      outExtension: { '.js': '.mjs' },
    }),
    bundleAgent(join(dist, 'agent.mjs')),
    build({ ...node, entryPoints: { main: 'main/electron/main.ts' }, outdir: join(dist, 'electron') }),
    build({
      ...node,
      format: 'cjs',
      banner: {},
      entryPoints: { preload: 'main/electron/preload.ts' },
      outdir: join(dist, 'electron'),
      outExtension: { '.js': '.cjs' },
    }),
  ])
}

async function hashFolders(folders: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const folder of folders) {
    for (const name of (await readdir(join(root, folder), { recursive: true })).sort()) {
      if (!/\.(ts|vue|css|html|json|svg)$/.test(name)) continue
      hash.update(name).update(await readFile(join(root, folder, name)))
    }
  }
  return hash.update(await readFile(join(root, 'package-lock.json'))).digest('hex')
}

/** The window takes the longest to build, so it is built only when its sources changed. */
async function buildWindow(): Promise<'built' | 'unchanged'> {
  const stamp = join(dist, 'window', '.sources')
  const hash = await hashFolders(['renderer', 'common'])
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === hash) return 'unchanged'
  const { build: viteBuild } = await import('vite')
  await viteBuild({
    configFile: join(root, 'renderer', 'vite.config.ts'),
    root: join(root, 'renderer'),
    logLevel: 'warn',
  })
  await mkdir(join(dist, 'window'), { recursive: true })
  await writeFile(stamp, hash)
  return 'built'
}

export async function buildAll(): Promise<void> {
  await mkdir(dist, { recursive: true })
  await step('Protocol messages', ensureCriMessages)
  await step('Protobuf field numbers', ensureKubernetesProtobuf)
  await copyFile(join(root, 'common', 'api', 'generated', 'descriptions.json'), join(dist, 'descriptions.json'))
  await copyFile(join(root, 'build', 'generated', 'kubernetes-protobuf.json'), join(dist, 'kubernetes-protobuf.json'))
  await step('Programs', bundlePrograms)
  await step('Window', buildWindow)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll()
