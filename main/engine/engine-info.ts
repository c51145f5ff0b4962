// The running engine's card (engine.json in the home): how the command and the window find it.
import { readFile } from 'node:fs/promises'
import type { HomePaths } from './paths.ts'
import { lockHolder } from './home-lock.ts'

export interface EngineInfo {
  pid: number
  version: string
  /** "https://127.0.0.1:7443" */
  server: string
  startedAt: string
  machines: boolean
  /** PEM of what clients must trust. */
  ca: string
}

/** The card of the engine that runs on this home now; undefined when none does. */
export async function runningEngine(paths: HomePaths): Promise<EngineInfo | undefined> {
  const holder = await lockHolder(paths.lock)
  if (holder === undefined) return undefined
  try {
    const info = JSON.parse(await readFile(paths.engineInfo, 'utf8')) as EngineInfo
    return info.pid === holder ? info : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}
