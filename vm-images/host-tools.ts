// Programs for the host, unpacked from Debian packages into the cache without installing anything: kubectl for the host shell and
// the tests, etcd for the tests of the store on it.
import { createHash } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { openResultStore } from './cache.ts'
import { openArchive, type DebianArch } from './debian/archive.ts'
import { unpackDeb } from './debian/deb.ts'
import { BuildProblem, explain } from './problem.ts'

export interface HostToolOptions {
  cache: string
  /** "trixie" (default) or another suite of the mirror, for example "sid" for a newer kubectl. */
  suite?: string
  signal?: AbortSignal
  onStep?: (step: string) => void
}

interface HostTool {
  package: string
  /** Inside the package. */
  program: string
}

const tools = {
  kubectl: { package: 'kubectl', program: 'usr/bin/kubectl' },
  etcd: { package: 'etcd-server', program: 'usr/bin/etcd' },
} satisfies Record<string, HostTool>

/** Path of a kubectl that runs on this host (Linux). Needs the network only the first time. */
export const ensureKubectl = (options: HostToolOptions): Promise<string> => ensureTool('kubectl', options)

/** Path of an etcd server that runs on this host (Linux). */
export const ensureEtcd = (options: HostToolOptions): Promise<string> => ensureTool('etcd', options)

async function ensureTool(name: keyof typeof tools, options: HostToolOptions): Promise<string> {
  const tool: HostTool = tools[name]
  const suite = options.suite ?? 'trixie'
  const arch = hostArch()
  const store = openResultStore(join(options.cache, 'host-tools'))
  const key = `${name}-${suite}-${arch}`
  const existing = await store.find(key)
  if (existing !== undefined) return join(existing, tool.program)
  const work = await store.newWorkFolder()
  try {
    const archive = await openArchive({ suite, cache: options.cache, signal: options.signal, onStep: options.onStep })
    const [entry] = await archive.resolve(arch, [tool.package])
    if (entry === undefined)
      throw new BuildProblem({
        code: 'MissingPackage',
        message: `Debian ${suite} has no ${tool.package}`,
        hint: 'Choose another suite.',
      })
    options.onStep?.(`downloading ${name} ${entry.version}`)
    const deb = (await archive.fetch([entry])).get(entry.name) ?? ''
    const output = join(work, 'output')
    await mkdir(dirname(join(output, tool.program)), { recursive: true })
    const written = await unpackDeb({
      deb,
      folder: output,
      accept: (path) => path === tool.program || path.endsWith('/copyright'),
      signal: options.signal,
    })
    if (!written.includes(tool.program))
      throw new BuildProblem({
        code: 'MissingPackage',
        message: `${entry.filename} has no ${tool.program}`,
        hint: 'Debian has moved it: adapt vm-images/host-tools.ts.',
      })
    const id = createHash('sha256').update(entry.sha256).digest('hex').slice(0, 12)
    return join(await store.publish({ key, folder: `${key}-${id}`, work: output }), tool.program)
  } catch (error) {
    throw explain(error, `preparing ${name}`)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function hostArch(): DebianArch {
  if (process.platform === 'linux' && process.arch === 'x64') return 'amd64'
  if (process.platform === 'linux' && process.arch === 'arm64') return 'arm64'
  throw new BuildProblem({
    code: 'BadInput',
    message: `Debian has no programs for ${process.platform} on ${process.arch}`,
    hint: 'Install kubectl from https://kubernetes.io/docs/tasks/tools/ and put it into PATH.',
  })
}
