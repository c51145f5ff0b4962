// hostPath volumes: the checks and creations that the type asks for.
import { mkdir, open, stat } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import { dirname } from 'node:path'
import { VolumeError } from './projections.ts'

const expectations: Record<string, { test: (stats: Stats) => boolean; what: string }> = {
  Directory: { test: (stats) => stats.isDirectory(), what: 'a directory' },
  DirectoryOrCreate: { test: (stats) => stats.isDirectory(), what: 'a directory' },
  File: { test: (stats) => stats.isFile(), what: 'a file' },
  FileOrCreate: { test: (stats) => stats.isFile(), what: 'a file' },
  Socket: { test: (stats) => stats.isSocket(), what: 'a socket file' },
  CharDevice: { test: (stats) => stats.isCharacterDevice(), what: 'a character device' },
  BlockDevice: { test: (stats) => stats.isBlockDevice(), what: 'a block device' },
}

export async function prepareHostPath(path: string, type: string): Promise<string> {
  if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 })
  if (type === 'FileOrCreate') {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 })
    await (await open(path, 'a', 0o644)).close()
  }
  const expectation = expectations[type]
  if (expectation === undefined) {
    // No type: whatever is there; like other runtimes, a missing path becomes a folder.
    if ((await stat(path).catch(() => undefined)) === undefined) await mkdir(path, { recursive: true, mode: 0o755 })
    return path
  }
  const stats = await stat(path).catch(() => undefined)
  if (stats === undefined || !expectation.test(stats))
    throw new VolumeError(`hostPath type check failed: ${path} is not ${expectation.what}`)
  return path
}
