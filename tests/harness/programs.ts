// Real programs run by the tests: the built orrery command and Debian's kubectl.
import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { defaultCache } from '../../main/engine/paths.ts'
import { ensureKubectl } from '../../vm-images/host-tools.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const cli = join(root, 'dist', 'cli.mjs')

export interface Outcome {
  code: number
  stdout: string
  stderr: string
}

export interface RunOptions {
  env?: Record<string, string>
  input?: string | Buffer
  timeoutMs?: number
  cwd?: string
}

export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(
        new Error(
          `${program} ${args.join(' ')} did not end within ${String((options.timeoutMs ?? 120_000) / 1000)} s; it printed:\n${stdout}\n${stderr}`,
        ),
      )
    }, options.timeoutMs ?? 120_000)
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')))
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code: code ?? -1, stdout, stderr })
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input)
  })
}

export const orrery = (home: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
  run(process.execPath, [cli, ...args], { ...options, env: { ...options.env, ORRERY_HOME: home } })

export type Kubectl = (args: string | readonly string[], options?: RunOptions) => Promise<Outcome>

/** Debian's kubectl on a kubeconfig, with caches of its own. Words are split at spaces when given as one string. */
export async function kubectlFor(
  kubeconfig: string,
  home: string,
): Promise<{
  path: string
  run: Kubectl
  ok: (args: string | readonly string[], options?: RunOptions) => Promise<string>
}> {
  const path = await ensureKubectl({ cache: defaultCache() })
  const runIt: Kubectl = (args, options = {}) =>
    run(path, [`--cache-dir=${join(home, 'kubectl-cache')}`, ...(typeof args === 'string' ? args.split(' ') : args)], {
      ...options,
      env: { ...options.env, KUBECONFIG: kubeconfig, HOME: home },
    })
  return {
    path,
    run: runIt,
    async ok(args, options) {
      const outcome = await runIt(args, options)
      if (outcome.code !== 0)
        throw new Error(
          `kubectl ${typeof args === 'string' ? args : args.join(' ')}: exit ${String(outcome.code)}\n${outcome.stdout}${outcome.stderr}`,
        )
      return outcome.stdout
    },
  }
}

export function spawnOrrery(home: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [cli, ...args], {
    env: { ...process.env, ORRERY_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
