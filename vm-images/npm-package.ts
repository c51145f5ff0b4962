// Files of npm packages for an architecture that npm did not install here: fetched with the ordinary npm client and checked against
// the integrity of package-lock.json, so that they are exactly the pinned ones.
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { chmod, mkdir, readFile, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract } from 'tar-stream'
import { BuildProblem } from './problem.ts'
import { runTool } from './run-tool.ts'

export const projectRoot = join(import.meta.dirname, '..')

export interface NpmPackage {
  name: string
  version: string
  licence: string
  /** "sha512-…" as the lock file has it. */
  integrity: string
}

export async function lockedPackage(name: string, root = projectRoot): Promise<NpmPackage> {
  const lock: unknown = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'))
  const packages = isRecord(lock) && isRecord(lock['packages']) ? lock['packages'] : {}
  const entry = packages[`node_modules/${name}`]
  if (!isRecord(entry) || typeof entry['version'] !== 'string' || typeof entry['integrity'] !== 'string')
    throw new BuildProblem({
      code: 'MissingPackage',
      message: `${name} is not in package-lock.json`,
      hint: 'Restore package-lock.json from the repository.',
    })
  return {
    name,
    version: entry['version'],
    integrity: entry['integrity'],
    licence: typeof entry['license'] === 'string' ? entry['license'] : 'unknown',
  }
}

/** A folder with the package's files: node_modules when npm installed it there, else unpacked in the cache. */
export async function npmPackageFolder(options: {
  name: string
  cache: string
  root?: string
  signal?: AbortSignal
}): Promise<string> {
  const root = options.root ?? projectRoot
  const installed = join(root, 'node_modules', options.name)
  const wanted = await lockedPackage(options.name, root)
  if (existsSync(join(installed, 'package.json'))) {
    const found: unknown = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
    if (isRecord(found) && found['version'] === wanted.version) return installed
  }
  const key = createHash('sha256').update(wanted.integrity).digest('hex').slice(0, 16)
  const folder = join(options.cache, 'npm', `${options.name.replace(/[@/]/g, '_')}-${wanted.version}-${key}`)
  if (existsSync(folder)) return folder
  const work = `${folder}.part-${randomBytes(4).toString('hex')}`
  await mkdir(work, { recursive: true })
  try {
    const tarball = await pack(wanted, work, options.signal)
    await verifyIntegrity(tarball, wanted)
    await unpack(tarball, join(work, 'package'))
    await rename(join(work, 'package'), folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return folder
}

async function pack(wanted: NpmPackage, folder: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    await runTool(
      'npm',
      ['pack', `${wanted.name}@${wanted.version}`, '--pack-destination', folder, '--ignore-scripts', '--silent'],
      { signal, cwd: folder },
    )
  } catch (error) {
    if (error instanceof BuildProblem && error.code === 'ToolFailed')
      throw new BuildProblem({
        code: 'NoNetwork',
        message: `cannot fetch ${wanted.name}@${wanted.version} from the npm registry: ${error.message}`,
        hint: 'Check the network and the registry setting (npm config get registry), then start again.',
        cause: error,
      })
    throw error
  }
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'))
  if (tarball === undefined)
    throw new BuildProblem({
      code: 'ToolFailed',
      message: `npm pack ${wanted.name} wrote no file`,
      hint: 'Run it by hand to see why.',
    })
  return join(folder, tarball)
}

async function verifyIntegrity(tarball: string, wanted: NpmPackage): Promise<void> {
  const [algorithm, expected] = wanted.integrity.split('-', 2)
  const hash = createHash(algorithm ?? 'sha512')
  await pipeline(createReadStream(tarball), hash)
  if (hash.digest('base64') !== expected)
    throw new BuildProblem({
      code: 'BadDigest',
      message: `${wanted.name}@${wanted.version} does not match package-lock.json`,
      hint: 'The registry answers with other content than was locked; do not use it.',
    })
}

async function unpack(tarball: string, folder: string): Promise<void> {
  const unpacker = extract()
  const fed = pipeline(createReadStream(tarball), createGunzip(), unpacker)
  fed.catch(() => undefined)
  for await (const entry of unpacker) {
    const path = entry.header.name.replace(/^[^/]+\//, '')
    if (entry.header.type !== 'file' || path.split('/').includes('..')) {
      entry.resume()
      continue
    }
    const target = join(folder, path)
    await mkdir(dirname(target), { recursive: true })
    await pipeline(entry, createWriteStream(target))
    await chmod(target, (entry.header.mode ?? 0o644) & 0o755)
  }
  await fed
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
