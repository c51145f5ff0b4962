// Reads of the past from the log: a prefix as of a revision, and the events since one. Runs in the worker.
import type Database from 'better-sqlite3'
import type { EventsReply, RangeAtReply, Rows } from './protocol.ts'
import { firstIdOf, revisionOfId } from './protocol.ts'

interface LogRow {
  id: number
  key: string
  value: string | null
  create_revision: number
  version: number
}

/** Events are read in pieces of about so many rows, so that commits are not kept waiting. */
const eventsPerPiece = 2000
/** Above every character that a key contains, in SQLite's byte order. */
const lastCharacter = '\u{10ffff}'

export class History {
  readonly #idsAt: Database.Statement<[string, string, number], { key: string; id: number }>
  readonly #byId: Database.Statement<[number], LogRow>
  readonly #since: Database.Statement<[number, number], LogRow>
  readonly #pieceEnd: Database.Statement<[number], { id: number }>
  readonly #before: Database.Statement<[string, number], LogRow>
  readonly #current: Database.Statement<[], LogRow>
  readonly #lastId: Database.Statement<[], { id: number | null }>

  constructor(database: Database.Database) {
    this.#idsAt = database.prepare(
      'SELECT key, max(id) AS id FROM log WHERE key >= ? AND key < ? AND id < ? GROUP BY key',
    )
    this.#byId = database.prepare('SELECT * FROM log WHERE id = ?')
    this.#since = database.prepare('SELECT * FROM log WHERE id >= ? AND id < ? ORDER BY id')
    this.#pieceEnd = database.prepare(
      `SELECT id FROM log WHERE id >= ? ORDER BY id LIMIT 1 OFFSET ${String(eventsPerPiece)}`,
    )
    this.#before = database.prepare('SELECT * FROM log WHERE key = ? AND id < ? ORDER BY id DESC LIMIT 1')
    this.#current = database.prepare(`
      SELECT log.* FROM (SELECT max(id) AS id FROM log GROUP BY key) AS newest
      JOIN log ON log.id = newest.id WHERE log.value IS NOT NULL`)
    this.#lastId = database.prepare('SELECT max(id) AS id FROM log')
  }

  /** The newest revision; 1 in an empty store. */
  revision(): number {
    const id = this.#lastId.get()?.id ?? null
    return id === null ? 1 : revisionOfId(id)
  }

  /** Newest rows of all keys that exist, in pieces. */
  *currentEntries(): Generator<Rows> {
    let rows: Rows = []
    for (const row of this.#current.iterate()) {
      push(rows, row)
      if (rows.length >= 5 * eventsPerPiece) {
        yield rows
        rows = []
      }
    }
    if (rows.length > 0) yield rows
  }

  rangeAt(options: { prefix: string; startAfter?: string; limit?: number; atRevision: number }): RangeAtReply {
    const { prefix, startAfter = '', limit = Number.POSITIVE_INFINITY, atRevision } = options
    const found = this.#idsAt
      .all(prefix, prefix + lastCharacter, firstIdOf(atRevision + 1))
      .filter(({ key }) => key.startsWith(prefix) && key > startAfter)
      // SQLite orders by UTF-8 bytes, the store by UTF-16 units; they differ only beyond the BMP.
      .sort((a, b) => (a.key < b.key ? -1 : 1))
    const rows: Rows = []
    let taken = 0
    let remaining = 0
    for (const { id } of found) {
      const row = this.#byId.get(id)
      if (row === undefined || row.value === null) continue
      if (taken < limit) push(rows, row)
      else remaining += 1
      taken += 1
    }
    return { rows, remaining }
  }

  events(prefix: string, fromRevision: number): EventsReply {
    const from = firstIdOf(fromRevision)
    const end = this.#pieceEnd.get(from)
    const through = end === undefined ? this.revision() : revisionOfId(end.id)
    const rows: Rows = []
    const previous: Rows = []
    for (const row of this.#since.all(from, firstIdOf(through + 1))) {
      if (!row.key.startsWith(prefix)) continue
      push(rows, row)
      const old = this.#before.get(row.key, row.id)
      if (old === undefined || old.value === null) previous.push(0, row.key, null, 0, 0)
      else push(previous, old)
    }
    return { rows, previous, through: Math.max(through, fromRevision) }
  }
}

function push(rows: Rows, row: LogRow): void {
  rows.push(row.id, row.key, row.value, row.create_revision, row.version)
}
