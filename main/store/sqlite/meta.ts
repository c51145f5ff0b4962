// Numbers that the database keeps about itself.
import type Database from 'better-sqlite3'

/** commit_log: the id of the log in front of this database. */
type Name = 'compact_revision' | 'compacted_through' | 'commit_log'

export class Meta {
  readonly #read: Database.Statement<[Name], { value: number }>
  readonly #write: Database.Statement<[Name, number]>

  constructor(database: Database.Database) {
    this.#read = database.prepare('SELECT value FROM meta WHERE name = ?')
    this.#write = database.prepare(
      'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    )
  }

  get(name: Name): number | undefined {
    return this.#read.get(name)?.value
  }

  /** Durable when it returns, or with the transaction it is part of. */
  set(name: Name, value: number): void {
    this.#write.run(name, value)
  }
}

/** So that a copy is not taken for the database that the log beside it belongs to. */
export function forgetCommitLog(database: Database.Database): void {
  database.exec("DELETE FROM meta WHERE name = 'commit_log'")
}
