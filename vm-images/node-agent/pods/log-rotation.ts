// Keeps container logs from filling the disk: a file over 10 MiB is set aside and the runtime told to start a new one; five are kept
// per container. Sizes are looked at once a minute; nothing is read.
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { describeError } from '../logger.ts'
import { labels } from '../runtime/labels.ts'
import { RuntimeService, type Runtime } from '../runtime/runtime.ts'

export const maxLogBytes = 10 << 20
const maxFiles = 5
const checkMs = 60_000

export interface LogRotationOptions {
  /** "/var/log/pods": POD/CONTAINER/ATTEMPT.log */
  root: string
  /** Makes the runtime write to a new file of the old name. */
  reopen: (target: { podUid: string; container: string; attempt: number }) => Promise<void>
  now: () => number
}

/** Rotates what is too large; returns how many files that were. */
export async function rotateLogs(options: LogRotationOptions): Promise<number> {
  let rotated = 0
  for (const pod of await list(options.root))
    for (const container of await list(join(options.root, pod))) {
      const folder = join(options.root, pod, container)
      for (const file of await list(folder)) {
        const attempt = /^(\d+)\.log$/.exec(file)?.[1]
        if (attempt === undefined) continue
        const size = await stat(join(folder, file)).then(({ size: bytes }) => bytes, () => 0) // prettier-ignore
        if (size < maxLogBytes) continue
        const stamp = new Date(options.now()).toISOString().slice(0, 19).replace(/[-:T]/g, '')
        const aside = join(folder, `${file}.${stamp}`)
        await rename(join(folder, file), aside)
        try {
          await options.reopen({ podUid: pod.split('_').at(-1) ?? '', container, attempt: Number(attempt) })
        } catch (error) {
          // Without a new file the container would go on writing to the renamed one.
          await rename(aside, join(folder, file))
          throw error
        }
        rotated++
        await removeOldest(folder, file)
      }
    }
  return rotated
}

async function removeOldest(folder: string, file: string): Promise<void> {
  const old = (await list(folder)).filter((name) => name.startsWith(`${file}.`)).sort()
  for (const name of old.slice(0, Math.max(0, old.length - (maxFiles - 1))))
    await rm(join(folder, name), { force: true })
}

const list = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])

export function startLogRotation(options: {
  root: string
  runtime: Runtime
  clock: Clock
  logger: Logger
}): () => void {
  const { root, runtime, clock, logger } = options
  let cancel: () => void = () => undefined
  const reopen: LogRotationOptions['reopen'] = async ({ podUid, container, attempt }) => {
    const { containers } = await runtime.call(RuntimeService.method.listContainers, {
      filter: { labelSelector: { [labels.podUid]: podUid, [labels.containerName]: container } },
    })
    const target = containers.find(({ metadata }) => metadata?.attempt === attempt)
    if (target !== undefined) await runtime.call(RuntimeService.method.reopenContainerLog, { containerId: target.id })
  }
  const check = async (): Promise<void> => {
    try {
      await rotateLogs({ root, reopen, now: () => clock.now() })
    } catch (error) {
      logger.debug('a log could not be rotated', { error: describeError(error) })
    }
    cancel = clock.after(checkMs, () => void check())
  }
  cancel = clock.after(checkMs, () => void check())
  return () => {
    cancel()
  }
}
