// Forgetting old history, a slice at a time between commits. A row goes when a newer row of its key lies before the compact
// revision, a deletion goes when it lies before it: so the state at the compact revision and every event from it on stay whole.
import type Database from 'better-sqlite3'
import { firstIdOf } from './protocol.ts'

const rowsPerSlice = 500

export class Compaction {
  readonly #database: Database.Database
  readonly #readMeta: Database.Statement<[string], { value: number }>
  readonly #writeMeta: Database.Statement<[string, number]>
  readonly #slice: Database.Statement<[number, number], { id: number; key: string; deleted: number }>
  readonly #deleteOlder: Database.Statement<[string, number]>
  readonly #deleteRow: Database.Statement<[number]>

  constructor(database: Database.Database) {
    this.#database = database
    this.#readMeta = database.prepare('SELECT value FROM meta WHERE name = ?')
    this.#writeMeta = database.prepare(
      'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    )
    this.#slice = database.prepare(
      `SELECT id, key, value IS NULL AS deleted FROM log WHERE id >= ? AND id < ? ORDER BY id LIMIT ${String(rowsPerSlice)}`,
    )
    this.#deleteOlder = database.prepare('DELETE FROM log WHERE key = ? AND id < ?')
    this.#deleteRow = database.prepare('DELETE FROM log WHERE id = ?')
  }

  /** The oldest revision that can be read; 1 when nothing was compacted. */
  get compactRevision(): number {
    return this.#meta('compact_revision') ?? 1
  }

  /** Rows below this id are done. */
  get #doneThrough(): number {
    return this.#meta('compacted_through') ?? 0
  }

  get pending(): boolean {
    return this.#doneThrough < firstIdOf(this.compactRevision)
  }

  /** Durable when it returns; the rows go later. */
  begin(revision: number): void {
    if (revision > this.compactRevision) this.#writeMeta.run('compact_revision', revision)
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
      this.#writeMeta.run('compacted_through', complete ? end : last.id + 1)
    })()
  }

  #meta(name: string): number | undefined {
    return this.#readMeta.get(name)?.value
  }
}
