// First step of every npm script: plain JavaScript that any Node >= 18 runs. Installs the locked packages when they are missing or
// stale, then hands over to the TypeScript program on the pinned Node 24 that came with them.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const windows = process.platform === 'win32'
const node = join(root, 'node_modules', '.bin', windows ? 'node.cmd' : 'node')
const stamp = join(root, 'node_modules', '.orrery-lock')
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

function fail(message) {
  process.stderr.write(`\n${message}\n`)
  process.exit(1)
}

if (Number(process.versions.node.split('.')[0]) < 18)
  fail(`Orrery needs Node 18 or later to install itself; this is ${process.version}.`)

const installed = existsSync(stamp) && readFileSync(stamp, 'utf8') === lock && existsSync(node)
if (!installed) {
  const started = Date.now()
  process.stderr.write('● Packages: npm ci … (once; about a minute)\n')
  // Install scripts are off: every package that is used works without them, and nothing is fetched from outside the registry.
  const result = spawnSync(
    windows ? 'npm.cmd' : 'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: windows,
    },
  )
  if (result.status !== 0) {
    fail(
      'Packages could not be installed (npm ci failed, see above).\nCheck that the npm registry can be reached: npm ping. Then run the same command again; nothing is half-done.',
    )
  }
  if (!existsSync(node)) {
    fail(
      `No Node 24 package exists for ${process.platform}/${process.arch}; Orrery runs on linux x64/arm64, macOS arm64 and Windows x64.`,
    )
  }
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, lock)
  process.stderr.write(`✓ Packages installed (${Math.round((Date.now() - started) / 1000)} s)\n`)
}

const [task = 'start', ...rest] = process.argv.slice(2)
const program = join(root, 'scripts', `${task}.ts`)
if (!existsSync(program)) fail(`No such task: ${task}`)
// The child shares the terminal: Ctrl-C reaches it through the process group. A signal sent to this process alone is passed on.
const child = spawn(node, [program, ...rest], { cwd: root, stdio: 'inherit', shell: windows })
process.on('SIGINT', () => undefined)
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
