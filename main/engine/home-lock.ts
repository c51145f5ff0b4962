// One engine per home: a lock file naming the holder's pid and start time, so that a killed engine's lock is recognised as stale
// and a recycled pid is not mistaken for it.
import { open, readFile, rm } from 'node:fs/promises'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { processStartTime } from './platform/process-start.ts'

interface Holder {
  pid: number
  startTime: string
}

export class HomeLockedError extends Error {
  readonly pid: number
  constructor(home: string, pid: number) {
    super(
      `Another engine (process ${String(pid)}) is already running on ${home}. Use it ("orrery status"), stop it ("orrery down"), or choose another folder with ORRERY_HOME.`,
    )
    this.name = 'HomeLockedError'
    this.pid = pid
  }
}

/** The running holder of a home's lock; undefined when none runs. */
export async function lockHolder(file: string): Promise<number | undefined> {
  try {
    const holder = JSON.parse(await readFile(file, 'utf8')) as Holder
    return (await processStartTime(holder.pid)) === holder.startTime ? holder.pid : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Takes the lock or throws HomeLockedError. Returns the release. */
export async function lockHome(home: string, file: string): Promise<() => Promise<void>> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const startTime = await processStartTime(process.pid)
  if (startTime === undefined) throw new Error('the start time of this process cannot be read')
  const content = JSON.stringify({ pid: process.pid, startTime } satisfies Holder)
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      const handle = await open(file, 'wx', 0o600)
      await handle.writeFile(content)
      await handle.close()
      return () => rm(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const pid = await lockHolder(file)
      if (pid !== undefined) throw new HomeLockedError(home, pid)
      await rm(file, { force: true })
    }
  }
  throw new Error(`the lock ${file} could not be taken: another engine is starting at the same time; try again`)
}
