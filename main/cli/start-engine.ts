// Starts the engine of a home as a process of its own and waits until its API answers. Its first words of trouble become the error.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CodedError, diskFullError, engineExitCodes } from '../engine/coded-error.ts'
import { runningEngine, type EngineInfo } from '../engine/engine-info.ts'
import type { HomePaths } from '../engine/paths.ts'
import { engineEnvironment, engineNodeFlags } from '../engine/program-files.ts'

/** The API of an existing home answers in under a second; a first start also makes keys. Generous for a loaded machine. */
const startDeadlineMs = 60_000

/** Where the built programs are: beside this bundle. */
export const distFolder = dirname(fileURLToPath(import.meta.url))

export async function startEngine(paths: HomePaths, args: readonly string[]): Promise<EngineInfo> {
  const present = await runningEngine(paths)
  if (present) return present
  const errorFile = join(dirname(paths.engineLog), 'engine.stderr')
  mkdirSync(dirname(errorFile), { recursive: true })
  const stderr = openSync(errorFile, 'w', 0o600)
  const child = spawn(process.execPath, [...engineNodeFlags, join(distFolder, 'engine.mjs'), ...args], {
    detached: true,
    stdio: ['ignore', 'ignore', stderr],
    env: { ...process.env, ...engineEnvironment, ORRERY_HOME: paths.home },
    cwd: paths.home,
  })
  closeSync(stderr)
  child.unref()
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  let exitCode: number | null | undefined
  void ended.then((code) => {
    exitCode = code ?? -1
  })
  const deadline = Date.now() + startDeadlineMs
  while (Date.now() < deadline) {
    const info = await runningEngine(paths)
    if (info) return info
    if (exitCode === engineExitCodes.diskFull) throw diskFullError(paths.home)
    if (exitCode !== undefined) {
      const words = readFileSync(errorFile, 'utf8').trim().split('\n').slice(-12).join('\n')
      throw new CodedError(
        'EngineStartFailed',
        `The engine ended while starting (exit code ${String(exitCode)}).\n${words}`,
        `The whole log: ${paths.engineLog}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new CodedError(
    'Timeout',
    `The engine did not answer within ${String(startDeadlineMs / 1000)} s.`,
    `See ${paths.engineLog} and ${errorFile}.`,
  )
}
