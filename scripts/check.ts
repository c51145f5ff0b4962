// npm run check: the one gate for types, lint, format, import rules and dead code. All of it runs, then every failure is shown.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureCriMessages } from './generate/cri-messages.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Check {
  name: string
  /** A program of node_modules/.bin, or a script of this repository. */
  command: string
  args: readonly string[]
}

const checks: readonly Check[] = [
  { name: 'types: common (no platform)', command: 'tsc', args: ['-p', 'common/tsconfig.json'] },
  { name: 'types: engine, agent, scripts, tests', command: 'tsc', args: ['-p', 'tsconfig.json'] },
  { name: 'types: desktop shell', command: 'tsc', args: ['-p', 'main/electron/tsconfig.json'] },
  { name: 'types: window', command: 'vue-tsc', args: ['-p', 'renderer/tsconfig.json'] },
  {
    name: 'format',
    command: 'prettier',
    args: [
      '--check',
      '--log-level',
      'warn',
      'common',
      'main',
      'renderer',
      'vm-images',
      'scripts',
      'tests',
      '*.ts',
      '*.js',
      '.dependency-cruiser.cjs',
    ],
  },
  {
    name: 'import rules',
    command: 'depcruise',
    args: [
      'common',
      'main',
      'renderer',
      'vm-images',
      'scripts',
      'tests',
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err-long',
    ],
  },
  { name: 'support page is fresh', command: 'scripts/generate/support-page.ts', args: ['--check'] },
  { name: 'dead code', command: 'knip', args: ['--no-progress'] },
  {
    name: 'lint',
    command: 'eslint',
    args: ['.', '--max-warnings', '0', '--cache', '--cache-location', 'build/.eslintcache'],
  },
]

function run({ command, args }: Check): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const program = command.endsWith('.ts') ? join(root, command) : join(root, 'node_modules', '.bin', command)
    const child = spawn(process.execPath, [program, ...args], { cwd: root })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
    child.on('close', (code) => {
      resolve({ ok: code === 0, output })
    })
  })
}

/** Runs every check; resolves with the number that failed. */
export async function check(): Promise<{ passed: number; failed: number }> {
  await ensureCriMessages()
  let failed = 0
  // Two at a time: each of them is single-threaded.
  const queue = [...checks]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const started = Date.now()
      const { ok, output } = await run(next)
      const time = `${((Date.now() - started) / 1000).toFixed(1)} s`
      process.stdout.write(`${ok ? '✓' : '✗'} ${next.name} (${time})\n`)
      if (!ok) {
        failed += 1
        process.stdout.write(`${output.trim()}\n\n`)
      }
    }
  }
  await Promise.all([worker(), worker()])
  return { passed: checks.length - failed, failed }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { failed } = await check()
  process.exitCode = failed === 0 ? 0 : 1
}
