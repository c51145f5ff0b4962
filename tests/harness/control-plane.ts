// A control plane alone, in a home of its own: the built `orrery engine --no-machines` as people start it.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runningEngine, type EngineInfo } from '../../main/engine/engine-info.ts'
import { homePaths, type HomePaths } from '../../main/engine/paths.ts'
import { eventually } from './eventually.ts'
import { kubectlFor, spawnOrrery, type Kubectl, type RunOptions } from './programs.ts'

export interface ControlPlane {
  home: string
  paths: HomePaths
  info: EngineInfo
  kubectl: Kubectl
  /** kubectl that must succeed; resolves with its standard output. */
  ok(args: string | readonly string[], options?: RunOptions): Promise<string>
  /** kill -9. */
  kill(): Promise<void>
  /** Starts it again on the same home, on the same port. */
  restart(): Promise<void>
  stop(): Promise<void>
}

async function start(home: string, args: readonly string[]): Promise<{ child: ChildProcess; info: EngineInfo }> {
  const child = spawnOrrery(home, ['engine', '--no-machines', ...args])
  let output = ''
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  let ended = false
  child.once('exit', () => (ended = true))
  const paths = homePaths(home)
  try {
    const info = await eventually(
      'the engine serves',
      async () => {
        if (ended) return { failed: true as const }
        const running = await runningEngine(paths)
        return running?.pid === child.pid ? running : undefined
      },
      { deadlineMs: 60_000, everyMs: 20 },
    )
    if ('failed' in info) throw new Error(`the engine ended while starting:\n${output}`)
    return { child, info }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

export async function startControlPlane(args: readonly string[] = []): Promise<ControlPlane> {
  const home = await mkdtemp(join(tmpdir(), 'orrery-home-'))
  let { child, info } = await start(home, ['--listen', '127.0.0.1:0', ...args])
  const paths = homePaths(home)
  const tool = await kubectlFor(paths.kubeconfig, home)
  const ended = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  return {
    home,
    paths,
    get info() {
      return info
    },
    kubectl: tool.run,
    ok: tool.ok,
    async kill() {
      child.kill('SIGKILL')
      await ended()
    },
    async restart() {
      await ended()
      ;({ child, info } = await start(home, ['--listen', new URL(info.server).host, ...args]))
    },
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
      await ended()
      clearTimeout(timer)
      await rm(home, { recursive: true, force: true })
    },
  }
}
