// Forgetting old history, a slice at a time between commits. A row goes when a newer row of its key lies before the compact
// revision, a deletion goes when it lies before it: so the state at the compact revision and every event from it on stay whole.
import type Database from 'better-sqlite3'
import type { Meta } from './meta.ts'
import { firstIdOf } from './protocol.ts'

const rowsPerSlice = 500

export class Compaction {
  readonly #database: Database.Database
  readonly #meta: Meta
  readonly #slice: Database.Statement<[number, number], { id: number; key: string; deleted: number }>
  readonly #deleteOlder: Database.Statement<[string, number]>
  readonly #deleteRow: Database.Statement<[number]>

  constructor(database: Database.Database, meta: Meta) {
    this.#database = database
    this.#meta = meta
    this.#slice = database.prepare(
      `SELECT id, key, value IS NULL AS deleted FROM log WHERE id >= ? AND id < ? ORDER BY id LIMIT ${String(rowsPerSlice)}`,
    )
    this.#deleteOlder = database.prepare('DELETE FROM log WHERE key = ? AND id < ?')
    this.#deleteRow = database.prepare('DELETE FROM log WHERE id = ?')
  }

  /** The oldest revision that can be read; 1 when nothing was compacted. */
  get compactRevision(): number {
    return this.#meta.get('compact_revision') ?? 1
  }

  /** Rows below this id are done. */
  get #doneThrough(): number {
    return this.#meta.get('compacted_through') ?? 0
  }

  get pending(): boolean {
    return this.#doneThrough < firstIdOf(this.compactRevision)
  }

  /** Durable when it returns; the rows go later. */
  begin(revision: number): void {
    if (revision > this.compactRevision) this.#meta.set('compact_revision', revision)
  }

  /** Deletes what one slice of the log makes superfluous. */
  step(): void {
    const end = firstIdOf(this.compactRevision)
    this.#database.transaction(() => {
      const rows = this.#slice.all(this.#doneThrough, end)
      for (const { id, key, deleted } of rows) {
        this.#deleteOlder.run(key, id)
        if (deleted === 1) this.#deleteRow.run(id)
      }
      const last = rows[rows.length - 1]
      const complete = rows.length < rowsPerSlice || last === undefined
      this.#meta.set('compacted_through', complete ? end : last.id + 1)
    })()
  }
}
