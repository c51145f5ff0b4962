// Programs that come from the operating system. On Debian as root they are installed; elsewhere the person is told exactly what to run.
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { once } from 'node:events'
import { promisify } from 'node:util'
import type { Detail } from './progress.ts'

const run = promisify(execFile)

interface SystemProgram {
  /** A name on PATH, or the absolute path of what the Debian package brings. */
  program: string
  debian: string
  /** Absent: what needs it is left out on a Mac. */
  brew?: string
}

/** What `npm start` needs. */
export const startPrograms: readonly SystemProgram[] = [
  { program: 'qemu-system-x86_64', debian: 'qemu-system-x86', brew: 'qemu' },
  { program: 'qemu-system-aarch64', debian: 'qemu-system-arm', brew: 'qemu' },
  { program: 'qemu-img', debian: 'qemu-utils', brew: 'qemu' },
  { program: 'mkfs.erofs', debian: 'erofs-utils', brew: 'erofs-utils' },
  { program: 'mkfs.ext4', debian: 'e2fsprogs', brew: 'e2fsprogs' },
  { program: 'xz', debian: 'xz-utils', brew: 'xz' },
  { program: 'gpgv', debian: 'gpgv', brew: 'gnupg' },
]

/** What `npm test` needs besides. */
export const testPrograms: readonly SystemProgram[] = [
  { program: 'chromium', debian: 'chromium', brew: 'chromium' },
  { program: '/usr/lib/python3/dist-packages/kubernetes', debian: 'python3-kubernetes' },
]

export class SetupError extends Error {
  readonly hint: string
  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SetupError'
    this.hint = hint
  }
}

function onPath(program: string): boolean {
  if (program.startsWith('/')) return existsSync(program)
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/local/sbin']
  return folders.some((folder) => folder !== '' && existsSync(`${folder}/${program}`))
}

async function apt(args: readonly string[], detail: Detail): Promise<void> {
  const child = spawn('apt-get', args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  let tail = ''
  const onData = (chunk: Buffer): void => {
    tail = (tail + chunk.toString('utf8')).slice(-4000)
    const line = tail.trimEnd().split('\n').at(-1)
    if (line !== undefined) detail(line)
  }
  child.stdout.on('data', onData)
  child.stderr.on('data', onData)
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0)
    throw new SetupError(
      `apt-get ${args.join(' ')} failed:\n${tail.split('\n').slice(-8).join('\n')}`,
      'Make that command work by hand, then run the same npm command again.',
    )
}

/** Installs what is missing, or throws with the exact command to run. */
export async function ensurePrograms(programs: readonly SystemProgram[], detail: Detail): Promise<string> {
  const mac = process.platform === 'darwin'
  const missing = programs.filter(({ program, brew }) => !(mac && brew === undefined) && !onPath(program))
  if (missing.length === 0) return 'all there'
  const packages = [...new Set(missing.map(({ debian }) => debian))]
  const names = missing.map(({ program }) => program).join(', ')
  if (mac)
    throw new SetupError(
      `Missing programs: ${names}`,
      `Run: brew install ${[...new Set(missing.map(({ brew }) => brew))].join(' ')}`,
    )
  if (process.platform !== 'linux')
    throw new SetupError(
      `Missing programs: ${names}`,
      'Install them and put them on PATH; on Windows QEMU comes from qemu.org, the image tools from WSL.',
    )
  if (!existsSync('/usr/bin/apt-get'))
    throw new SetupError(
      `Missing programs: ${names}`,
      `Install them with this system's package manager; Debian calls the packages: ${packages.join(' ')}`,
    )
  if (process.getuid?.() !== 0)
    throw new SetupError(
      `Missing programs: ${names}`,
      `Run: sudo apt-get install --no-install-recommends ${packages.join(' ')}`,
    )
  await apt(['update', '-q'], detail).catch(async (error: unknown) => {
    // One broken third-party list must not keep Debian's own packages away.
    const { stdout } = await run('apt-cache', ['policy', packages[0] ?? ''])
    if (!/Candidate: \d/.test(stdout)) throw error
  })
  await apt(['install', '-y', '-q', '--no-install-recommends', ...packages], detail)
  return `installed ${packages.join(', ')}`
}
