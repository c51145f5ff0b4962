// Replaces the visible files of a volume all at once: files live in a dated folder, "..data" is a symbolic link to it that is swapped by
// rename, and every visible name is a link through "..data". Readers see the old set or the new one, never a mix. Same layout as a kubelet's.
import {
  chmod,
  chown,
  mkdir,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface ProjectedFile {
  data: Buffer
  mode: number
}

/** Paths relative to the volume, with slashes. */
export type Payload = ReadonlyMap<string, ProjectedFile>

export interface Ownership {
  uid?: number
  /** fsGroup: group of every file and folder, made readable for it. */
  gid?: number
}

const dataLink = '..data'

/** Returns whether anything changed. The folder must exist. */
export async function writePayload(folder: string, payload: Payload, owner: Ownership, now: Date): Promise<boolean> {
  const old = await readlink(join(folder, dataLink)).catch(() => undefined)
  if (old !== undefined && (await isSame(join(folder, old), payload))) {
    await linkVisible(folder, payload)
    return false
  }
  const stamp = `..${now.toISOString().slice(0, 19).replace(/[-T:]/g, '_')}.${process.hrtime.bigint().toString().slice(-9)}`
  const fresh = join(folder, stamp)
  await mkdir(fresh, { mode: 0o755 })
  await chmod(fresh, 0o755)
  await own(fresh, owner, true)
  for (const [path, file] of payload) {
    const target = join(fresh, path)
    await makeFolders(fresh, dirname(path), owner)
    await writeFile(target, file.data)
    await chmod(target, owner.gid === undefined ? file.mode : file.mode | 0o440)
    await own(target, owner, false)
  }
  const temporary = join(folder, '..data_tmp')
  await rm(temporary, { force: true })
  await symlink(stamp, temporary)
  await rename(temporary, join(folder, dataLink))
  await linkVisible(folder, payload)
  if (old !== undefined) await rm(join(folder, old), { recursive: true, force: true })
  return true
}

async function makeFolders(root: string, relative: string, owner: Ownership): Promise<void> {
  if (relative === '.') return
  const made = await mkdir(join(root, relative), { recursive: true, mode: 0o755 })
  if (made !== undefined) await own(join(root, relative), owner, true)
}

async function own(path: string, owner: Ownership, isFolder: boolean): Promise<void> {
  if (owner.uid === undefined && owner.gid === undefined) return
  await chown(path, owner.uid ?? 0, owner.gid ?? 0)
  if (isFolder && owner.gid !== undefined) await chmod(path, 0o2775)
}

async function linkVisible(folder: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? path))
  const present = new Set((await readdir(folder)).filter((name) => !name.startsWith('..')))
  for (const name of wanted) if (!present.has(name)) await symlink(join(dataLink, name), join(folder, name))
  for (const name of present) if (!wanted.has(name)) await rm(join(folder, name), { recursive: true, force: true })
}

async function isSame(folder: string, payload: Payload): Promise<boolean> {
  try {
    const present = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
    if (present.length !== payload.size) return false
    for (const [path, file] of payload) {
      const target = join(folder, path)
      if (!(await readFile(target)).equals(file.data)) return false
      if (((await stat(target)).mode & 0o7777 & file.mode) !== file.mode) return false
    }
    return true
  } catch {
    return false
  }
}
