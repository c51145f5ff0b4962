// Opens the database file: creates it, or makes sure it is a store of ours that can be read, and says what to do when not.
import { existsSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { CorruptStoreError, StoreInUseError } from '../store.ts'

/** "ORRY" in ASCII: marks the file as ours for `file(1)` and for us. */
const applicationId = 0x4f525259
/** 2: a commit log may lie beside the database, which a reader of 1 would not take over. */
const schemaVersion = 2

const schema = `
  CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    value TEXT,
    create_revision INTEGER NOT NULL,
    version INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX log_by_key ON log (key, id);
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

const remedy = (file: string): string =>
  `Move ${file} (and ${file}-wal and ${file}-commits beside it, if there) away to start empty, or put a snapshot in its place.`

export function openDatabase(file: string, maxSizeMiB: number | undefined): Database.Database {
  const existed = existsSync(file) && statSync(file).size > 0
  // Frames left by a process that died: read them back with more distrust.
  const unclean = existed && existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0
  let database: Database.Database | undefined
  try {
    database = new Database(file, { timeout: 0 })
    configure(database, maxSizeMiB)
    if (isEmpty(database)) create(database)
    else check(database, file, unclean)
    return database
  } catch (error) {
    database?.close()
    throw explain(error, file)
  }
}

function configure(database: Database.Database, maxSizeMiB: number | undefined): void {
  // One process, one connection: no shared memory file, and a second engine on the same file is refused.
  database.pragma('locking_mode = EXCLUSIVE')
  database.pragma('journal_mode = WAL')
  // FULL: the log is synced before a commit is answered.
  database.pragma('synchronous = FULL')
  // Checkpoints run between commits (see checkpoint.ts), never inside one.
  database.pragma('wal_autocheckpoint = 0')
  database.pragma('cache_size = -8192')
  database.pragma('temp_store = MEMORY')
  database.pragma('foreign_keys = OFF')
  if (maxSizeMiB !== undefined) database.pragma(`max_page_count = ${String(maxSizeMiB * 256)}`)
}

const pragmaNumber = (database: Database.Database, name: string): number =>
  Number(database.pragma(name, { simple: true }))

const isEmpty = (database: Database.Database): boolean =>
  pragmaNumber(database, 'application_id') === 0 &&
  database.prepare<[], { n: number }>('SELECT count(*) AS n FROM sqlite_schema').get()?.n === 0

function create(database: Database.Database): void {
  database.transaction(() => {
    database.exec(schema)
    database.pragma(`application_id = ${String(applicationId)}`)
    database.pragma(`user_version = ${String(schemaVersion)}`)
  })()
}

function check(database: Database.Database, file: string, unclean: boolean): void {
  if (pragmaNumber(database, 'application_id') !== applicationId) {
    throw new CorruptStoreError(`${file} is a SQLite database, but not an Orrery store. ${remedy(file)}`)
  }
  const version = pragmaNumber(database, 'user_version')
  if (version === 1) database.pragma(`user_version = ${String(schemaVersion)}`)
  else if (version !== schemaVersion) {
    const newer = version > schemaVersion ? 'It was written by a newer Orrery: update this one. ' : ''
    throw new CorruptStoreError(
      `${file} has store format ${String(version)}, this Orrery reads ${String(schemaVersion)}. ${newer}${remedy(file)}`,
    )
  }
  if (!unclean) return
  const problem = String(database.pragma('quick_check(1)', { simple: true }))
  if (problem !== 'ok') throw new CorruptStoreError(`${file} is damaged (${problem}). ${remedy(file)}`)
}

/** Errors of SQLite as errors of the store; `error.code` is SQLite's symbolic name. */
export function explain(error: unknown, file: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error
  if (error.code === 'SQLITE_NOTADB') {
    return new CorruptStoreError(`${file} is not a database. ${remedy(file)}`, { cause: error })
  }
  if (error.code.startsWith('SQLITE_CORRUPT')) {
    return new CorruptStoreError(`${file} is damaged (${error.message}). ${remedy(file)}`, { cause: error })
  }
  if (error.code.startsWith('SQLITE_BUSY')) {
    return new StoreInUseError(`${file} is in use by another process`, { cause: error })
  }
  return error
}
