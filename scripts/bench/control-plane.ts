// A control plane to measure: the built engine without machines, on a new home or one that is given.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runningEngine } from '../../main/engine/engine-info.ts'
import { homePaths } from '../../main/engine/paths.ts'
import { engineEnvironment, engineNodeFlags, programFiles } from '../../main/engine/program-files.ts'

export interface ControlPlane {
  readonly pid: number
  readonly server: string
  readonly token: string
  /** When its process was started, in ms since 1970. */
  readonly startedAt: number
  /** Process start to an answer of 200 from /readyz. */
  readonly readyMs: number
  stop(): Promise<void>
}

const deadlineMs = 60_000

export const newHome = (): Promise<string> => mkdtemp(join(tmpdir(), 'orrery-bench-'))

/** Removes its home when stopped, unless the home was given. */
export async function startControlPlane(given?: string): Promise<ControlPlane> {
  const home = given ?? (await newHome())
  const paths = homePaths(home)
  const startedAt = Date.now()
  const started = performance.now()
  const child = spawn(process.execPath, [...engineNodeFlags, programFiles.engine, '--no-machines'], {
    env: { ...process.env, ...engineEnvironment, ORRERY_HOME: home },
    stdio: 'ignore',
  })
  const stop = async (): Promise<void> => {
    await end(child)
    if (given === undefined) await rm(home, { recursive: true, force: true })
  }
  try {
    for (;;) {
      const info = await runningEngine(paths)
      if (info !== undefined && (await isReady(info.server))) {
        const { token } = JSON.parse(await readFile(paths.adminToken, 'utf8')) as { token: string }
        const readyMs = performance.now() - started
        return { pid: child.pid ?? 0, server: info.server, token, startedAt, readyMs, stop }
      }
      if (performance.now() - started > deadlineMs) throw new Error('the engine did not become ready within 60 s')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

const isReady = (server: string): Promise<boolean> =>
  new Promise((resolve) => {
    const outgoing = request(`${server}/readyz`, { rejectUnauthorized: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    outgoing.on('error', () => {
      resolve(false)
    })
    outgoing.end()
  })
