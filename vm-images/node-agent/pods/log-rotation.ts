// Keeps container logs from filling the disk: a file over 10 MiB is set aside and the runtime told to start a new one; five are kept
// per container. Sizes are looked at once a minute; nothing is read. Logs of containers that ended stay as they are.
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ContainerState } from '../../../build/generated/cri/api_pb.js'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { describeError } from '../logger.ts'
import { labels } from '../runtime/labels.ts'
import { RuntimeService, type Runtime } from '../runtime/runtime.ts'

export const maxLogBytes = 10 << 20
const maxFiles = 5
const checkMs = 60_000

interface LogOwner {
  podUid: string
  container: string
  attempt: number
}

export interface LogRotationOptions {
  /** "/var/log/pods": POD/CONTAINER/ATTEMPT.log */
  root: string
  /** What makes the runtime write to a new file of the old name; undefined when the container no longer writes. */
  reopener: (owner: LogOwner) => Promise<(() => Promise<void>) | undefined>
  now: () => number
  logger: Logger
}

/** Rotates what is too large; returns how many files that were. */
export async function rotateLogs(options: LogRotationOptions): Promise<number> {
  let rotated = 0
  for (const pod of await list(options.root))
    for (const container of await list(join(options.root, pod)))
      for (const file of await list(join(options.root, pod, container)))
        try {
          if (await rotate(options, { pod, container, file })) rotated++
        } catch (error) {
          options.logger.debug('a log could not be rotated', { pod, container, error: describeError(error) })
        }
  return rotated
}

async function rotate(
  { root, reopener, now }: LogRotationOptions,
  { pod, container, file }: { pod: string; container: string; file: string },
): Promise<boolean> {
  const folder = join(root, pod, container)
  const path = join(folder, file)
  const attempt = /^(\d+)\.log$/.exec(file)?.[1]
  if (attempt === undefined || (await sizeOf(path)) < maxLogBytes) return false
  const reopen = await reopener({ podUid: pod.split('_').at(-1) ?? '', container, attempt: Number(attempt) })
  if (reopen === undefined) return false
  const stamp = new Date(now()).toISOString().slice(0, 19).replace(/[-:T]/g, '')
  const aside = join(folder, `${file}.${stamp}`)
  await rename(path, aside)
  try {
    await reopen()
  } catch (error) {
    // Without a new file the container would go on writing to the renamed one.
    await rename(aside, path)
    throw error
  }
  await removeOldest(folder, file)
  return true
}

async function removeOldest(folder: string, file: string): Promise<void> {
  const old = (await list(folder)).filter((name) => name.startsWith(`${file}.`)).sort()
  for (const name of old.slice(0, Math.max(0, old.length - (maxFiles - 1))))
    await rm(join(folder, name), { force: true })
}

const list = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])
const sizeOf = (path: string): Promise<number> => stat(path).then(({ size }) => size, () => 0) // prettier-ignore

export function startLogRotation(options: {
  root: string
  runtime: Runtime
  clock: Clock
  logger: Logger
}): () => void {
  const { root, runtime, clock, logger } = options
  let cancel: () => void = () => undefined
  const reopener: LogRotationOptions['reopener'] = async ({ podUid, container, attempt }) => {
    const { containers } = await runtime.call(RuntimeService.method.listContainers, {
      filter: {
        labelSelector: { [labels.podUid]: podUid, [labels.containerName]: container },
        state: { state: ContainerState.CONTAINER_RUNNING },
      },
    })
    const target = containers.find(({ metadata }) => metadata?.attempt === attempt)
    if (target === undefined) return undefined
    return async () => {
      await runtime.call(RuntimeService.method.reopenContainerLog, { containerId: target.id })
    }
  }
  const check = async (): Promise<void> => {
    await rotateLogs({ root, reopener, now: () => clock.now(), logger })
    cancel = clock.after(checkMs, () => void check())
  }
  cancel = clock.after(checkMs, () => void check())
  return () => {
    cancel()
  }
}
