// Folders of volumes that the lab's own provisioner made for claims: open to whatever user a pod runs as, and removed with their volume.
import { chmod, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PersistentVolume } from '../../../common/api/generated/types.ts'
import { localPathFolder, localPathName, localPathProvisioner } from '../../../common/channel/local-path.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { persistentVolumes } from '../../../common/client/resources.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { Logger } from '../../../common/machinery/logger.ts'
import { describeError } from '../logger.ts'

const sweepMs = 600_000

export const isLocalPath = ({ metadata }: PersistentVolume): boolean =>
  metadata.annotations?.['pv.kubernetes.io/provisioned-by'] === localPathProvisioner

/** hostPath volumes get no fsGroup, so a new folder is writable for all. What pods made of it later is left alone. */
export async function prepareLocalPath(path: string): Promise<string> {
  const made = await mkdir(path, { recursive: true })
  if (made !== undefined) await chmod(path, 0o777)
  return path
}

/** Removes the folders of volumes that are gone, every ten minutes. Returns how to stop. */
export function startLocalPathSweep(options: { client: KubeClient; clock: Clock; logger: Logger }): () => void {
  const { client, clock, logger } = options
  let cancel = (): void => undefined
  const next = (): void => {
    cancel = clock.after(sweepMs, () => {
      sweepLocalPaths(localPathFolder, async () => (await client.list(persistentVolumes)).items)
        .then(
          (removed) => {
            if (removed.length > 0) logger.info('data of deleted volumes removed', { volumes: removed })
          },
          (error: unknown) => {
            logger.debug('volumes could not be swept', { error: describeError(error) })
          },
        )
        .finally(next)
    })
  }
  next()
  return () => {
    cancel()
  }
}

/** Folders first, volumes second: a folder is made only after its volume, so none is taken for an orphan too early. */
export async function sweepLocalPaths(
  folder: string,
  listVolumes: () => Promise<readonly PersistentVolume[]>,
): Promise<string[]> {
  const present = (await readdir(folder).catch(() => [])).filter((name) => localPathName.test(name))
  if (present.length === 0) return []
  const known = new Set((await listVolumes()).map(({ metadata }) => metadata.name))
  const orphans = present.filter((name) => !known.has(name))
  for (const name of orphans) await rm(join(folder, name), { recursive: true, force: true })
  return orphans
}
