// The store's thread: owns the database connection, commits batches in the order they come, and does history reads, compaction
// and checkpoints in between. Everything it does is asked for by sqlite-store.ts in the words of protocol.ts.
import { renameSync, rmSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { CorruptStoreError, StoreInUseError } from '../store.ts'
import { Checkpointer } from './checkpoint.ts'
import { commitLogFile } from './commit-log.ts'
import { Compaction } from './compaction.ts'
import { History } from './history.ts'
import { recoverCommitLog } from './log-recovery.ts'
import { forgetCommitLog, Meta } from './meta.ts'
import { explain, openDatabase } from './open-database.ts'
import type { Failure, Rows, WorkerData, WorkerReply, WorkerRequest } from './protocol.ts'
import { revisionOfId, rowWidth } from './protocol.ts'

const port = parentPort
if (port === null) throw new Error('the store worker runs in a worker thread')
const reply = (message: WorkerReply): void => {
  port.postMessage(message)
}

function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof CorruptStoreError) return { kind: 'corrupt', message }
  if (error instanceof StoreInUseError) return { kind: 'busy', message }
  if (error instanceof Database.SqliteError && error.code === 'SQLITE_FULL') return { kind: 'full', message }
  const code = error instanceof Database.SqliteError ? ` (${error.code})` : ''
  return { kind: 'fatal', message: `${message}${code}` }
}

class StoreWorker {
  readonly #database: Database.Database
  readonly #file: string
  readonly #meta: Meta
  readonly #history: History
  readonly #compaction: Compaction
  readonly #checkpointer: Checkpointer
  readonly #commit: (rows: Rows) => void
  #compacting = false

  constructor({ file, maxSizeMiB }: WorkerData) {
    this.#database = openDatabase(file, maxSizeMiB)
    this.#file = file
    this.#meta = new Meta(this.#database)
    this.#history = new History(this.#database)
    this.#compaction = new Compaction(this.#database, this.#meta)
    this.#checkpointer = new Checkpointer(this.#database, (message, fields) => {
      reply({ type: 'notice', message, fields })
    })
    const insert = this.#database.prepare(
      'INSERT INTO log (id, key, value, create_revision, version) VALUES (?, ?, ?, ?, ?)',
    )
    this.#commit = this.#database.transaction((rows: Rows) => {
      for (let at = 0; at < rows.length; at += rowWidth) {
        insert.run(rows[at], rows[at + 1], rows[at + 2], rows[at + 3], rows[at + 4])
      }
    })
  }

  /** Sends everything that exists, then says that the store is open. */
  load(): void {
    const batches = recoverCommitLog({
      file: commitLogFile(this.#file),
      id: this.#meta.get('commit_log'),
      revision: this.#history.revision(),
      commit: this.#commit,
    })
    if (batches > 0) reply({ type: 'notice', message: 'commit log recovered', fields: { batches } })
    for (const rows of this.#history.currentEntries()) reply({ type: 'entries', rows })
    reply({
      type: 'opened',
      revision: this.#history.revision(),
      compactRevision: this.#compaction.compactRevision,
    })
    this.#compactInBackground()
  }

  async handle(request: WorkerRequest): Promise<void> {
    try {
      const value = await this.#answer(request)
      reply({ type: 'done', id: request.id, value })
    } catch (error) {
      reply({ type: 'failed', id: request.id, failure: failureOf(error) })
    }
    if (this.#checkpointer.due) {
      setImmediate(() => {
        if (this.#database.open && this.#checkpointer.due) this.#checkpointer.run()
      })
    }
  }

  #answer(request: WorkerRequest): unknown {
    switch (request.type) {
      case 'commit':
        this.#commit(request.rows)
        this.#checkpointer.wrote(request.rows)
        return undefined
      case 'adopt-log':
        this.#meta.set('commit_log', request.logId)
        return undefined
      case 'rangeAt':
        return this.#history.rangeAt(request)
      case 'events':
        return this.#history.events(request.prefix, request.fromRevision)
      case 'compact':
        this.#compaction.begin(request.revision)
        this.#compactInBackground()
        return undefined
      case 'snapshot':
        return this.#snapshot(request.file)
      case 'close':
        this.#database.close()
        return undefined
    }
  }

  #compactInBackground(): void {
    if (this.#compacting || !this.#compaction.pending) return
    this.#compacting = true
    const next = (): void => {
      try {
        if (this.#database.open && this.#compaction.pending) {
          this.#compaction.step()
          this.#checkpointer.wroteFrames(100)
          if (this.#checkpointer.due) this.#checkpointer.run()
          setImmediate(next)
          return
        }
      } catch (error) {
        // Tried again with the next compaction or start; nothing is lost but room.
        reply({ type: 'notice', message: 'compaction interrupted', fields: { error: String(error) } })
      }
      this.#compacting = false
    }
    setImmediate(next)
  }

  /** Copies page by page while commits go on; the copy appears under its name only when whole. */
  async #snapshot(file: string): Promise<{ revision: number }> {
    const partial = `${file}.partial`
    try {
      await this.#database.backup(partial)
      const copy = new Database(partial)
      try {
        forgetCommitLog(copy)
        const row = copy.prepare<[], { id: number | null }>('SELECT max(id) AS id FROM log').get()
        const id = row?.id ?? null
        copy.close()
        renameSync(partial, file)
        return { revision: id === null ? 1 : revisionOfId(id) }
      } finally {
        copy.close()
      }
    } finally {
      for (const suffix of ['', '-wal', '-shm']) rmSync(partial + suffix, { force: true })
    }
  }
}

try {
  const worker = new StoreWorker(workerData as WorkerData)
  port.on('message', (request: WorkerRequest) => {
    void worker.handle(request).then(() => {
      if (request.type === 'close') port.close()
    })
  })
  worker.load()
} catch (error) {
  reply({ type: 'open-failed', failure: failureOf(explain(error, (workerData as WorkerData).file)) })
  port.close()
}
