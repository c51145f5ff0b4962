// Build results in the cache: a folder appears under its final name only when complete, and is trusted by a quick fingerprint (size
// and modification time of each file); when that differs the full hashes decide, and a damaged folder is removed.
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sha256OfFile } from './download.ts'

export interface FileRecord {
  sha256: string
  size: number
  mtimeMs: number
}

export interface ResultRecord {
  /** Folder name below the store. */
  folder: string
  files: Record<string, FileRecord>
}

export type CheckDepth = 'fingerprint' | 'hash'

export interface ResultStore {
  /** The complete folder recorded under `key`, or undefined when there is none or it was damaged (then it is gone). */
  find(key: string, depth?: CheckDepth): Promise<string | undefined>
  /** A fresh private folder on the same file system. */
  newWorkFolder(): Promise<string>
  /** Moves a work folder's content into place as `folder` and records it under `key`. Returns the final path. */
  publish(options: { key: string; folder: string; work: string }): Promise<string>
}

/** `onDamaged` is told the name of a folder that was removed because its content is not what was recorded. */
export function openResultStore(root: string, onDamaged?: (folder: string) => void): ResultStore {
  const recordPath = (key: string): string => join(root, `${key}.json`)

  const readRecord = async (key: string): Promise<ResultRecord | undefined> => {
    try {
      const value: unknown = JSON.parse(await readFile(recordPath(key), 'utf8'))
      return isResultRecord(value) ? value : undefined
    } catch {
      return undefined
    }
  }

  const writeRecord = async (key: string, record: ResultRecord): Promise<void> => {
    const part = `${recordPath(key)}.${randomBytes(4).toString('hex')}`
    await mkdir(dirname(part), { recursive: true })
    await writeFile(part, JSON.stringify(record, undefined, 2))
    await rename(part, recordPath(key))
  }

  return {
    async find(key, depth = 'fingerprint') {
      const record = await readRecord(key)
      if (record === undefined) return undefined
      const folder = join(root, record.folder)
      const verdict = await checkFiles(folder, record.files, depth)
      if (verdict === 'damaged') {
        await rm(recordPath(key), { force: true })
        await rm(folder, { recursive: true, force: true })
        onDamaged?.(record.folder)
        return undefined
      }
      if (verdict === 'touched') await writeRecord(key, { ...record, files: await recordFiles(folder, record.files) })
      return folder
    },
    async newWorkFolder() {
      await mkdir(root, { recursive: true })
      await removeAbandoned(root)
      const work = join(root, `.work-${process.pid}-${randomBytes(4).toString('hex')}`)
      await mkdir(work)
      return work
    },
    async publish({ key, folder, work }) {
      const target = join(root, folder)
      // A folder of the same name is put aside and replaced as a whole. When another builder is faster, its result is as good.
      const aside = join(root, `.work-${process.pid}-${randomBytes(4).toString('hex')}`)
      await rename(target, aside).catch(() => undefined)
      await rename(work, target).catch((error: unknown) => {
        if (!isTaken(error)) throw error
      })
      await rm(aside, { recursive: true, force: true })
      await removeSuperseded(root, folder)
      await writeRecord(key, { folder, files: await recordFiles(target) })
      return target
    },
  }
}

/** intact: nothing changed; touched: same content with other times; damaged: missing or other content. */
export async function checkFiles(
  folder: string,
  files: Record<string, FileRecord>,
  depth: CheckDepth,
): Promise<'intact' | 'touched' | 'damaged'> {
  let touched = false
  for (const [name, wanted] of Object.entries(files)) {
    const path = join(folder, name)
    const found = await stat(path).catch(() => undefined)
    if (found === undefined || found.size !== wanted.size) return 'damaged'
    const sameTime = Math.abs(found.mtimeMs - wanted.mtimeMs) < 1
    if (sameTime && depth === 'fingerprint') continue
    if ((await sha256OfFile(path)) !== wanted.sha256) return 'damaged'
    if (!sameTime) touched = true
  }
  return touched ? 'touched' : 'intact'
}

async function recordFiles(folder: string, known?: Record<string, FileRecord>): Promise<Record<string, FileRecord>> {
  const records: Record<string, FileRecord> = {}
  const names = known === undefined ? (await readdir(folder, { recursive: true, withFileTypes: true })).filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).slice(folder.length + 1)) : Object.keys(known) // prettier-ignore
  for (const name of names.sort()) {
    const path = join(folder, name)
    const found = await stat(path)
    records[name] = {
      sha256: known?.[name]?.sha256 ?? (await sha256OfFile(path)),
      size: found.size,
      mtimeMs: found.mtimeMs,
    }
  }
  return records
}

/** Of results with the same prefix ("amd64-…") the newest few stay: running machines may still use the one before. */
const keptVersions = 3

async function removeSuperseded(root: string, folder: string): Promise<void> {
  const prefix = folder.slice(0, folder.lastIndexOf('-') + 1)
  const names = (await readdir(root, { withFileTypes: true })).filter(
    (entry) => entry.isDirectory() && entry.name.startsWith(prefix) && !entry.name.slice(prefix.length).includes('-'),
  )
  const aged = await Promise.all(
    names.map(async ({ name }) => ({ name, mtimeMs: (await stat(join(root, name))).mtimeMs })),
  )
  const old = aged.sort((a, b) => b.mtimeMs - a.mtimeMs).slice(keptVersions)
  for (const { name } of old) if (name !== folder) await rm(join(root, name), { recursive: true, force: true })
}

const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST')

/** Work folders of builders that no longer run. */
async function removeAbandoned(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const pid = /^\.work-(\d+)-/.exec(name)?.[1]
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(root, name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function isResultRecord(value: unknown): value is ResultRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'folder' in value &&
    typeof value.folder === 'string' &&
    'files' in value &&
    typeof value.files === 'object' &&
    value.files !== null
  )
}
