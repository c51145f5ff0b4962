// The file in front of the database: a batch is durable after one write to it. It has its full size from the beginning, so that a
// write syncs nothing but its own bytes, and is written from the start again when the database has everything that is in it.
import { close, constants, fsync, open, write, writeSync } from 'node:fs'
import { open as openFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { encodeHeader, encodeRecord, recordBound, recordsStart } from './log-records.ts'
import type { Rows } from './protocol.ts'

export const commitLogFile = (databaseFile: string): string => `${databaseFile}-commits`

/** Some eight thousand small writes. */
const logBytes = 8 << 20
/** Larger batches are better off in the database at once: they cost bandwidth, not system calls. */
const largestRecordBytes = 1 << 20
/**
 * A disk that syncs within this is waited for on the spot: to hand the write to another thread and back costs as much as the sync
 * itself. After one slower than that so many writes go by the thread pool, so that a slow disk does not hold up everything else.
 */
const promptSyncMs = 1
const writesAfterSlowSync = 100

export class CommitLog {
  readonly #file: string
  readonly #descriptor: number
  readonly #record = Buffer.allocUnsafeSlow(largestRecordBytes)
  #position = recordsStart
  #writesToHandOver = 0

  private constructor(file: string, descriptor: number) {
    this.#file = file
    this.#descriptor = descriptor
  }

  /** Makes the file; it counts from when the database has its id. Undefined where the system cannot write and sync at once. */
  static async create(file: string, id: number): Promise<CommitLog | undefined> {
    // Windows has no such flag.
    const sync = (constants as { O_DSYNC?: number }).O_DSYNC
    if (sync === undefined) return undefined
    const handle = await openFile(file, 'w', 0o600)
    try {
      await handle.write(encodeHeader(id))
      const zeros = Buffer.alloc(1 << 18)
      for (let at = recordsStart; at < logBytes; at += zeros.length) await handle.write(zeros, 0, zeros.length, at)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await syncFolder(dirname(file))
    return new CommitLog(file, await promisify(open)(file, constants.O_WRONLY | sync))
  }

  /** Whether the rows fit behind what was written since the last rewind. */
  hasRoomFor(rows: Rows): boolean {
    const bound = recordBound(rows)
    return bound <= largestRecordBytes && this.#position + bound <= logBytes
  }

  /** Resolves when the rows are durable. One at a time. Rejects with the system's error; the log is of no use after that. */
  async append(rows: Rows): Promise<void> {
    const length = encodeRecord(rows, this.#record)
    for (let written = 0; written < length;) written += await this.#write(written, length - written)
    this.#position += length
  }

  /** Returns how many bytes were written. */
  #write(from: number, length: number): number | Promise<number> {
    if (this.#writesToHandOver > 0) {
      this.#writesToHandOver -= 1
      return new Promise((resolve, reject) => {
        write(this.#descriptor, this.#record, from, length, this.#position + from, (error, written) => {
          if (error === null) resolve(written)
          else reject(error)
        })
      })
    }
    const start = performance.now()
    const written = writeSync(this.#descriptor, this.#record, from, length, this.#position + from)
    if (performance.now() - start > promptSyncMs) this.#writesToHandOver = writesAfterSlowSync
    return written
  }

  /** Begins from the start: only when the database has everything appended so far, durably. */
  rewind(): void {
    this.#position = recordsStart
  }

  close(): Promise<void> {
    return promisify(close)(this.#descriptor)
  }

  /** After close, when the database has everything. */
  remove(): Promise<void> {
    return rm(this.#file, { force: true })
  }
}

/** Makes a new file's name durable. */
async function syncFolder(folder: string): Promise<void> {
  const descriptor = await promisify(open)(folder, 'r')
  await promisify(fsync)(descriptor)
  await promisify(close)(descriptor)
}
