// Moves committed pages from the write-ahead log into the database, between commits and after their answers, so that no client
// waits for it. The log file keeps its size and is written over from the start: overwriting syncs faster than growing.
import type Database from 'better-sqlite3'
import type { Rows } from './protocol.ts'
import { rowWidth } from './protocol.ts'

const pageBytes = 4096
/** About 4 MiB: small enough that one checkpoint is short, large enough that pages written often are copied once. */
const framesPerCheckpoint = 1000
/** A session that writes this much gets the log its working size at once; one that only looks does not pay for it. */
const framesBeforeGrowing = 100

export class Checkpointer {
  readonly #database: Database.Database
  readonly #warn: (message: string, fields: Record<string, unknown>) => void
  #frames = 0
  /** Whether the log has had its working size since the database was opened (closing removes it). */
  #grown = false

  constructor(database: Database.Database, warn: (message: string, fields: Record<string, unknown>) => void) {
    this.#database = database
    this.#warn = warn
  }

  get due(): boolean {
    return this.#frames >= (this.#grown ? framesPerCheckpoint : framesBeforeGrowing)
  }

  /** Counts roughly what a commit wrote: its rows, a page of the index for every other key, and the pages above them. */
  wrote(rows: Rows): void {
    let characters = 0
    for (let row = 0; row < rows.length; row += rowWidth) {
      characters += (rows[row + 1] as string).length * 2 + ((rows[row + 2] as string | null)?.length ?? 0)
    }
    this.#frames += 2 + Math.ceil(characters / pageBytes) + Math.floor(rows.length / rowWidth / 2)
  }

  wroteFrames(frames: number): void {
    this.#frames += frames
  }

  run(): void {
    this.#frames = 0
    try {
      if (!this.#grown) this.#growLog()
      this.#database.pragma('wal_checkpoint(PASSIVE)')
    } catch (error) {
      // The log stays valid and grows until a later checkpoint succeeds (a full disk, most likely).
      this.#warn('checkpoint failed', { error: String(error) })
    }
  }

  /** Gives the log its working size with pages that are free again afterwards. */
  #growLog(): void {
    this.#grown = true
    const bytes = String(pageBytes * framesPerCheckpoint)
    this.#database.exec(`CREATE TABLE IF NOT EXISTS room (filler BLOB); INSERT INTO room VALUES (zeroblob(${bytes}))`)
    this.#database.exec('DROP TABLE room')
  }
}
