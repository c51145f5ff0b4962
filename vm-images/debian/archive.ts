// One suite of the Debian archive as a trusted source of packages: InRelease is checked with gpgv against Debian's keyring, the
// index against InRelease, every .deb against the index. All of it is cached by content.
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { download, eachLimited } from '../download.ts'
import { BuildProblem } from '../problem.ts'
import { filterThrough, runTool } from '../run-tool.ts'
import { findMirror } from './mirror.ts'
import { dependencyNames, findPackages, parseRelease, type DebianArch, type DebianPackage } from './package-index.ts'

export type { DebianArch, DebianPackage } from './package-index.ts'

export interface DebianArchive {
  readonly mirror: string
  readonly suite: string
  /** The named packages for an architecture; a missing one is an error that names it. */
  resolve(arch: DebianArch, names: readonly string[]): Promise<DebianPackage[]>
  /** First dependency of a meta package that starts with `prefix`. */
  resolveMeta(arch: DebianArch, name: string, prefix: string): Promise<string>
  /**
   * What `resolve` would answer, remembered under `key`: as long as all those .debs are in the cache the answer is the same and needs no
   * network, so that a damaged result can be made again from the same packages.
   */
  remembered(key: string, resolve: () => Promise<DebianPackage[]>): Promise<DebianPackage[]>
  /** Puts the .debs into the cache; returns name -> file. Parallel, resumable. */
  fetch(packages: readonly DebianPackage[], onBytes?: (bytes: number) => void): Promise<Map<string, string>>
}

export interface OpenArchiveOptions {
  suite: string
  cache: string
  mirror?: string
  signal?: AbortSignal
  onStep?: (step: string) => void
}

const keyrings = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
  '/etc/apt/trusted.gpg.d/debian-archive-keyring.gpg',
]
const parallelDownloads = 6

export async function openArchive(options: OpenArchiveOptions): Promise<DebianArchive> {
  const mirror = options.mirror ?? (await findMirror())
  const folder = join(options.cache, 'debian')
  await mkdir(join(folder, 'by-hash'), { recursive: true })
  let release: Promise<Release> | undefined
  const indexes = new Map<DebianArch, Promise<string>>()

  const index = (arch: DebianArch): Promise<string> => {
    const known = indexes.get(arch)
    if (known !== undefined) return known
    // Read when first needed: packages that are already known by hash can be fetched without the index.
    release ??= fetchRelease({ ...options, mirror, folder })
    const loading = release.then((files) =>
      loadIndex({
        arch,
        release: files,
        mirror,
        folder,
        suite: options.suite,
        signal: options.signal,
        onStep: options.onStep,
      }),
    )
    indexes.set(arch, loading)
    return loading
  }

  return {
    mirror,
    suite: options.suite,
    async resolve(arch, names) {
      const found = findPackages(await index(arch), new Set(names))
      return names.map((name) => {
        const entry = found.get(name)
        if (entry === undefined)
          throw new BuildProblem({
            code: 'MissingPackage',
            message: `package ${name} (${arch}) is not in Debian ${options.suite} at ${mirror}`,
            hint: 'The mirror may be incomplete; name another with ORRERY_DEBIAN_MIRROR.',
          })
        return entry
      })
    },
    async resolveMeta(arch, name, prefix) {
      const match = dependencyNames(await index(arch), name).find((dependency) => dependency.startsWith(prefix))
      if (match === undefined)
        throw new BuildProblem({
          code: 'MissingPackage',
          message: `${name} (${arch}) depends on no ${prefix}…`,
          hint: 'The mirror may be incomplete.',
        })
      return match
    },
    async remembered(key, resolve) {
      const path = join(folder, 'resolved', `${key}.json`)
      const known = await readResolved(path)
      if (known?.every((entry) => existsSync(join(folder, 'by-hash', `${entry.sha256}.deb`))) === true) return known
      const packages = await resolve()
      await mkdir(dirname(path), { recursive: true })
      const part = `${path}.part-${randomBytes(4).toString('hex')}`
      await writeFile(part, JSON.stringify(packages))
      await rename(part, path)
      return packages
    },
    async fetch(packages, onBytes) {
      const files = new Map<string, string>()
      await eachLimited(packages, parallelDownloads, async (entry) => {
        const target = join(folder, 'by-hash', `${entry.sha256}.deb`)
        await download({
          url: `${mirror}/${entry.filename}`,
          target,
          sha256: entry.sha256,
          size: entry.size,
          signal: options.signal,
          onBytes,
        })
        files.set(entry.name, target)
      })
      return files
    },
  }
}

