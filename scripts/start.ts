// npm start: from a fresh checkout to a running lab with its window open. Each step says what it does and how long it took; everything
// is kept, so the second start only boots the machines. Ctrl-C stops the lab cleanly.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CodedError } from '../main/engine/coded-error.ts'
import { runningEngine } from '../main/engine/engine-info.ts'
import { defaultHome, homePaths } from '../main/engine/paths.ts'
import { buildAll } from './build.ts'
import { buildImages } from './images.ts'
import { step } from './progress.ts'
import { ensurePrograms, startPrograms } from './system-packages.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const paths = homePaths(defaultHome())
const command = join(root, 'dist', 'cli.mjs')

/** Runs `orrery …`, its lines passed on to `onLine`; resolves with what it printed. */
async function orrery(args: readonly string[], onLine: (line: string) => void = () => undefined): Promise<string> {
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  let trouble = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8')
    for (const line of chunk.toString('utf8').trimEnd().split('\n')) onLine(line)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    trouble += chunk.toString('utf8')
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  if (code !== 0)
    throw new CodedError(
      'EngineStartFailed',
      trouble.trim() || `orrery ${args.join(' ')} ended with code ${String(code)}`,
      'More: scripts/orrery doctor, scripts/orrery logs',
    )
  return output.trim()
}

let stopping: Promise<void> | undefined
function stop(): Promise<void> {
  stopping ??= step('Stopping the lab', async () => {
    if (await runningEngine(paths)) await orrery(['down'])
  }).then(() => undefined)
  return stopping
}

function electronBinary(): string | undefined {
  const binary = join(
    root,
    'node_modules',
    'electron',
    'dist',
    process.platform === 'win32'
      ? 'electron.exe'
      : process.platform === 'darwin'
        ? 'Electron.app/Contents/MacOS/Electron'
        : 'electron',
  )
  const display =
    process.platform !== 'linux' || process.env['DISPLAY'] !== undefined || process.env['WAYLAND_DISPLAY'] !== undefined
  return display && existsSync(binary) ? binary : undefined
}

const started = Date.now()
const interrupted = Promise.withResolvers<undefined>()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.resolve(undefined))

async function bringUp(): Promise<void> {
  await step('System programs', (detail) => ensurePrograms(startPrograms, detail))
  await buildAll()
  await buildImages(['amd64', 'arm64'])
  await step('Lab', async (detail) => {
    await orrery(['up'], detail)
    return 'every node is Ready'
  })
  const url = await orrery(['ui'])
  const kubectl = (await orrery(['kubeconfig'])).trim()
  const minutes = ((Date.now() - started) / 1000).toFixed(0)
  const electron = electronBinary()
  if (electron !== undefined)
    spawn(electron, [join(root, 'dist', 'electron', 'main.js')], {
      stdio: 'ignore',
      detached: true,
      env: { ...process.env, ORRERY_HOME: paths.home },
    }).unref()
  process.stdout.write(`
Orrery is up after ${minutes} s.

  Window      ${electron === undefined ? url : 'opened; or in a browser:'}
${electron === undefined ? '              (this link signs in once; another: scripts/orrery ui. The browser asks once about the lab’s own certificate.)' : `              ${url}`}
  Kubeconfig  ${kubectl}

Try next:
  export KUBECONFIG=${kubectl}
  kubectl get nodes -o wide
  kubectl create deployment hello --image=hello:1.0 --replicas=3 && kubectl get pods -o wide --watch

Ctrl-C stops the lab; npm start continues where it was.
`)
}

const up = bringUp()
await Promise.race([up, interrupted.promise])
if (process.argv.includes('--once')) await up
else await interrupted.promise
await stop()
process.exit(0)
