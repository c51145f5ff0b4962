// Resolves a volumeMount's subPath inside its volume: made when missing, never outside the volume, whatever links it contains.
import { mkdir, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'
import { VolumeError } from './projections.ts'

export async function resolveSubPath(volumePath: string, subPath: string): Promise<string> {
  if (isAbsolute(subPath)) throw new VolumeError(`error SubPath \`${subPath}\` must not be an absolute path`)
  if (subPath.split('/').includes('..'))
    throw new VolumeError(`unable to provision SubPath \`${subPath}\`: must not contain ".."`)
  const root = await realpath(volumePath)
  const target = join(root, subPath)
  const present = await stat(target).catch(() => undefined)
  if (present === undefined) {
    await assertInside(root, await nearestExisting(root, target), subPath)
    const { mode } = await stat(root)
    await mkdir(target, { recursive: true, mode: mode & 0o7777 })
  }
  const resolved = await realpath(target)
  await assertInside(root, resolved, subPath)
  return resolved
}

async function nearestExisting(root: string, target: string): Promise<string> {
  let path = target
  while (path !== root) {
    const found = await realpath(path).catch(() => undefined)
    if (found !== undefined) return found
    path = join(path, '..')
  }
  return root
}

function assertInside(root: string, path: string, subPath: string): Promise<void> {
  const way = relative(root, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
    ? Promise.resolve()
    : Promise.reject(new VolumeError(`subPath "${subPath}" leads outside its volume`))
}