async function readResolved(path: string): Promise<DebianPackage[] | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    return Array.isArray(value) && value.length > 0 && value.every(isPackage) ? value : undefined
  } catch {
    return undefined
  }
}

function isPackage(value: unknown): value is DebianPackage {
  if (typeof value !== 'object' || value === null) return false
  const entry = value as Partial<Record<keyof DebianPackage, unknown>>
  return (
    [entry.name, entry.version, entry.arch, entry.filename, entry.sha256].every((field) => typeof field === 'string') &&
    typeof entry.size === 'number'
  )
}

type Release = Map<string, { sha256: string; size: number }>

async function fetchRelease(options: OpenArchiveOptions & { mirror: string; folder: string }): Promise<Release> {
  const target = join(options.folder, `InRelease-${options.suite}-${process.pid}-${randomBytes(4).toString('hex')}`)
  options.onStep?.(`reading Debian ${options.suite} from ${options.mirror}`)
  await download({ url: `${options.mirror}/dists/${options.suite}/InRelease`, target, signal: options.signal })
  try {
    await verifySignature(target)
    return parseRelease(await readFile(target, 'utf8'))
  } finally {
    await rm(target, { force: true })
  }
}

async function verifySignature(file: string): Promise<void> {
  const keyring = keyrings.find((path) => existsSync(path))
  if (keyring === undefined)
    throw new BuildProblem({
      code: 'MissingTool',
      message: "Debian's archive keyring is not installed",
      hint: 'Install it: apt-get install debian-archive-keyring',
    })
  try {
    await runTool('gpgv', ['--keyring', keyring, file])
  } catch (error) {
    if (error instanceof BuildProblem && error.code === 'MissingTool') throw error
    throw new BuildProblem({
      code: 'BadSignature',
      message: `the signature of InRelease does not verify with ${keyring}`,
      hint: 'The mirror answers with something else than Debian (a captive portal, a proxy), or the keyring is older than the suite: apt-get install debian-archive-keyring',
      cause: error,
    })
  }
}

interface IndexOptions {
  arch: DebianArch
  release: Release
  mirror: string
  folder: string
  suite: string
  signal: AbortSignal | undefined
  onStep: ((step: string) => void) | undefined
}

/** by-hash addresses keep index and InRelease together while the mirror is being updated. */
async function loadIndex(options: IndexOptions): Promise<string> {
  const directory = `main/binary-${options.arch}`
  const packed = options.release.get(`${directory}/Packages.xz`)
  const plain = options.release.get(`${directory}/Packages`)
  if (packed === undefined || plain === undefined)
    throw new BuildProblem({
      code: 'MissingPackage',
      message: `Debian ${options.suite} has no packages for ${options.arch} at ${options.mirror}`,
      hint: 'Name a complete mirror with ORRERY_DEBIAN_MIRROR.',
    })
  const file = join(options.folder, 'by-hash', `${packed.sha256}.xz`)
  const url = `${options.mirror}/dists/${options.suite}/${directory}/by-hash/SHA256/${packed.sha256}`
  options.onStep?.(`reading the package index for ${options.arch}`)
  await download({ url, target: file, sha256: packed.sha256, size: packed.size, signal: options.signal })
  const chunks: Buffer[] = []
  await filterThrough({
    tool: 'xz',
    args: ['-dc'],
    input: createReadStream(file),
    signal: options.signal,
    consume: async (output) => {
      for await (const chunk of output) if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk))
    },
  })
  const index = Buffer.concat(chunks)
  if (createHash('sha256').update(index).digest('hex') === plain.sha256) return index.toString('utf8')
  // Not trusted a second time: the next start fetches it again.
  await rm(file, { force: true })
  throw new BuildProblem({
    code: 'BadDigest',
    message: `the package index for ${options.arch} does not match InRelease`,
    hint: 'Try again; the download was damaged.',
  })
}
