import { statfs } from 'node:fs/promises'
import { mkdir } from 'node:fs/promises'
import { freemem, totalmem, cpus } from 'node:os'
import type { Diagnostic } from './diagnostic.ts'

const gibibyte = 1024 ** 3
/** Node images of both architectures and their build take about 3 GiB; a lab of two starts with another. */
const wantedDisk = 6 * gibibyte
const format = (bytes: number): string => `${(bytes / gibibyte).toFixed(1)} GiB`

async function freeBytes(folder: string): Promise<number> {
  await mkdir(folder, { recursive: true })
  const stats = await statfs(folder)
  return stats.bavail * stats.bsize
}

const disk = (name: string, folderOf: (context: { paths: { home: string }; cache: string }) => string): Diagnostic => ({
  name,
  async check(context) {
    const folder = folderOf(context)
    const free = await freeBytes(folder)
    const found = `${format(free)} free for ${folder}`
    if (free < gibibyte)
      return {
        verdict: 'bad',
        found,
        remedy: `Free at least ${format(wantedDisk)}, or move it: ORRERY_HOME and ORRERY_CACHE name other folders.`,
      }
    if (free < wantedDisk) return { verdict: 'note', found, remedy: 'Enough to start; images and pods may fill it.' }
    return { verdict: 'good', found }
  },
})

export const homeDisk = disk('Disk for the lab', ({ paths }) => paths.home)
export const cacheDisk = disk('Disk for node images', ({ cache }) => cache)

export const memory: Diagnostic = {
  name: 'Memory',
  check() {
    const found = `${format(freemem())} free of ${format(totalmem())}, ${String(cpus().length)} processors`
    return Promise.resolve(
      freemem() < 1.5 * gibibyte
        ? {
            verdict: 'note',
            found,
            remedy: 'Two machines of 512 MiB and the engine want about 1.5 GiB: close something, or start one machine.',
          }
        : { verdict: 'good', found },
    )
  },
}
